import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { NONE } from "../../../src/plan/protocol.ts";
import { builder, O, type Result, run, scratch, useInit } from "./support.ts";

useInit();

const root = join(scratch, "root");
const outside = join(scratch, "outside");
/** Slot of the root in all plans here. */
const ROOT = 4;
const withRoot = { files: [`${O.path | O.directory}:${root}`] };

beforeEach(() => {
  for (const folder of [root, outside]) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
  }
});

const target = async (path: string, kind: number, nofollow = 0): Promise<Result> => {
  const b = builder(1);
  b.target(b.slot(), ROOT, path, kind, NONE, nofollow);
  return await run(b, withRoot);
};

describe("target", () => {
  it("makes what is missing: folders 0755, a file 0644", async () => {
    expect((await target("/a/b/file", 1)).status).toBe(0);
    expect(lstatSync(join(root, "a/b")).mode & 0o7777).toBe(0o755);
    expect(lstatSync(join(root, "a/b/file")).mode).toBe(0o100644);
    expect((await target("a//b/./new/", 0)).status).toBe(0);
    expect(lstatSync(join(root, "a/b/new")).isDirectory()).toBe(true);
  });

  it("takes what is there, and says when it is of the other kind", async () => {
    mkdirSync(join(root, "folder"));
    writeFileSync(join(root, "file"), "");
    expect((await target("/folder", 0)).failed).toBeUndefined();
    expect((await target("/", 0)).failed).toBeUndefined();
    expect((await target("/file", 1)).failed).toBeUndefined();
    expect((await target("/folder", 1)).failed).toMatchObject({ error: 21, detail: "/folder" });
    expect((await target("/file", 0)).failed).toMatchObject({ error: 20, detail: "/file" });
    expect((await target("/file/x/y", 0)).failed).toMatchObject({ error: 20 });
  });

  it("stays in root behind symlinks that point outside", async () => {
    symlinkSync(outside, join(root, "absolute"));
    symlinkSync("../../../../../../../../../../..", join(root, "up"));
    expect((await target("/absolute/x", 0)).failed).toBeUndefined();
    expect((await target(`/up${outside}/y`, 0)).failed).toBeUndefined();
    expect((await target("/../../z", 0)).failed).toBeUndefined();
    expect(readdirSync(outside)).toEqual([]);
    expect(readdirSync(join(root, outside)).sort()).toEqual(["x", "y"]);
    expect(existsSync(join(root, "z"))).toBe(true);
  });

  it("makes in root what a dangling symlink points to", async () => {
    mkdirSync(join(root, "var"));
    symlinkSync("/run", join(root, "var/run"));
    symlinkSync("../else/../there/deep", join(root, "var/relative"));
    expect((await target("/var/run/lock", 0)).failed).toBeUndefined();
    expect((await target("/var/relative/x", 1)).failed).toBeUndefined();
    expect(existsSync(join(root, "run/lock"))).toBe(true);
    expect(existsSync(join(root, "there/deep/x"))).toBe(true);
  });

  it("refuses a symlink as last component when told so, and loops", async () => {
    symlinkSync("/nowhere", join(root, "dangling"));
    symlinkSync("loop", join(root, "loop"));
    symlinkSync("/", join(root, "good"));
    expect((await target("/dangling", 0, 1)).failed).toMatchObject({ error: 40 });
    expect((await target("/good", 0, 1)).failed).toMatchObject({ error: 40 });
    expect((await target("/loop", 0)).failed).toMatchObject({ error: 40 });
    expect((await target("/loop/x", 0)).failed).toMatchObject({ error: 40 });
    expect(existsSync(join(root, "nowhere"))).toBe(false);
  });

  it("makes the last component like a descriptor", async () => {
    writeFileSync(join(outside, "file"), "");
    const b = builder(3);
    b.target(b.slot(), ROOT, "/file", 2, 5, 0);
    b.target(b.slot(), ROOT, "/folder", 2, 6, 0);
    await run(b, { files: [...withRoot.files, `${O.path}:${outside}/file`, `${O.path}:${outside}`] });
    expect(lstatSync(join(root, "file")).isFile()).toBe(true);
    expect(lstatSync(join(root, "folder")).isDirectory()).toBe(true);
  });

  it("works without a root slot, from the caller's own root", async () => {
    const b = builder();
    b.target(b.slot(), NONE, `${root}/new`, 0, NONE, 0);
    expect((await run(b)).failed).toBeUndefined();
    expect(existsSync(join(root, "new"))).toBe(true);
  });
});

describe("make_node", () => {
  const node = async (path: string, mode: number, uid = 0): Promise<Result> => {
    const b = builder(1);
    b.make_node(ROOT, path, mode, 1, 3, uid, 0);
    return await run(b, withRoot);
  };

  it("makes a device with exact mode and owner, folders on the way", async () => {
    expect((await node("/dev/null", 0o20666, 7)).failed).toBeUndefined();
    expect(lstatSync(join(root, "dev/null"))).toMatchObject({ mode: 0o20666, rdev: 0x103, uid: 7 });
  });

  it("keeps the same device and gives it mode and owner", async () => {
    execFileSync("mknod", ["-m", "600", join(root, "null"), "c", "1", "3"]);
    expect((await node("/null", 0o20666, 5)).failed).toBeUndefined();
    expect(lstatSync(join(root, "null"))).toMatchObject({ mode: 0o20666, uid: 5 });
  });

  it("refuses anything else that is there, also a symlink to the outside", async () => {
    writeFileSync(join(outside, "victim"), "");
    symlinkSync(join(outside, "victim"), join(root, "null"));
    symlinkSync("/dev/null", join(root, "host"));
    execFileSync("mknod", [join(root, "zero"), "c", "1", "5"]);
    for (const path of ["/null", "/host", "/zero"])
      expect((await node(path, 0o20666, 99)).failed).toMatchObject({ error: 17 });
    expect(lstatSync(join(outside, "victim"))).toMatchObject({ uid: 0 });
    expect(lstatSync("/dev/null").uid).toBe(0);
  });

  it("stays in root when a folder on the way leads out", async () => {
    symlinkSync(outside, join(root, "dev"));
    expect((await node("/dev/null", 0o20666)).failed).toBeUndefined();
    expect(readdirSync(outside)).toEqual([]);
  });
});

describe("make_symlink and make_dir", () => {
  it("keep what is there, or replace it", async () => {
    symlinkSync("old", join(root, "link"));
    mkdirSync(join(root, "folder"));
    const b = builder(1);
    b.make_symlink(ROOT, "/link", "new", 0);
    b.make_symlink(ROOT, "/dev/fd", "/proc/self/fd", 0);
    b.make_symlink(ROOT, "/folder", "x", 0);
    b.make_dir(ROOT, "/a/b", 0o1777);
    b.make_dir(ROOT, "/folder", 0o700);
    expect((await run(b, withRoot)).failed).toBeUndefined();
    expect(readlinkSync(join(root, "link"))).toBe("old");
    expect(readlinkSync(join(root, "dev/fd"))).toBe("/proc/self/fd");
    expect(lstatSync(join(root, "a/b")).mode & 0o7777).toBe(0o1777);
    const c = builder(1);
    c.make_symlink(ROOT, "/link", "new", 1);
    c.make_symlink(ROOT, "/folder", "x", 1);
    expect((await run(c, withRoot)).failed).toMatchObject({ op: 1, error: 21 });
    expect(readlinkSync(join(root, "link"))).toBe("new");
  });
});

describe("somebody who swaps folders and symlinks all the time", () => {
  it("never gets anything made outside", async () => {
    mkdirSync(join(root, "real"));
    // link: folder -> symlink to the outside -> folder ..., and a folder that moves out of what is being walked.
    const script = `
      cd "$1"
      while :; do
        mkdir swap 2>/dev/null; mv swap swap.old 2>/dev/null; ln -s "$2" swap 2>/dev/null
        rm -rf swap.old; rm -f swap; mkdir -p swap/inner; mv swap/inner "$2"/../moved 2>/dev/null; rm -rf "$2"/../moved swap
      done`;
    const racer = spawn("sh", ["-c", script, "sh", root, outside], { stdio: "ignore", detached: true });
    const ended = once(racer, "exit");
    const tasks = Array.from({ length: 60 }, async (_, i) => {
      const b = builder(1);
      for (let j = 0; j < 20; j++) {
        const path = `/swap/inner/${i}.${j}`;
        if (i % 3 === 0) b.make_dir(ROOT, path, 0o755);
        else if (i % 3 === 1) b.make_node(ROOT, path, 0o20666, 1, 3, 4242, 0);
        else {
          const slot = b.slot();
          b.target(slot, ROOT, path, 1, NONE, 0);
          b.close(slot);
        }
      }
      await run(b, withRoot);
      expect(readdirSync(outside)).toEqual([]);
    });
    try {
      await Promise.all(tasks);
    } finally {
      process.kill(-(racer.pid as number), "SIGKILL"); // with what it has just started
      await ended;
    }
    expect(readdirSync(outside)).toEqual([]);
  });
});
