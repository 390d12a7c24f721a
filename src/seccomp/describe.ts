// A profile's decisions as a table for people.

import { describeVerdict, flagBits } from "./actions.ts";
import { coveredFamilies } from "./compile.ts";
import { newestNumber, rulesOf, wantsEnosys } from "./numbers.ts";
import { type Alternative, collectRules, type RuleSet } from "./rules.ts";
import { syscallNames, syscallNumbers } from "./syscalls.ts";
import type { CompileOptions, Seccomp, SeccompArg } from "./types.ts";

const SIGNS: Readonly<Record<SeccompArg["op"], string>> = {
  SCMP_CMP_NE: "!=",
  SCMP_CMP_LT: "<",
  SCMP_CMP_LE: "<=",
  SCMP_CMP_EQ: "==",
  SCMP_CMP_GE: ">=",
  SCMP_CMP_GT: ">",
  SCMP_CMP_MASKED_EQ: "==",
};

const number = (value: bigint): string => (value > 4095n ? `0x${value.toString(16)}` : `${value}`);

/** `args[0] & 0x7e020000 == 0`. */
export function describeArg({ index, op, value, valueTwo }: SeccompArg): string {
  if (op !== "SCMP_CMP_MASKED_EQ") return `args[${index}] ${SIGNS[op]} ${number(value)}`;
  return `args[${index}] & ${number(value)} == ${number(valueTwo & value)}`;
}

const describeRule = ({ args, verdict }: Alternative): string =>
  `${describeVerdict(verdict)}${args.length === 0 ? "" : ` if ${args.map(describeArg).join(" and ")}`}`;

/** One line: `X86_64: default ERRNO(1), calls above 462 ERRNO(38)`, for each architecture. */
function describeArchitectures(seccomp: Seccomp, options: CompileOptions, rules: RuleSet): string[] {
  const enosys = wantsEnosys(seccomp, options);
  return coveredFamilies(seccomp, options)
    .flat()
    .map(({ name, table, base }) => {
      const newest = enosys ? newestNumber(rules, syscallNumbers(table), base) : 0;
      const newer = newest > 0 ? `, calls above ${newest} ERRNO(38)` : "";
      return `${name.slice("SCMP_ARCH_".length)}: default ${describeVerdict(rules.defaultVerdict)}${newer}`;
    });
}

/**
 * The decision table of a profile, a line each: flags, architectures, what is decided by the call alone, what by its
 * arguments, names that are skipped.
 */
export function describeProfile(seccomp: Seccomp, options: CompileOptions): string[] {
  const rules = collectRules(seccomp, options);
  const names = syscallNames();
  const plain = new Map<number, string[]>();
  const conditional: string[] = [];
  for (let index = 0; index < names.length; index++) {
    const name = names[index] as string;
    const list = rulesOf(rules, index);
    const first = list[0];
    if (first === undefined) continue;
    const always = list.find(({ args }) => args.length === 0);
    if (always === undefined) conditional.push(`${name}: ${list.map(describeRule).join("; ")}`);
    else plain.set(always.verdict, [...(plain.get(always.verdict) ?? []), name]);
  }
  const listener = seccomp.syscalls.some(({ action }) => action === "SCMP_ACT_NOTIFY");
  const lines = [`flags 0x${flagBits(seccomp.flags, listener).toString(16)}`];
  lines.push(...describeArchitectures(seccomp, options, rules));
  for (const [verdict, calls] of plain) lines.push(`${describeVerdict(verdict)}: ${calls.sort().join(" ")}`);
  lines.push(...conditional.sort());
  if (rules.unknown.length > 0) lines.push(`no such call: ${rules.unknown.map((at) => nameAt(seccomp, at)).join(" ")}`);
  return lines;
}

/** The name at a pointer that ends in /syscalls/R/names/N. */
function nameAt(seccomp: Seccomp, at: string): string {
  const parts = at.split("/");
  return seccomp.syscalls[Number(parts.at(-3))]?.names[Number(parts.at(-1))] ?? "";
}
