// A profile becomes a filter: architectures, then numbers, then arguments.

import { Assembler, CODE, MAX_INSTRUCTIONS, type Place } from "../bpf/cbpf.ts";
import { RuntimeError } from "../errors/runtime-error.ts";
import { flagBits, KILL } from "./actions.ts";
import { type Architecture, findArchitecture } from "./architectures.ts";
import { Decisions } from "./decisions.ts";
import { emitRanges } from "./emit.ts";
import { type NumberContext, numberRanges, wantsEnosys } from "./numbers.ts";
import { collectRules } from "./rules.ts";
import type { ArchitectureName, CompiledFilter, CompileOptions, Seccomp } from "./types.ts";

/** Offsets in struct seccomp_data. */
const NR = 0;
const ARCH = 4;

/** seccomp(2) flags by the kernel that has them first, newer than the oldest one that Berth runs on. */
const WAIT_KILLABLE_SINCE: readonly [number, number] = [5, 19];

const where = (options: CompileOptions): string => options.base ?? "/linux/seccomp";

/**
 * Compiles a decoded profile.
 *
 * @throws RuntimeError with a JSON pointer: architectures of another byte order than the machine's, rules that contradict
 *   each other, names that nothing knows (with failUnknown), flags that the kernel does not have, a filter longer than
 *   the kernel takes.
 */
export function compileFilter(seccomp: Seccomp, options: CompileOptions): CompiledFilter {
  checkFlags(seccomp, options);
  const families = coveredFamilies(seccomp, options);
  const rules = collectRules(seccomp, options);
  if (options.failUnknown === true && rules.unknown.length > 0) {
    throw new RuntimeError({ message: "is no system call of any architecture", pointer: rules.unknown[0] as string });
  }
  const graph = new Decisions(where(options));
  const context: NumberContext = {
    graph,
    rules,
    otherwise: graph.verdict(rules.defaultVerdict),
    enosys: wantsEnosys(seccomp, options),
    base: where(options),
  };
  const assembler = new Assembler();
  // From the end: the architecture that is asked for first lies nearest to the question.
  const sections: Place[] = [];
  for (let i = families.length - 1; i >= 0; i--) {
    const ranges = numberRanges(families[i] as Architecture[], context);
    sections[i] = emitRanges(assembler, NR, ranges);
    checkLength(assembler, options);
  }
  let next = assembler.ret(KILL);
  for (let i = families.length - 1; i >= 0; i--) {
    next = assembler.branch(
      CODE.jeq,
      ((families[i] as Architecture[])[0] as Architecture).audit,
      sections[i] as Place,
      next,
    );
  }
  assembler.load(ARCH);
  checkLength(assembler, options);
  const listener = seccomp.syscalls.some(({ action }) => action === "SCMP_ACT_NOTIFY");
  return {
    filter: assembler.finish(),
    flags: flagBits(seccomp.flags, listener),
    listener,
    unknown: rules.unknown,
    work: graph.work,
  };
}

function checkLength({ length }: Assembler, options: CompileOptions): void {
  if (length <= MAX_INSTRUCTIONS) return;
  throw new RuntimeError({
    message: `makes a filter of at least ${length} instructions; the kernel takes ${MAX_INSTRUCTIONS}`,
    pointer: where(options),
  });
}

/** The machine's architecture and those of the profile; X86_64 and X32 are one for the kernel. */
export function coveredFamilies(seccomp: Seccomp, options: CompileOptions): Architecture[][] {
  const native = named(options.arch);
  const families: Architecture[][] = [[native]];
  for (let i = 0; i < seccomp.architectures.length; i++) {
    const architecture = named(seccomp.architectures[i] as ArchitectureName);
    if (architecture.bigEndian !== native.bigEndian) {
      throw new RuntimeError({
        message: `${architecture.name} has another byte order than this machine's ${native.name}`,
        pointer: `${where(options)}/architectures/${i}`,
      });
    }
    const family = families.find((known) => known[0]?.audit === architecture.audit);
    if (family === undefined) families.push([architecture]);
    else if (!family.includes(architecture)) family.push(architecture);
  }
  return families;
}

function named(name: string): Architecture {
  const architecture = findArchitecture(name);
  if (architecture === undefined) throw new RuntimeError({ message: `there is no architecture ${name}` });
  return architecture;
}

function checkFlags(seccomp: Seccomp, options: CompileOptions): void {
  const at = seccomp.flags?.indexOf("SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV") ?? -1;
  if (at < 0 || options.kernel === undefined) return;
  const [major, minor] = options.kernel;
  const [since, sinceMinor] = WAIT_KILLABLE_SINCE;
  if (major > since || (major === since && minor >= sinceMinor)) return;
  throw new RuntimeError({
    message: `needs Linux ${since}.${sinceMinor} or newer`,
    pointer: `${where(options)}/flags/${at}`,
  });
}

/** The filter as bytes for a machine of that byte order: struct sock_filter is u16 code, u8 jt, u8 jf, u32 k. */
export function filterBytes(filter: Uint32Array, bigEndian: boolean): Uint8Array {
  const bytes = new Uint8Array(filter.length * 4);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < filter.length; i += 2) {
    const first = filter[i] as number;
    view.setUint16(4 * i, first & 0xffff, !bigEndian);
    view.setUint8(4 * i + 2, (first >>> 16) & 0xff);
    view.setUint8(4 * i + 3, first >>> 24);
    view.setUint32(4 * i + 4, filter[i + 1] as number, !bigEndian);
  }
  return bytes;
}
