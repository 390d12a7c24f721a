// What is wrong with a seccomp profile as a whole: it makes no filter, or one that refuses what the container needs before its
// program runs.

import type { Config, Issue } from "../config/types.ts";
import { RuntimeError } from "../errors/runtime-error.ts";
import { failsUnknown } from "../plan/seccomp.ts";
import { describeVerdict } from "../seccomp/actions.ts";
import { findArchitecture } from "../seccomp/architectures.ts";
import { compileFilter } from "../seccomp/compile.ts";
import { evaluate } from "../seccomp/evaluate.ts";
import { syscallIndexes, syscallNumbers } from "../seccomp/syscalls.ts";
import type { CompileOptions, Seccomp } from "../seccomp/types.ts";

const ARCH = "SCMP_ARCH_X86_64";
/** Once the filter is loaded: csrc/init/wait.c, op_hook.c. */
const ALWAYS = ["write", "execve"];
const TO_DROP_CAPABILITIES = "capset";
const FOR_HOOKS = ["clone", "pipe2", "fcntl", "read", "close", "dup3", "ppoll", "waitid", "rt_sigaction"];
/** A kind of action that lets the call happen, or leaves it to the agent. Nobody traces init: for TRACE it gets ENOSYS. */
const PASSES: ReadonlySet<string> = new Set(["ALLOW", "LOG", "NOTIFY"]);

/** Issues of a config that is otherwise valid; errors are those that `create` would end with. */
export function seccompIssues(config: Config): Issue[] {
  const { seccomp } = config.linux;
  if (seccomp === undefined) return [];
  const impossible = filterIssue(config, seccomp);
  if (impossible !== undefined) return [impossible];
  const needed: [call: string, why: string][] = ALWAYS.map((call) => [call, "before the program is executed"]);
  if (!config.process.noNewPrivileges) needed.push([TO_DROP_CAPABILITIES, "to drop its capabilities"]);
  if (config.hooks.startContainer.length > 0) {
    for (const call of FOR_HOOKS) needed.push([call, "for startContainer hooks"]);
  }
  const warnings: Issue[] = [];
  for (const [call, why] of needed) {
    const verdict = verdictOn(seccomp, call);
    if (PASSES.has(verdict.split("(")[0] as string)) continue;
    const message = `refuses ${call} (${verdict}), which the container needs ${why}`;
    warnings.push({ kind: "warning", pointer: "/linux/seccomp", message });
  }
  return warnings;
}

function filterIssue(config: Config, seccomp: Seccomp): Issue | undefined {
  try {
    compileFilter(seccomp, { arch: ARCH, failUnknown: failsUnknown(config) });
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    const { pointer = "/linux/seccomp", message } = error.facts;
    return { kind: "invalid", pointer, message };
  }
  return undefined;
}

/** With arguments that no profile has reasons to single out. */
function verdictOn(seccomp: Seccomp, call: string): string {
  const options: CompileOptions = { arch: ARCH };
  const { audit, table } = findArchitecture(ARCH) as NonNullable<ReturnType<typeof findArchitecture>>;
  const number = syscallNumbers(table)[syscallIndexes().get(call) as number] as number;
  const args = call === "clone" ? [0x1011n, 0n, 4096n] : [5n, 4096n, 1n];
  return describeVerdict(evaluate(seccomp, options, audit, number, [...args, 0n, 0n, 0n]).value);
}
