// `berth/seccomp`: compiles OCI seccomp profiles (linux.seccomp of config.json) to the classic BPF that seccomp(2) takes,
// without libseccomp. It needs nothing but ECMAScript.

import { Context } from "../config/context.ts";
import { RuntimeError } from "../errors/runtime-error.ts";
import { compileFilter } from "./compile.ts";
import { decodeSeccomp } from "./decode.ts";
import type { CompiledFilter, CompileOptions, Seccomp } from "./types.ts";

export { disassembleCbpf } from "../bpf/cbpf-disassemble.ts";
export { checkCbpf, runCbpf, seccompData } from "../bpf/cbpf-vm.ts";
export { actionNames, describeVerdict, flagNames } from "./actions.ts";
export { architectures } from "./architectures.ts";
export { compileFilter, filterBytes } from "./compile.ts";
export { operatorNames } from "./decode.ts";
export { evaluate } from "./evaluate.ts";
export type * from "./types.ts";

/**
 * Reads a linux.seccomp object as JSON.parse gives it. Numbers that need more than 53 bits come as bigint.
 *
 * @throws RuntimeError with the JSON pointer of the first thing that is wrong; undefined when there is no profile.
 */
export function readProfile(value: unknown, base = "/linux/seccomp"): Seccomp | undefined {
  const context = new Context(true);
  const seccomp = decodeSeccomp(context, value);
  const issue = context.issues.find(({ kind }) => kind !== "warning");
  if (issue !== undefined) throw new RuntimeError({ message: issue.message, pointer: base + issue.pointer });
  return seccomp;
}

/**
 * Compiles a linux.seccomp object for a machine; see CompileOptions and CompiledFilter.
 *
 * @throws RuntimeError with the JSON pointer of what is wrong.
 */
export function compileSeccomp(value: unknown, options: CompileOptions): CompiledFilter | undefined {
  const seccomp = readProfile(value, options.base);
  return seccomp && compileFilter(seccomp, options);
}
