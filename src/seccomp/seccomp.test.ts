import { describe, expect, it } from "vitest";
import { disassembleCbpf } from "../bpf/cbpf-disassemble.ts";
import { checkCbpf, runCbpf, seccompData } from "../bpf/cbpf-vm.ts";
import { Context } from "../config/context.ts";
import { RuntimeError } from "../errors/runtime-error.ts";
import { architectures } from "./architectures.ts";
import { decodeSeccomp } from "./decode.ts";
import { describeProfile } from "./describe.ts";
import { compileSeccomp, filterBytes, readProfile } from "./index.ts";
import { syscallIndexes, syscallNames, syscallNumbers } from "./syscalls.ts";
import type { CompiledFilter, CompileOptions } from "./types.ts";

const X86_64 = 0xc000003e;
const ALLOW = 0x7fff0000;
const options: CompileOptions = { arch: "SCMP_ARCH_X86_64" };

const compile = (profile: unknown, more: Partial<CompileOptions> = {}): CompiledFilter =>
  compileSeccomp(profile, { ...options, ...more }) as CompiledFilter;
const verdict = (profile: unknown, nr: number, args: bigint[] = [], more: Partial<CompileOptions> = {}): number =>
  runCbpf(compile(profile, more).filter, seccompData(nr, X86_64, args)).value;
const rule = (names: string[], action = "SCMP_ACT_ALLOW", more = {}): unknown => ({ names, action, ...more });

/** "pointer: message" of every issue. */
function issues(value: unknown): string[] {
  const context = new Context(true);
  decodeSeccomp(context, value);
  return context.issues.map(({ pointer, message }) => `${pointer}: ${message}`);
}

/** The pointer of the error. */
function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof RuntimeError) return error.facts.pointer ?? error.message;
    throw error;
  }
  return "accepted";
}

describe("linux.seccomp", () => {
  it("says what is wrong and where", () => {
    const wrong = {
      defaultAction: "SCMP_ACT_NONE",
      defaultErrnoRet: 70000,
      architectures: ["SCMP_ARCH_X86_64", "amd64"],
      flags: ["SECCOMP_FILTER_FLAG_NEW"],
      listenerMetadata: "x",
      syscalls: [
        { names: ["read", ""], action: "SCMP_ACT_ALLOW", errnoRet: 1 },
        { names: ["write"], action: "SCMP_ACT_NOTIFY" },
        { action: "", args: [{ index: 6, value: -1, op: "EQ" }, { value: 1 }] },
      ],
    };
    expect(issues(wrong).map((line) => line.split(":")[0])).toEqual([
      "/syscalls/0/names/1",
      "/syscalls/0/errnoRet",
      "/syscalls/1/names/0",
      "/syscalls/2/names",
      "/syscalls/2/action",
      "/syscalls/2/args/0/index",
      "/syscalls/2/args/0/op",
      "/syscalls/2/args/0/value",
      "/syscalls/2/args/1/index",
      "/syscalls/2/args/1/op",
      "/defaultAction",
      "/defaultErrnoRet",
      "/architectures/1",
      "/flags/0",
      "/listenerMetadata",
    ]);
  });

  it("is nothing without an action and rules, and needs an action with them", () => {
    expect(readProfile({})).toBeUndefined();
    expect(issues({ syscalls: [rule(["read"])] })).toEqual(["/defaultAction: is required"]);
  });

  it("may not notify by default: nothing could start", () => {
    expect(refusal(() => readProfile({ defaultAction: "SCMP_ACT_NOTIFY" }))).toBe("/linux/seccomp/defaultAction");
  });
});

describe("compileSeccomp", () => {
  const errno = { defaultAction: "SCMP_ACT_ERRNO" };

  it("knows every action and its errno", () => {
    const names = ["ALLOW", "ERRNO", "KILL", "KILL_PROCESS", "KILL_THREAD", "LOG", "NOTIFY", "TRACE", "TRAP"];
    const calls = ["read", "open", "close", "stat", "fstat", "lstat", "poll", "lseek", "mmap"];
    const syscalls = names.map((name, i) => rule([calls[i] as string], `SCMP_ACT_${name}`));
    const numbers = calls.map((call) => syscallNumbers("x86_64")[syscallIndexes().get(call) as number] as number);
    const found = numbers.map((nr) => verdict({ defaultAction: "SCMP_ACT_ERRNO", defaultErrnoRet: 9, syscalls }, nr));
    expect(found).toEqual([0x7fff0000, 0x00050001, 0, 0x80000000, 0, 0x7ffc0000, 0x7fc00000, 0x7ff00001, 0x00030000]);
    expect(verdict({ ...errno, syscalls: [rule(["read"], "SCMP_ACT_TRACE", { errnoRet: 77 })] }, 0)).toBe(0x7ff0004d);
  });

  it("covers the machine's architecture though the profile names none; others are killed", () => {
    const profile = { ...errno, syscalls: [rule(["read"])] };
    const named = { ...profile, architectures: ["SCMP_ARCH_X86_64"] };
    expect(compile(profile).filter).toEqual(compile(named).filter);
    expect(runCbpf(compile(profile).filter, seccompData(0, 0x40000003, [])).value).toBe(0);
  });

  it("gives flags, and a listener to whoever notifies", () => {
    expect(compile(errno)).toMatchObject({ flags: 4, listener: false });
    expect(compile({ ...errno, flags: [] })).toMatchObject({ flags: 0 });
    const flags = ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"];
    const notifying = { ...errno, flags, syscalls: [rule(["mount"], "SCMP_ACT_NOTIFY")] };
    expect(compile(notifying)).toMatchObject({ flags: 2 | 8 | 32, listener: true });
    expect(refusal(() => compile(notifying, { kernel: [5, 18] }))).toBe("/linux/seccomp/flags/2");
    expect(refusal(() => compile(notifying, { kernel: [6, 1] }))).toBe("accepted");
  });

  it("skips unknown names and says so, or refuses them", () => {
    const profile = { ...errno, syscalls: [rule(["read", "frobnicate"])] };
    expect(compile(profile).unknown).toEqual(["/linux/seccomp/syscalls/0/names/1"]);
    expect(refusal(() => compile(profile, { failUnknown: true }))).toBe("/linux/seccomp/syscalls/0/names/1");
  });

  it("refuses architectures of the other byte order, at their place", () => {
    const profile = { ...errno, architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_S390X"] };
    expect(refusal(() => compile(profile))).toBe("/linux/seccomp/architectures/1");
  });

  it("takes conditions on one argument twice for two rules", () => {
    const args = [
      { index: 0, value: 1, op: "SCMP_CMP_EQ" },
      { index: 0, value: 2, op: "SCMP_CMP_EQ" },
    ];
    const profile = { ...errno, syscalls: [rule(["read"], "SCMP_ACT_ALLOW", { args })] };
    expect([1n, 2n, 3n].map((arg) => verdict(profile, 0, [arg]))).toEqual([ALLOW, ALLOW, 0x50001]);
  });

  it("lets no rule that repeats the default hide a later one", () => {
    const profile = { ...errno, syscalls: [rule(["read"], "SCMP_ACT_ERRNO"), rule(["read"])] };
    expect(verdict(profile, 0)).toBe(ALLOW);
  });

  it("compares all 64 bits", () => {
    const args = [{ index: 1, value: 0x1_0000_0001n, op: "SCMP_CMP_GE" }];
    const profile = { ...errno, syscalls: [rule(["read"], "SCMP_ACT_ALLOW", { args })] };
    const found = [0x1_0000_0000n, 0x1_0000_0001n, 0x2_0000_0000n, 1n].map((arg) => verdict(profile, 0, [0n, arg]));
    expect(found).toEqual([0x50001, ALLOW, ALLOW, 0x50001]);
  });

  it("refuses a filter longer than the kernel takes, and soon", () => {
    const values = Array.from({ length: 3000 }, (_, i) => ({ index: i % 6, value: i * 7919, op: "SCMP_CMP_EQ" }));
    const syscalls = values.map((arg) => rule(["read", "write"], "SCMP_ACT_ALLOW", { args: [arg] }));
    const message = (): string => {
      try {
        return `${compile({ ...errno, syscalls }).filter.length / 2}`;
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(message()).toContain("instructions");
  });

  it("writes bytes for both byte orders", () => {
    const bytes = filterBytes(Uint32Array.of(0x02010015, 0x01020304), true);
    expect([...bytes]).toEqual([0, 0x15, 1, 2, 1, 2, 3, 4]);
    expect([...filterBytes(Uint32Array.of(0x02010015, 0x01020304), false)]).toEqual([0x15, 0, 1, 2, 4, 3, 2, 1]);
  });

  it("can be described: flags, architectures, calls, conditions", () => {
    const args = [{ index: 0, value: 0x7e020000, valueTwo: 0, op: "SCMP_CMP_MASKED_EQ" }];
    const profile = readProfile({ ...errno, syscalls: [rule(["read"]), rule(["clone"], "SCMP_ACT_ALLOW", { args })] });
    expect(describeProfile(profile as NonNullable<typeof profile>, options)).toEqual([
      "flags 0x4",
      "X86_64: default ERRNO(1), calls above 56 ERRNO(38)",
      "ALLOW: read",
      "clone: ALLOW if args[0] & 0x7e020000 == 0",
    ]);
  });
});

describe("the tables of system calls", () => {
  it("have a name once, and numbers that differ but for arm's sync_file_range2", () => {
    expect(new Set(syscallNames()).size).toBe(syscallNames().length);
    for (const table of new Set(architectures().map((architecture) => architecture.table))) {
      const numbers = [...syscallNumbers(table)].filter((number) => number >= 0);
      expect(numbers.length).toBeGreaterThan(300);
      expect(numbers.length - new Set(numbers).size, table).toBe(table === "arm" ? 1 : 0);
      // numbers.ts has a place each below that.
      expect(
        numbers.filter((number) => number >= 1024 && number < 983041),
        table,
      ).toEqual([]);
    }
  });
});

describe("a classic BPF program", () => {
  it("is checked as the kernel does", () => {
    const messages = [[0x06, 0, 0x20, 0], [0x20, 64, 0x06, 0], [0x05, 1, 0x06, 0], [0x07, 0, 0x06, 0], []].map(
      (words) => refusal(() => checkCbpf(Uint32Array.from(words))),
    );
    expect(messages).toEqual([
      "instruction 1 is no return",
      "instruction 0 loads outside the data",
      "instruction 0 jumps past the end",
      "instruction 0 has an unknown code",
      "a filter has 1 to 4096 instructions, got 0",
    ]);
  });

  it("reads as words", () => {
    const words = Uint32Array.of(0x20, 4, 0x01000015, 0xc000003e, 0x06, 0, 0x06, 0x7fff0000);
    expect(disassembleCbpf(words)).toEqual([
      "0: A = arch",
      "1: if A == 0xc000003e goto 2 else 3",
      "2: return 0x0",
      "3: return 0x7fff0000",
    ]);
  });
});
