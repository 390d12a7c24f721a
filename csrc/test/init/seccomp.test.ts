import { Buffer } from "node:buffer";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { PlanBuilder } from "../../../src/plan/builder.ts";
import { NONE } from "../../../src/plan/protocol.ts";
import { builder, productionElf, type Result, run, scratch, useInit } from "./support.ts";

useInit();

const ALLOW = 0x7fff0000;
const RET = 0x06;
const CAP_SYS_ADMIN = 1n << 21n;
const NEW_LISTENER = 8;
const CAPSET = 126;
const EPERM = 1;
const EACCES = 13;
const EINVAL = 22;
const EPROTO = 71;

let files = 0;
/** A file with a filter of so many instructions, all of which let pass. */
function filter(instructions: number, extra = 0): string {
  const words = new Uint32Array(2 * instructions);
  for (let i = 0; i < instructions; i++) words.set([RET, ALLOW], 2 * i);
  return file(Buffer.concat([Buffer.from(words.buffer), Buffer.alloc(extra)]));
}

function file(bytes: Uint8Array): string {
  const path = join(scratch, `filter${files++}`);
  writeFileSync(path, bytes);
  return `filter=${path}`;
}

/** EPERM for that call. */
function refusing(number: number): string {
  const load = [0x20, 0];
  const unless = [0x15 | (1 << 24), number];
  return file(Buffer.from(Uint32Array.from([...load, ...unless, RET, 0x50000 | EPERM, RET, ALLOW]).buffer));
}

interface Wait {
  flags?: number;
  privileged?: number;
}

/** A program that receives a filter, waits with it for start, and runs a shell. */
function waiting(script: string, { flags = 0, privileged = 0 }: Wait = {}): PlanBuilder {
  const b = builder();
  b.receive_filter();
  if (privileged === 0) b.no_new_privs();
  b.find_executable("/bin/sh", "");
  b.reserve_launch(10);
  b.filter_and_wait(flags, privileged, 0n, 0n, 0n, NONE, 2);
  b.execute(["sh", "-c", script], ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]);
  return b;
}

const STATUS = "grep -E '^(Seccomp|CapEff):' /proc/self/status | tr -d '\\t'";

describe("a filter", () => {
  it("is loaded before init waits, and is in force in the program", async () => {
    const r = await run(waiting(STATUS), { arguments: [filter(1), "start"] });
    expect(r.lines.map(({ kind }) => kind)).toEqual(["ready", "started", "exit"]);
    expect(r.output).toMatch(/Seccomp:2/);
  });

  it("is loaded with CAP_SYS_ADMIN without no_new_privs, which is gone then", async () => {
    const b = builder();
    b.receive_filter();
    b.keep_caps(1);
    b.set_ids(1000, 1000);
    b.keep_caps(0);
    b.set_caps(0n, CAP_SYS_ADMIN, 0n, 0);
    b.find_executable("/bin/sh", "");
    b.filter_and_wait(0, 1, 0n, 0n, 0n, NONE, 2);
    b.execute(["sh", "-c", STATUS], ["PATH=/usr/bin:/bin"]);
    const r = await run(b, { arguments: [filter(1), "start"] });
    expect(r.output).toBe("CapEff:0000000000000000\nSeccomp:2\n");
  });

  it("is not loaded without both, and the reason is said", async () => {
    const b = builder();
    b.receive_filter();
    b.set_caps(0n, 0n, 0n, 0);
    b.filter_and_wait(0, 1, 0n, 0n, 0n, NONE, 2);
    const { failed } = await run(b, { arguments: [filter(1)] });
    expect(failed).toMatchObject({ op: 2, error: EACCES, detail: "without noNewPrivileges it needs CAP_SYS_ADMIN" });
  });

  it("that the kernel refuses is an error", async () => {
    const { failed } = await run(waiting(""), { arguments: [file(Buffer.alloc(8, 0xff))] });
    expect(failed).toMatchObject({
      op: 4,
      error: EINVAL,
      detail: "the kernel does not take this filter, or one of its flags",
    });
  });

  it("that refuses what is still to be done is an error that can be told", async () => {
    const { failed, status } = await run(waiting("", { privileged: 1 }), { arguments: [refusing(CAPSET)] });
    expect(failed).toMatchObject({ op: 3, error: EPERM, detail: expect.stringContaining("the filter itself refuses") });
    expect(status).toBe(1);
  });

  it("with a listener tells its number first", async () => {
    const r = await run(waiting("", { flags: NEW_LISTENER, privileged: 1 }), { arguments: [filter(1), "start"] });
    expect(r.lines.map(({ kind }) => kind)).toEqual(["listener", "ready", "started", "exit"]);
    expect(r.lines[0]?.value).toBeGreaterThan(2);
  });

  it("may be as long as the kernel takes", async () => {
    const r = await run(waiting("echo fine"), { arguments: [filter(4096), "start"] });
    expect(r.output).toBe("fine\n");
  });

  const BAD: readonly [string, () => string][] = [
    ["one instruction longer", () => filter(4097)],
    ["much longer", () => filter(5000)],
    ["not a whole number of instructions", () => filter(2, 4)],
  ];
  for (const [title, make] of BAD) {
    it(`${title} is refused`, async () => {
      const { failed } = await run(waiting(""), { arguments: [make()] });
      expect(failed).toMatchObject({ op: 0, error: EPROTO, detail: "the runtime sent no filter" });
    });
  }

  it("that was never received cannot be waited with", async () => {
    const b = builder();
    b.filter_and_wait(0, 0, 0n, 0n, 0n, NONE, 2);
    expect((await run(b)).failed).toMatchObject({ op: 0, error: EINVAL, detail: "no filter was received" });
  });

  it("that does not come ends init without a word", async () => {
    const b = builder();
    b.sync(1);
    b.receive_filter();
    const r = await run(b, { arguments: ["stop=1"] });
    expect(r.lines.map(({ kind }) => kind)).toEqual(["barrier", "exit"]);
    expect(r.status).toBe(1);
  });

  const rss = (r: Result): number => r.lines.find(({ kind }) => kind === "memory")?.rss ?? 1e9;

  it("costs the waiting init the pages that it fills, nothing else", async () => {
    const elf = await productionElf();
    const small = rss(await run(waiting(""), { elf, arguments: [filter(300), "wait=50"] }));
    expect(small).toBeLessThanOrEqual(32);
    const large = rss(await run(waiting(""), { elf, arguments: [filter(4096), "wait=50"] }));
    // The pages of the file count as the kernel maps them around a fault.
    expect(large - small).toBeLessThanOrEqual(36);
    expect(large - small).toBeGreaterThanOrEqual(20);
  });
});

describe("reserve_launch", () => {
  it("is enough for as many pointers as it says, and what needs more has its own", async () => {
    for (const count of [0, 1, 3000]) {
      const b = builder();
      b.find_executable("/bin/sh", "");
      b.reserve_launch(count);
      b.ready();
      b.wait_start(2);
      b.execute(["sh", "-c", 'echo "$#"', "sh", ...Array.from({ length: 1000 }, () => "x")], ["A=b"]);
      expect((await run(b, { arguments: ["start"] })).output).toBe("1000\n");
    }
  });
});
