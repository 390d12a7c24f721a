// The rule that calls newer than the profile get ENOSYS, against runc's own filters: runc loads them, strace shows them.

import { spawnSync } from "node:child_process";
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { checkCbpf, runCbpf, seccompData } from "../src/bpf/cbpf-vm.ts";
import { actionNames, actionValue } from "../src/seccomp/actions.ts";
import { architectures } from "../src/seccomp/architectures.ts";
import { compileSeccomp } from "../src/seccomp/index.ts";
import { engineProfiles, oracleNumbers, oracleProgram, resolveProfile } from "../src/seccomp/oracle-support.ts";
import { syscallIndexes, syscallNames, syscallNumbers } from "../src/seccomp/syscalls.ts";
import type { ArchitectureName } from "../src/seccomp/types.ts";

const has = (program: string): boolean => spawnSync(program, ["--version"]).status === 0;
const isPossible =
  process.getuid?.() === 0 &&
  has("runc") &&
  has("strace") &&
  oracleProgram() !== undefined &&
  existsSync("/bin/busybox");
const profile = isPossible ? [...engineProfiles()].find(([name]) => name.startsWith("moby"))?.[1] : undefined;

const folder = mkdtempSync(join(tmpdir(), "berth-seccomp-runc-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const FAMILY: readonly ArchitectureName[] = ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"];

/** Calls that this machine's libseccomp has by the same numbers on all of x86: what is the newest must not differ. */
function sharedCalls(): Set<string> {
  const names = syscallNames();
  const shared = new Set(names);
  for (const name of FAMILY) {
    const { table, base } = architectures().find((known) => known.name === name) as ReturnType<
      typeof architectures
    >[number];
    const numbers = syscallNumbers(table);
    for (const [call, theirs] of oracleNumbers(name, names)) {
      const ours = numbers[syscallIndexes().get(call) as number] as number;
      // From -100 down to -300: behind socketcall or ipc, too. Below: not on this architecture.
      if (theirs > -100 || theirs <= -300) {
        if (Math.max(theirs, -1) !== (ours < 0 ? -1 : ours + base)) shared.delete(call);
      }
    }
  }
  return shared;
}

interface LinuxSeccomp {
  defaultAction: string;
  defaultErrnoRet?: number;
  architectures: string[];
  syscalls: { names: string[]; action: string; errnoRet?: number; args: unknown[] }[];
}

/** moby's default profile with other defaults and architectures. */
function variant(
  defaultAction: string,
  errno: number | undefined,
  archs: readonly string[],
  without: readonly string[],
): LinuxSeccomp {
  const seccomp = resolveProfile(profile as NonNullable<typeof profile>, "SCMP_ARCH_X86_64", []) as LinuxSeccomp;
  const known = sharedCalls();
  seccomp.defaultAction = defaultAction;
  delete seccomp.defaultErrnoRet;
  if (errno !== undefined) seccomp.defaultErrnoRet = errno;
  seccomp.architectures = [...archs];
  for (const rule of seccomp.syscalls)
    rule.names = rule.names.filter((name) => known.has(name) && !without.includes(name));
  return seccomp;
}

let runs = 0;

/** The filter that runc loads. */
function runcFilter(seccomp: LinuxSeccomp): Uint32Array {
  const bundle = join(folder, `bundle${runs}`);
  mkdirSync(join(bundle, "rootfs/bin"), { recursive: true });
  copyFileSync("/bin/busybox", join(bundle, "rootfs/bin/busybox"));
  spawnSync("runc", ["spec"], { cwd: bundle });
  const config = JSON.parse(readFileSync(join(bundle, "config.json"), "utf8"));
  Object.assign(config.process, { terminal: false, args: ["/bin/busybox", "true"] });
  config.linux.seccomp = seccomp;
  writeFileSync(join(bundle, "config.json"), JSON.stringify(config));
  const id = `seccomp-filter-${process.pid}-${runs++}`;
  const trace = join(bundle, "trace");
  const root = join(folder, "root");
  const stdio = ["stdin", "stdout", "stderr"].map((name) => openSync(join(bundle, name), "w+"));
  const strace = ["strace", "-f", "-v", "-e", "trace=seccomp,prctl", "-o", trace];
  spawnSync("timeout", ["40", ...strace, "runc", "--root", root, "run", "--bundle", bundle, id], {
    stdio: stdio as number[],
  });
  spawnSync("timeout", ["20", "runc", "--root", root, "delete", "--force", id], { stdio: stdio as number[] });
  for (const fd of stdio) closeSync(fd);
  const loaded = readFileSync(trace, "utf8")
    .split("\n")
    .findLast((line) => line.includes("filter=["));
  if (loaded === undefined) throw new Error(`runc loaded no filter: ${readFileSync(join(bundle, "stderr"), "utf8")}`);
  return parse(loaded);
}

const CODES: Readonly<Record<string, number>> = {
  "BPF_LD|BPF_W|BPF_ABS": 0x20,
  "BPF_ALU|BPF_K|BPF_AND": 0x54,
  "BPF_JMP|BPF_K|BPF_JA": 0x05,
  "BPF_JMP|BPF_K|BPF_JEQ": 0x15,
  "BPF_JMP|BPF_K|BPF_JGT": 0x25,
  "BPF_JMP|BPF_K|BPF_JGE": 0x35,
  "BPF_JMP|BPF_K|BPF_JSET": 0x45,
  "BPF_RET|BPF_K": 0x06,
};

/** strace's words for an array of struct sock_filter. */
function parse(line: string): Uint32Array {
  const words: number[] = [];
  for (const [, code = "", k = "", jt, jf] of line.matchAll(
    /BPF_(?:STMT|JUMP)\(([A-Z_|]+), ([^,)]+)(?:, (\w+), (\w+))?\)/g,
  )) {
    words.push((CODES[code] ?? 0xffff) | (Number(jt ?? 0) << 16) | (Number(jf ?? 0) << 24), number(k));
  }
  const filter = Uint32Array.from(words, (word) => word >>> 0);
  checkCbpf(filter);
  return filter;
}

function number(text: string): number {
  let value = 0;
  for (const part of text.split("|")) {
    const name = actionNames().find((action) => `SECCOMP_RET_${action.slice("SCMP_ACT_".length)}` === part);
    value |= name === undefined ? Number(part) : actionValue(name, 0);
  }
  return value >>> 0;
}

/** Every number that could matter, with and without arguments that the rules look at. */
function differences(ours: Uint32Array, theirs: Uint32Array): string[] {
  const edges = [0x3fffffff, 0x7fffffff, 0x80000000, 0xc0000000, 0xfffffffe, 0xffffffff];
  const low = Array.from({ length: 1100 }, (_, i) => i);
  const numbers = [...low, ...low.map((n) => n + 0x40000000), ...low.map((n) => n + 0x80000000), ...edges];
  const found: string[] = [];
  for (const audit of new Set(architectures().map((known) => known.audit))) {
    for (const nr of numbers) {
      for (const args of [[], [8n], [40n], [0x10000n], [0x7e020000n]]) {
        const data = seccompData(nr, audit, args);
        const [own, their] = [runCbpf(ours, data).value, runCbpf(theirs, data).value];
        if (own !== their)
          found.push(`0x${audit.toString(16)} ${nr} ${args}: 0x${own.toString(16)}, runc 0x${their.toString(16)}`);
      }
    }
  }
  return found.slice(0, 10);
}

const ALL = FAMILY;
const NEWEST = ["futex_requeue", "futex_wait", "futex_wake", "map_shadow_stack", "fchmodat2", "cachestat"];

describe.skipIf(profile === undefined)("beside the filter that runc loads", () => {
  it.each([
    ["the default profile", "SCMP_ACT_ERRNO", undefined, ALL, []],
    ["x86_64 alone", "SCMP_ACT_ERRNO", 1, ["SCMP_ARCH_X86_64"], []],
    ["another errno", "SCMP_ACT_ERRNO", 13, ALL, []],
    ["x86_64 and x86", "SCMP_ACT_TRAP", undefined, ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"], []],
    ["x86_64 and x32", "SCMP_ACT_ERRNO", 1, ["SCMP_ARCH_X86_64", "SCMP_ARCH_X32"], []],
    ["an older profile", "SCMP_ACT_KILL_PROCESS", undefined, ALL, NEWEST],
    ["a default of ENOSYS", "SCMP_ACT_ERRNO", 38, ALL, []],
    ["a default that lets pass and logs", "SCMP_ACT_LOG", undefined, ALL, []],
    ["a default that lets pass", "SCMP_ACT_ALLOW", undefined, ALL, []],
  ] as const)("%s: no difference", { timeout: 60_000 }, (_name, action, errno, archs, without) => {
    const seccomp = variant(action, errno, archs, without);
    const compiled = compileSeccomp(seccomp, { arch: "SCMP_ARCH_X86_64" });
    expect(differences(compiled?.filter as Uint32Array, runcFilter(seccomp))).toEqual([]);
  });
});
