// The rules of a profile by system call, before any architecture is looked at.

import { RuntimeError } from "../errors/runtime-error.ts";
import { actionValue } from "./actions.ts";
import { syscallIndexes, syscallNames } from "./syscalls.ts";
import type { CompileOptions, Seccomp, SeccompArg } from "./types.ts";

/** Conditions that must all hold, and what the filter returns then. */
export interface Alternative {
  /** By argument index; no index twice. None: always. */
  args: readonly SeccompArg[];
  verdict: number;
  /** Index into `syscalls` of the profile. */
  rule: number;
}

export interface RuleSet {
  defaultVerdict: number;
  /** By index of the call: the rule without conditions that comes first, plus one; 0 when there is none. */
  always: Int32Array;
  /** What else comes before that rule, and that rule at the end. */
  alternatives: ReadonlyMap<number, Alternative[]>;
  /** By index of the call: 1 when any rule names it. */
  named: Uint8Array;
  /** JSON pointers to names that no architecture has. */
  unknown: string[];
  /** What each rule returns. */
  verdicts: readonly number[];
}

/** Conditions of all calls together, far more than fit a filter; without a limit names × conditions would fill the memory. */
export const MAX_ALTERNATIVES = 32768;

/** Rules that say what the default says are left out, as runc and crun do: an earlier one shadows nothing. */
export function collectRules(seccomp: Seccomp, options: CompileOptions): RuleSet {
  const indexes = syscallIndexes();
  const count = syscallNames().length;
  const always = new Int32Array(count);
  const named = new Uint8Array(count);
  const alternatives = new Map<number, Alternative[]>();
  const unknown: string[] = [];
  const verdicts: number[] = [];
  let total = 0;
  const defaultVerdict = actionValue(seccomp.defaultAction, seccomp.defaultErrnoRet);
  const { syscalls } = seccomp;
  for (let r = 0; r < syscalls.length; r++) {
    const { names, action, errnoRet, args } = syscalls[r] as (typeof syscalls)[number];
    const verdict = actionValue(action, errnoRet);
    verdicts.push(verdict);
    const counts = verdict !== defaultVerdict;
    const parts = counts ? split(args, verdict, r) : [];
    const plain = parts.length === 1 && (parts[0] as Alternative).args.length === 0;
    for (let n = 0; n < names.length; n++) {
      const index = indexes.get(names[n] as string);
      if (index === undefined) {
        unknown.push(`${options.base ?? "/linux/seccomp"}/syscalls/${r}/names/${n}`);
        continue;
      }
      named[index] = 1;
      if (!counts || always[index] !== 0) continue;
      if (plain) always[index] = r + 1;
      if (plain && !alternatives.has(index)) continue;
      let list = alternatives.get(index);
      // The same name twice in one rule says nothing new.
      if (list !== undefined && (list[list.length - 1] as Alternative).rule === r) continue;
      total += parts.length;
      if (total > MAX_ALTERNATIVES) {
        const pointer = `${options.base ?? "/linux/seccomp"}/syscalls/${r}`;
        throw new RuntimeError({ message: "makes so many conditions that the filter is too long", pointer });
      }
      if (list === undefined) {
        list = [];
        alternatives.set(index, list);
      }
      for (let k = 0; k < parts.length; k++) list.push(parts[k] as Alternative);
    }
  }
  return { defaultVerdict, always, alternatives, named, unknown, verdicts };
}

/** One rule of libseccomp, or one for each condition when two of them are about the same argument (runc, crun). */
function split(args: readonly SeccompArg[], verdict: number, rule: number): Alternative[] {
  let seen = 0;
  for (let i = 0; i < args.length; i++) {
    const bit = 1 << (args[i] as SeccompArg).index;
    if (seen & bit) return args.map((arg) => ({ args: needed([arg]), verdict, rule }));
    seen |= bit;
  }
  return [{ args: needed(args), verdict, rule }];
}

/** Without what is true for any argument, by index. */
function needed(args: readonly SeccompArg[]): readonly SeccompArg[] {
  if (args.length === 0) return args;
  return args.filter((arg) => arg.op !== "SCMP_CMP_MASKED_EQ" || arg.value !== 0n).sort((a, b) => a.index - b.index);
}
