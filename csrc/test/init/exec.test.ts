import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { builder, NEW, productionElf, run, runBytes, scratch, seal, useInit } from "./support.ts";

useInit();

const SHELL = "/bin/sh";

describe("execute", () => {
  it("passes args and env, and tells success by the end of the start pipe", async () => {
    const b = builder();
    b.reset_signals();
    b.find_executable("sh", "/nowhere::/usr/bin:/bin");
    b.ready();
    b.wait_start(2);
    b.execute(["sh", "-c", 'echo "$0 $1 $A $B"', "zero", "one"], ["A=1", "B=two words", "PATH=/bin"]);
    const r = await run(b, { arguments: ["start"] });
    expect(r.lines.map((l) => l.kind)).toEqual(["ready", "started", "exit"]);
    expect(r.output).toBe("zero one 1 two words\n");
    expect(r.status).toBe(0);
  });

  it("reports on the start pipe what fails after the start", async () => {
    const b = builder();
    const file = join(scratch, "no-interpreter");
    writeFileSync(file, "#! /no/such/interpreter -x\n", { mode: 0o755 });
    b.find_executable(file, "");
    b.ready();
    b.wait_start(2);
    b.execute([file], []);
    const r = await run(b, { arguments: ["start"] });
    expect(r.lines.map((l) => l.kind)).toEqual(["ready", "started", "failed", "exit"]);
    expect(r.failed).toMatchObject({ op: 3, error: 2, detail: "its interpreter does not exist: /no/such/interpreter" });
    expect(r.status).toBe(1);
  });

  it("leaves the container only descriptors below base", async () => {
    const b = builder();
    b.open(b.slot(), 0xffffffff, "/", 0, 0, 0);
    b.find_executable("/bin/ls", "");
    b.ready();
    b.wait_start(2);
    b.execute(["ls", "/proc/self/fd"], []);
    const r = await run(b, { arguments: ["start"] });
    expect(r.output.split("\n").slice(0, 4)).toEqual(["0", "1", "2", "3"]); // 3: the folder that ls itself reads
    expect(r.output.trim().split("\n")).toHaveLength(4);
  });

  it("refuses to run without find_executable before it", async () => {
    const b = builder();
    b.execute(["x"], []);
    expect((await run(b)).failed).toMatchObject({ op: 0, error: 22 });
  });
});

describe("find_executable", () => {
  const find = async (name: string, path: string): Promise<[number, string]> => {
    const b = builder();
    b.find_executable(name, path);
    const { failed } = await run(b);
    return [failed?.error ?? 0, failed?.detail ?? ""];
  };
  const folder = join(scratch, "bin");
  mkdirSync(folder);
  mkdirSync(join(folder, "folder"));
  writeFileSync(join(folder, "text"), "x");

  it("says ENOENT for a name that is nowhere in PATH, and what it met", async () => {
    expect(await find("nothing", "/usr/bin:/bin")).toEqual([2, ""]);
    expect(await find("text", folder)).toEqual([2, `${folder}/text may not be executed`]);
    expect((await find("folder", folder))[0]).toBe(2);
    expect(await find("sh", "")).toEqual([2, ""]);
    expect(await find("", "/bin")).toEqual([2, ""]);
  });

  it("checks a name with a slash itself", async () => {
    expect((await find(SHELL, ""))[0]).toBe(0);
    expect((await find(`${folder}/none`, "/bin"))[0]).toBe(2);
    expect((await find(`${folder}/text`, "/bin"))[0]).toBe(13);
    expect((await find(`${folder}/folder`, "/bin"))[0]).toBe(13);
    expect((await find(`${folder}/text/x`, "/bin"))[0]).toBe(20);
  });

  it("goes on behind a part of PATH that is too long", async () => {
    expect((await find("sh", `/${"x".repeat(5000)}:/bin`))[0]).toBe(0);
  });
});

describe("failures", () => {
  it("name op and errno", async () => {
    const b = builder();
    b.setsid();
    b.chdir("/no/such/folder", 0);
    expect((await run(b)).failed).toMatchObject({ op: 1, error: 2 });
  });

  it("can be provoked at any op in test builds only", async () => {
    const b = builder();
    b.umask(0o22);
    b.umask(0o22);
    b.ready();
    const plan = seal(b.finish(), b.inherited.length);
    const failpoint = { arguments: ["failpoint=fail=1:28"] };
    expect((await runBytes(plan, failpoint)).failed).toMatchObject({ op: 1, error: 28 });
    const production = await runBytes(plan, { ...failpoint, elf: await productionElf() });
    expect(production.lines.map((l) => l.kind)).toEqual(["ready", "exit"]);
  });

  it("end init by itself when the runtime dies at any op", async () => {
    const program = () => {
      const b = builder();
      b.sync(1);
      b.umask(0o22);
      b.sync(2);
      b.ready();
      b.sync(3);
      b.wait_start(2);
      return b;
    };
    for (let op = 0; op < 6; op++) {
      const r = await run(program(), { flags: NEW.pid, arguments: [`failpoint=stop=${op}`, "stop=0"] });
      expect(r.lines.map((l) => l.kind)).toEqual(["exit"]);
      expect(r.status).not.toBe(0);
    }
  });

  it("end init when nobody is left to start it", async () => {
    const b = builder();
    b.ready();
    b.wait_start(2);
    for (const flags of [0, NEW.pid]) {
      const r = await run(b, { flags });
      expect(r.lines.map((l) => l.kind)).toEqual(["ready", "exit"]);
      expect(r.status).not.toBe(0);
    }
  });

  it("of a broken plan are found before anything runs", async () => {
    const b = builder();
    b.make_dir(0xffffffff, join(scratch, "must-not-appear"), 0o755);
    b.close(77);
    const r = await run(b);
    expect(r.failed).toMatchObject({
      op: 1,
      error: 22,
      detail: "the plan is broken: a slot is empty or does not exist",
    });
  });
});

describe("a waiting init", () => {
  it("costs at most 32 KiB", async () => {
    const b = builder();
    b.reset_signals();
    for (let i = 0; i < 300; i++) b.rlimit(7, 1024, 4096);
    b.find_executable("true", "/usr/local/bin:/usr/bin:/bin");
    b.home(0);
    b.ready();
    b.wait_start(2);
    b.execute(
      ["true"],
      Array.from({ length: 500 }, (_, i) => `NAME_OF_VARIABLE_${i}=value of variable ${i}`),
    );
    const r = await run(b, { elf: await productionElf(), flags: NEW.pid, arguments: ["wait=100", "start"] });
    const rss = r.lines.find((l) => l.kind === "memory")?.rss ?? 0;
    expect(rss).toBeGreaterThan(0);
    expect(rss).toBeLessThanOrEqual(32);
    expect(r.status).toBe(0);
    console.log(`resident: ${rss} KiB`);
  });
});

describe("chdir", () => {
  const folder = join(scratch, "private");
  mkdirSync(folder);
  chmodSync(folder, 0o700);

  it("leaves EACCES of an optional one to the next", async () => {
    const b = builder();
    b.set_ids(65534, 65534);
    b.chdir(folder, 1);
    b.chdir(folder, 0);
    expect((await run(b)).failed).toMatchObject({ op: 2, error: 13 });
  });

  it("is done once when the optional one works", async () => {
    const b = builder();
    b.chdir(folder, 1);
    b.set_ids(65534, 65534);
    b.chdir(folder, 0);
    expect((await run(b)).lines.map((l) => l.kind)).toEqual(["exit"]);
  });
});
