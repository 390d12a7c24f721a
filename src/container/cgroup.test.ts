// With real cgroups: as root, where a cgroup file system is mounted and libberth has been built.

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmdirSync, rmSync, statfsSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { RuntimeError } from "../errors/runtime-error.ts";
import type { Native } from "../host/native.gen.ts";
import { loadNative } from "../host/node.ts";
import { killCgroups } from "./cgroup-kill.ts";
import { removeCgroups } from "./cgroup-remove.ts";
import { frozenAbove, isFrozen } from "./freezer.ts";

const LIBRARY = process.env.BERTH_LIBRARY ?? join(import.meta.dirname, "../../dist/libberth.so");
const CGROUP_SUPER_MAGIC = 0x27e0eb;
const CGROUP2_SUPER_MAGIC = 0x63677270;
const EBUSY = 16;
const NAME = `berth-test-${process.pid}`;

const usable = process.getuid?.() === 0 && existsSync(LIBRARY);
const mounted = (path: string, magic: number): boolean => existsSync(path) && statfsSync(path).type === magic;
const kinds = [
  { kind: "v1", mount: "/sys/fs/cgroup/freezer", magic: CGROUP_SUPER_MAGIC },
  { kind: "v1 without freezer", mount: "/sys/fs/cgroup/pids", magic: CGROUP_SUPER_MAGIC },
  { kind: "hybrid", mount: "/sys/fs/cgroup/unified", magic: CGROUP2_SUPER_MAGIC },
  { kind: "v2", mount: "/sys/fs/cgroup", magic: CGROUP2_SUPER_MAGIC },
].filter(({ mount, magic }) => mounted(mount, magic));

const children: ChildProcess[] = [];

/** A process in the cgroup; its end is awaited through `ended`. */
function processIn(cgroup: string, script: string): { pid: number; ended: Promise<NodeJS.Signals | null> } {
  const child = spawn("sh", ["-c", script], { stdio: "ignore" });
  children.push(child);
  const ended = new Promise<NodeJS.Signals | null>((resolve) => child.on("exit", (_code, signal) => resolve(signal)));
  writeFileSync(join(cgroup, "cgroup.procs"), String(child.pid));
  return { pid: child.pid as number, ended };
}

function errorOf(run: () => void): RuntimeError["facts"] | undefined {
  try {
    run();
  } catch (error) {
    if (error instanceof RuntimeError) return error.facts;
    throw error;
  }
  return undefined;
}

describe.skipIf(!usable).each(kinds)("cgroups on $kind (needs root and a build)", ({ kind, mount }) => {
  const native: Native = usable ? loadNative(LIBRARY) : ({} as Native);
  const leaf = join(mount, NAME);

  beforeEach(() => {
    removeCgroups(native, [leaf], true);
    mkdirSync(leaf);
  });

  afterAll(() => {
    for (const child of children.splice(0)) child.kill("SIGKILL");
    removeCgroups(native, [leaf], true);
  });

  it("are removed with everything below", () => {
    mkdirSync(join(leaf, "a/b/c"), { recursive: true });
    mkdirSync(join(leaf, "a/d"));
    mkdirSync(join(leaf, "e"));
    removeCgroups(native, [leaf]);
    expect(existsSync(leaf)).toBe(false);
  });

  it("may be gone already, and their parents too", () => {
    rmdirSync(leaf);
    removeCgroups(native, [leaf, join(leaf, "a")]);
  });

  it("keep their processes, and are an error after a while, when nobody asked to kill", () => {
    mkdirSync(join(leaf, "a"));
    processIn(leaf, "sleep 60");
    expect(errorOf(() => removeCgroups(native, [leaf]))).toMatchObject({
      errno: EBUSY,
      path: leaf,
      operation: "rmdir",
    });
    expect(existsSync(leaf)).toBe(true);
    removeCgroups(native, [leaf], true);
  });

  it("are removed once a process that is about to end has ended", () => {
    processIn(leaf, "sleep 0.2");
    removeCgroups(native, [leaf]);
    expect(existsSync(leaf)).toBe(false);
  });

  it("are removed after what is in them and below was killed", async () => {
    mkdirSync(join(leaf, "a/b"), { recursive: true });
    const processes = [
      processIn(leaf, "sleep 60 & wait"),
      processIn(join(leaf, "a/b"), "trap '' TERM; sleep 60 & wait"),
    ];
    native.poll(new Uint32Array(0), new Uint32Array(0), 50); // until both have forked
    removeCgroups(native, [leaf], true);
    expect(existsSync(leaf)).toBe(false);
    expect(await Promise.all(processes.map(({ ended }) => ended))).toEqual(["SIGKILL", "SIGKILL"]);
  });

  it("lose a process that keeps forking", async () => {
    const { ended } = processIn(leaf, "while :; do sh -c 'sleep 0.01' & done");
    native.poll(new Uint32Array(0), new Uint32Array(0), 50);
    removeCgroups(native, [leaf], true);
    expect(existsSync(leaf)).toBe(false);
    // Where forks are forbidden instead of frozen, the shell may give up by itself before the signal is there.
    expect(kind === "v1 without freezer" ? ["SIGKILL", null] : ["SIGKILL"]).toContain(await ended);
  });

  it("can be killed without being removed", async () => {
    const { ended } = processIn(leaf, "sleep 60");
    expect(killCgroups(native, [leaf])).toBe(true);
    expect(await ended).toBe("SIGKILL");
    expect(killCgroups(native, [join(leaf, "nothing")])).toBe(false);
  });

  it.skipIf(kind === "v1 without freezer")("are frozen only when they themselves were asked to be", () => {
    const freeze = (path: string, frozen: boolean): void => {
      if (kind === "v1") writeFileSync(join(path, "freezer.state"), frozen ? "FROZEN" : "THAWED");
      else writeFileSync(join(path, "cgroup.freeze"), frozen ? "1" : "0");
    };
    const child = join(leaf, "a");
    mkdirSync(child);
    expect(isFrozen(native, [leaf])).toBe(false);
    freeze(leaf, true);
    expect(isFrozen(native, [leaf])).toBe(true);
    expect(isFrozen(native, [child])).toBe(false);
    expect(frozenAbove(native, join(child, "b"), mount)).toBe(leaf);
    expect(frozenAbove(native, leaf, mount)).toBe(undefined);
    freeze(leaf, false);
    expect(isFrozen(native, [leaf])).toBe(false);
    expect(isFrozen(native, [join(leaf, "gone")])).toBe(false);
  });

  it.skipIf(kind === "v1 without freezer")("die also when frozen", async () => {
    const { ended } = processIn(leaf, "sleep 60");
    if (kind === "v1") writeFileSync(join(leaf, "freezer.state"), "FROZEN");
    else writeFileSync(join(leaf, "cgroup.freeze"), "1");
    removeCgroups(native, [leaf], true);
    expect(await ended).toBe("SIGKILL");
    expect(existsSync(leaf)).toBe(false);
  });

  it.skipIf(!kind.startsWith("v2") && kind !== "hybrid")(
    "may be nested deeper than there are descriptors",
    () => {
      let at = native.open(-100, leaf, 0o200000, 0);
      for (let depth = 0; depth < 1500; depth++) {
        expect(native.mkdir(at, "deeper", 0o755)).toBe(0);
        const next = native.open(at, "deeper", 0o200000, 0);
        native.close(at);
        at = next;
      }
      native.close(at);
      removeCgroups(native, [leaf]);
      expect(existsSync(leaf)).toBe(false);
    },
    60_000,
  );

  it("may be many, with children of their own: each folder is listed once", () => {
    for (let i = 0; i < 40; i++) mkdirSync(join(leaf, `many${i}/below`), { recursive: true });
    let lists = 0;
    const counting = new Proxy(native, {
      get: (target, name: keyof Native) => {
        if (name === "list_dir") lists++;
        return target[name];
      },
    });
    removeCgroups(counting, [leaf]);
    expect(existsSync(leaf)).toBe(false);
    expect(lists).toBe(1 + 40);
  });

  it("refuse paths that are not below a hierarchy's top", () => {
    const folder = mkdtempSync(join(tmpdir(), "berth-cgroup-"));
    mkdirSync(join(folder, "x"));
    symlinkSync(mount, join(folder, "link"));
    const refused = [join(folder, "x"), mount, `${leaf}/../${NAME}`, `${mount}//${NAME}`, NAME, "/", ""];
    for (const path of refused) {
      expect(errorOf(() => removeCgroups(native, [path], true))?.message ?? path).toMatch(/^refusing/);
    }
    expect(errorOf(() => removeCgroups(native, [join(folder, "link", NAME)]))).toMatchObject({ operation: "open" });
    expect(errorOf(() => killCgroups(native, [join(folder, "link", NAME)]))).toMatchObject({ operation: "open" });
    expect([existsSync(join(folder, "x")), existsSync(leaf)]).toEqual([true, true]);
    rmSync(folder, { recursive: true });
  });

  it("are all tried when one of them cannot be removed", () => {
    expect(errorOf(() => removeCgroups(native, ["/nowhere/x/y", "/tmp", leaf]))).toMatchObject({ path: "/tmp" });
    expect(existsSync(leaf)).toBe(false);
  });
});
