// The system call numbers of one architecture as ranges of decisions, with the rule for calls that the profile is too
// old to know (runc's libcontainer/seccomp/patchbpf).

import { actionValue, KILL, RETURN_ENOSYS } from "./actions.ts";
import type { Architecture } from "./architectures.ts";
import { X32_BIT } from "./architectures.ts";
import { argumentsDecision } from "./arguments.ts";
import type { Decision, Decisions } from "./decisions.ts";
import { addRange, emptyRanges, type Ranges } from "./ranges.ts";
import type { Alternative, RuleSet } from "./rules.ts";
import { multiplexedCalls, sharedNumber, syscallNumbers } from "./syscalls.ts";
import type { CompileOptions, Seccomp, SeccompArg } from "./types.ts";

/** Numbers above this are few (arm's private calls): they are sorted, the others have a place each. */
const DENSE = 1024;

/**
 * Whether calls newer than the profile get ENOSYS: only when it would not let them pass anyway (LOG and TRACE count as
 * that) and does not say ENOSYS itself.
 */
export function wantsEnosys(seccomp: Seccomp, options: CompileOptions): boolean {
  if (options.enosys === false) return false;
  const { defaultAction, defaultErrnoRet } = seccomp;
  if (defaultAction === "SCMP_ACT_ALLOW" || defaultAction === "SCMP_ACT_LOG" || defaultAction === "SCMP_ACT_TRACE") {
    return false;
  }
  return !(defaultAction === "SCMP_ACT_ERRNO" && actionValue(defaultAction, defaultErrnoRet) === RETURN_ENOSYS);
}

/** Calls that the architecture also has behind socketcall and ipc, by index: 1. */
export function multiplexedHere(numbers: Int32Array): Uint8Array {
  const here = new Uint8Array(numbers.length);
  const all = multiplexedCalls();
  for (let i = 0; i < all.length; i++) {
    const { call, through } = all[i] as (typeof all)[number];
    if ((numbers[through] as number) >= 0) here[call] = 1;
  }
  return here;
}

/**
 * The largest number that any rule names, with the base; 0 when there is none. libseccomp gives no real number for calls
 * that can go through socketcall or ipc, so runc does not count them.
 */
export function newestNumber(rules: RuleSet, numbers: Int32Array, base: number): number {
  const hidden = multiplexedHere(numbers);
  let newest = 0;
  for (let i = 0; i < numbers.length; i++) {
    const number = numbers[i] as number;
    if (number >= 0 && rules.named[i] === 1 && hidden[i] === 0 && number + base > newest) newest = number + base;
  }
  return newest;
}

/** The rules about a call, in the order of the profile. */
export function rulesOf(rules: RuleSet, index: number): readonly Alternative[] {
  const list = rules.alternatives.get(index);
  if (list !== undefined) return list;
  const always = rules.always[index] as number;
  if (always === 0) return [];
  return [{ args: [], verdict: rules.verdicts[always - 1] as number, rule: always - 1 }];
}

/** The rules about socketcall or ipc: their own, and those about every call behind them. */
export function rulesThrough(rules: RuleSet, through: number): readonly Alternative[] {
  const own = rulesOf(rules, through);
  if (own.some(({ args }) => args.length === 0)) return own;
  const list = [...own];
  const all = multiplexedCalls();
  for (let i = 0; i < all.length; i++) {
    const multiplexed = all[i] as (typeof all)[number];
    if (multiplexed.through !== through) continue;
    const first: SeccompArg = { index: 0, value: BigInt(multiplexed.number), valueTwo: 0n, op: "SCMP_CMP_EQ" };
    for (const { args, verdict, rule } of rulesOf(rules, multiplexed.call)) {
      // The first argument is the number of the call now; the others stay as they are, though they mean something else.
      list.push({ args: [first, ...args.filter(({ index }) => index !== 0)], verdict, rule });
    }
  }
  return list.sort((a, b) => a.rule - b.rule);
}

export interface NumberContext {
  graph: Decisions;
  rules: RuleSet;
  /** What is not in any rule. */
  otherwise: Decision;
  enosys: boolean;
  base: string;
}

/** How often a call of x32 is expected, for one of X86_64. */
const X32_SHARE = 0.25;

/** Appends the architecture's numbers from its base up to `end`, all others in between being `otherwise`. */
function addNumbers(ranges: Ranges, architecture: Architecture, end: number, context: NumberContext): void {
  const { graph, rules, otherwise, enosys } = context;
  const { base, table } = architecture;
  const numbers = syscallNumbers(table);
  const { slots, byRule, special, large } = place(architecture, numbers, context);
  const newest = enosys ? newestNumber(rules, numbers, base) : 0;
  const last = Math.min(DENSE - 1, newest > 0 ? newest - base : end);
  const share = base === X32_BIT ? X32_SHARE : 1;
  addRange(ranges, base === X32_BIT ? base : 0, otherwise, 0);
  for (let number = 0; number <= last; ) {
    const from = number;
    const slot = slots[number] as number;
    while (slots[++number] === slot);
    if (slot === 0) addRange(ranges, base + from, otherwise, 0);
    else {
      const decision = (slot > 0 ? byRule[slot - 1] : special[-slot - 1]) as Decision;
      addRange(ranges, base + from, decision, share * (number - from));
    }
  }
  for (let i = 0; i < large.length; i++) {
    const { number, decision } = large[i] as Large;
    addRange(ranges, base + number, decision, 1);
    addRange(ranges, base + number + 1, otherwise, 0);
  }
  if (newest > 0 && newest + 1 < end) truncate(ranges, newest + 1, graph.verdict(RETURN_ENOSYS));
}

/** setup(2), number 0, stands for calls that the kernel does not know on s390: see runc. */
export const isS390 = ({ audit }: Architecture): boolean => (audit & 0xffff) === 22;

/** From `start` on there is only that. */
function truncate(ranges: Ranges, start: number, decision: Decision): void {
  while ((ranges.starts.at(-1) ?? 0) >= start && ranges.starts.length > 1) {
    ranges.starts.pop();
    ranges.targets.pop();
    ranges.weights.pop();
  }
  addRange(ranges, start, decision, 0);
}

interface Large {
  number: number;
  decision: Decision;
}

/** What the numbers lead to. */
interface Placed {
  /** By number: 0 nothing, from 1 on a rule, from -1 down an element of `special`. */
  slots: Int32Array;
  byRule: readonly Decision[];
  special: readonly Decision[];
  large: readonly Large[];
}

function place(architecture: Architecture, numbers: Int32Array, context: NumberContext): Placed {
  const { graph, rules, otherwise, base } = context;
  const { always, alternatives, verdicts } = rules;
  const slots = new Int32Array(DENSE);
  const byRule = verdicts.map((verdict) => graph.verdict(verdict));
  const special: Decision[] = [];
  const large: Large[] = [];
  for (let i = 0; i < numbers.length; i++) {
    const number = numbers[i] as number;
    const rule = always[i] as number;
    if (number < 0 || rule === 0) continue;
    if (number < DENSE) slots[number] = rule;
    else large.push({ number, decision: byRule[rule - 1] as Decision });
  }
  const decide = (number: number, list: readonly Alternative[]): void => {
    if (number < 0 || list.length === 0) return;
    const decision = argumentsDecision(graph, list, architecture, otherwise, base);
    if (number < DENSE) slots[number] = -special.push(decision);
    else large.push({ number, decision });
  };
  for (const [index, list] of alternatives) decide(numbers[index] as number, list);
  const shared = sharedNumber(numbers);
  if (shared >= 0) decide(shared, rulesOfNumber(rules, numbers, shared));
  const all = multiplexedCalls();
  for (let i = 0, last = -1; i < all.length; i++) {
    const { through } = all[i] as (typeof all)[number];
    if (through !== last) decide(numbers[through] as number, rulesThrough(rules, through));
    last = through;
  }
  large.sort((a, b) => a.number - b.number);
  return { slots, byRule, special, large };
}

/** The rules about every name of a number, in the order of the profile. */
export function rulesOfNumber(rules: RuleSet, numbers: Int32Array, number: number): readonly Alternative[] {
  const found: Alternative[] = [];
  for (let index = numbers.indexOf(number); index >= 0; index = numbers.indexOf(number, index + 1)) {
    found.push(...rulesOf(rules, index));
  }
  return found.sort((a, b) => a.rule - b.rule);
}

const hasNewest = ({ table, base }: Architecture, { rules }: NumberContext): boolean =>
  newestNumber(rules, syscallNumbers(table), base) > 0;

function zeroEnosys(ranges: Ranges, { graph }: NumberContext): void {
  if (ranges.starts[1] === 1) {
    ranges.targets[0] = graph.verdict(RETURN_ENOSYS);
    return;
  }
  ranges.starts.splice(0, 1, 0, 1);
  ranges.targets.unshift(graph.verdict(RETURN_ENOSYS));
  ranges.weights.unshift(1);
}

/** All numbers of one value of `arch`: one architecture, or X86_64 with or without X32. */
export function numberRanges(family: readonly Architecture[], context: NumberContext): Ranges {
  const ranges = emptyRanges();
  const [first, second] = family.length > 1 && family[0]?.base === X32_BIT ? [family[1], family[0]] : family;
  if (first === undefined) return ranges;
  // X32 alone: X86_64's numbers are of an architecture that is not covered.
  if (first.base === X32_BIT) addRange(ranges, 0, context.graph.verdict(KILL), 0);
  if (first.table !== "x86_64") {
    addNumbers(ranges, first, 0x100000000, context);
    if (isS390(first) && context.enosys && hasNewest(first, context)) zeroEnosys(ranges, context);
    return ranges;
  }
  addNumbers(ranges, first, X32_BIT, context);
  if (second !== undefined) {
    addNumbers(ranges, second, 0x100000000, context);
    return ranges;
  }
  // x32's numbers are those of an architecture that is not covered; but -1 is what a tracer skips a call by.
  const kill = context.graph.verdict(KILL);
  addRange(ranges, X32_BIT, kill, 0);
  if (context.enosys && hasNewest(first, context)) {
    // runc's rule looks at that bit alone: without it, a number is one of X86_64, however large.
    addRange(ranges, 2 * X32_BIT, context.graph.verdict(RETURN_ENOSYS), 0);
    addRange(ranges, 3 * X32_BIT, kill, 0);
  }
  addRange(ranges, 0xffffffff, context.otherwise, 0);
  return ranges;
}
