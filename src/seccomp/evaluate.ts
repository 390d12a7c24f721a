// What a profile says about one call, read rule by rule without any filter: `berth seccomp explain`, and the measure that
// compiled filters are tested against.

import { actionValue, KILL, RETURN_ENOSYS } from "./actions.ts";
import { type Architecture, findArchitecture, X32_BIT } from "./architectures.ts";
import { low } from "./conditions.ts";
import { isS390, newestNumber, rulesOfNumber, rulesThrough, wantsEnosys } from "./numbers.ts";
import { inOrder } from "./precedence.ts";
import { type Alternative, collectRules, type RuleSet } from "./rules.ts";
import { multiplexedCalls, syscallNames, syscallNumbers } from "./syscalls.ts";
import type { CompileOptions, Seccomp, SeccompArg } from "./types.ts";

export interface Judgement {
  /** What seccomp(2) gets. */
  value: number;
  /** Why: a rule of the profile, the default, a call newer than the profile, an architecture that it does not cover. */
  reason: "rule" | "default" | "enosys" | "architecture";
  /** Index of the rule. */
  rule?: number;
  /** The name of the call, where the architecture has one. */
  name?: string;
}

/** @param audit AUDIT_ARCH_ value, as in struct seccomp_data. */
export function evaluate(
  seccomp: Seccomp,
  options: CompileOptions,
  audit: number,
  nr: number,
  args: readonly bigint[],
): Judgement {
  const covered = [options.arch, ...seccomp.architectures]
    .map((name) => findArchitecture(name) as Architecture)
    .filter((architecture) => architecture.audit === audit);
  if (covered.length === 0) return { value: KILL, reason: "architecture" };
  const rules = collectRules(seccomp, options);
  const fallback: Judgement = {
    value: actionValue(seccomp.defaultAction, seccomp.defaultErrnoRet),
    reason: "default",
  };
  const x32 = covered.find(({ base }) => base === X32_BIT);
  const isX86 = covered.some(({ table }) => table === "x86_64");
  const architecture = isX86 || x32 ? (nr >= X32_BIT ? x32 : covered.find(({ base }) => base !== X32_BIT)) : covered[0];
  if (architecture === undefined) {
    // runc's rule for newer calls takes the bit of x32 alone for x32.
    const native = covered[0] as Architecture;
    const isNewer = nr >= X32_BIT && (nr & X32_BIT) === 0 && wantsEnosys(seccomp, options);
    if (isNewer && newestNumber(rules, syscallNumbers(native.table), native.base) > 0) {
      return { value: RETURN_ENOSYS, reason: "enosys" };
    }
    return nr === 0xffffffff ? fallback : { value: KILL, reason: "architecture" };
  }
  const numbers = syscallNumbers(architecture.table);
  if (wantsEnosys(seccomp, options)) {
    const newest = newestNumber(rules, numbers, architecture.base);
    const isSetup = isS390(architecture) && nr === 0;
    if (newest > 0 && (nr > newest || isSetup)) return { value: RETURN_ENOSYS, reason: "enosys" };
  }
  const index = numbers.indexOf(nr - architecture.base);
  if (nr < architecture.base || index < 0) return fallback;
  return {
    ...judge(rulesHere(rules, index, numbers), architecture, args, options, fallback),
    name: syscallNames()[index] as string,
  };
}

/** All rules about the number, those about calls behind it among them. */
function rulesHere(rules: RuleSet, index: number, numbers: Int32Array): readonly Alternative[] {
  if (multiplexedCalls().some(({ through }) => through === index)) return rulesThrough(rules, index);
  return rulesOfNumber(rules, numbers, numbers[index] as number);
}

function judge(
  list: readonly Alternative[],
  { wide }: Architecture,
  args: readonly bigint[],
  options: CompileOptions,
  fallback: Judgement,
): Judgement {
  const rules = list.map((rule) => ({
    ...rule,
    args: rule.args.filter(
      (arg) => arg.op !== "SCMP_CMP_MASKED_EQ" || (wide ? arg.value !== 0n : low(arg.value) !== 0),
    ),
  }));
  const plain = rules.find((rule) => rule.args.length === 0);
  const ordered = plain ? [plain] : rules.length > 0 ? inOrder(rules, wide, options.base ?? "/linux/seccomp") : [];
  const found = ordered.find((rule) => rule.args.every((arg) => holds(arg, args[arg.index] ?? 0n, wide)));
  return found === undefined ? fallback : { value: found.verdict, reason: "rule", rule: found.rule };
}

/** Whether a condition holds; narrow architectures compare the low halves only. */
export function holds({ op, value, valueTwo }: SeccompArg, argument: bigint, wide: boolean): boolean {
  const bits = wide ? 64 : 32;
  const a = BigInt.asUintN(bits, argument);
  const b = BigInt.asUintN(bits, value);
  switch (op) {
    case "SCMP_CMP_EQ":
      return a === b;
    case "SCMP_CMP_NE":
      return a !== b;
    case "SCMP_CMP_LT":
      return a < b;
    case "SCMP_CMP_LE":
      return a <= b;
    case "SCMP_CMP_GT":
      return a > b;
    case "SCMP_CMP_GE":
      return a >= b;
    case "SCMP_CMP_MASKED_EQ":
      return (a & b) === (BigInt.asUintN(bits, valueTwo) & b);
  }
}
