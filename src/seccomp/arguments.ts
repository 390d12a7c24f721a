// The rules of one system call as a decision on its arguments.

import type { Architecture } from "./architectures.ts";
import { conditionDecision, high, isAlwaysTrue, low, wordsOf } from "./conditions.ts";
import type { Decision, Decisions, Fact } from "./decisions.ts";
import { inOrder } from "./precedence.ts";
import { addRange, emptyRanges, rangesDecision } from "./ranges.ts";
import type { Alternative } from "./rules.ts";
import type { SeccompArg } from "./types.ts";

const NO_FACTS: readonly Fact[] = [];

/** The decision for a call of which these rules are known, in the order of the profile. */
export function argumentsDecision(
  graph: Decisions,
  rules: readonly Alternative[],
  architecture: Architecture,
  otherwise: Decision,
  base: string,
): Decision {
  const { wide } = architecture;
  // They are sorted, too.
  graph.spend(rules.length * (40 - Math.clz32(rules.length)));
  const list = rules.map((rule) => ({ ...rule, args: rule.args.filter((arg) => !isAlwaysTrue(arg, wide)) }));
  const plain = list.find(({ args }) => args.length === 0);
  if (plain !== undefined) return graph.verdict(plain.verdict);
  const ordered = inOrder(list, wide, base);
  if (isOneArgument(ordered)) return rangeDecision(graph, ordered, architecture, otherwise);
  let rest = otherwise;
  for (let i = ordered.length - 1; i >= 0; i--)
    rest = ruleDecision(graph, ordered[i] as Alternative, architecture, rest);
  return rest;
}

/** One rule; where it does not hold, `rest` decides. */
function ruleDecision(graph: Decisions, rule: Alternative, architecture: Architecture, rest: Decision): Decision {
  const verdict = graph.verdict(rule.verdict);
  const from = (i: number, facts: readonly Fact[]): Decision => {
    const arg = rule.args[i];
    if (arg === undefined) return verdict;
    return conditionDecision(
      graph,
      arg,
      architecture,
      facts,
      (known) => from(i + 1, known),
      (known) => graph.follow(rest, known),
    );
  };
  return from(0, NO_FACTS);
}

/** Rules with one comparison each, all of one argument: they cut its 64-bit line into ranges. */
function isOneArgument(rules: readonly Alternative[]): boolean {
  const index = rules[0]?.args[0]?.index;
  return rules.every(
    ({ args }) => args.length === 1 && args[0]?.index === index && args[0]?.op !== "SCMP_CMP_MASKED_EQ",
  );
}

const MAX64 = 0xffffffffffffffffn;
const MAX32 = 0xffffffffn;

function rangeDecision(
  graph: Decisions,
  rules: readonly Alternative[],
  architecture: Architecture,
  otherwise: Decision,
): Decision {
  const max = architecture.wide ? MAX64 : MAX32;
  const args = rules.map((rule) => ({ op: rule.args[0]?.op, value: (rule.args[0] as SeccompArg).value & max }));
  const cuts = new Set<bigint>([0n]);
  for (const { value } of args) {
    cuts.add(value);
    if (value < max) cuts.add(value + 1n);
  }
  const starts = [...cuts].sort((a, b) => (a < b ? -1 : 1));
  const targets = rangeTargets(graph, rules, args, starts, otherwise);
  const words = wordsOf(((rules[0] as Alternative).args[0] as SeccompArg).index, architecture);
  return words.high === undefined
    ? lowDecision(graph, words.low, starts, targets, 0, starts.length)
    : highDecision(graph, words.low, words.high, starts, targets);
}

/** What each range leads to: rule by rule, each takes of its ranges those that are still free. */
function rangeTargets(
  graph: Decisions,
  rules: readonly Alternative[],
  args: readonly { op: string | undefined; value: bigint }[],
  starts: readonly bigint[],
  otherwise: Decision,
): Decision[] {
  const end = starts.length;
  const targets = new Array<Decision>(end).fill(otherwise);
  const places = new Map<bigint, number>();
  for (let i = 0; i < end; i++) places.set(starts[i] as bigint, i);
  /** The next range that may be free, from each on. */
  const next = Int32Array.from({ length: end + 1 }, (_, i) => i);
  const free = (from: number): number => {
    let at = from;
    while (next[at] !== at) {
      next[at] = next[next[at] as number] as number;
      at = next[at] as number;
    }
    return at;
  };
  for (let r = 0; r < rules.length; r++) {
    const verdict = graph.verdict((rules[r] as Alternative).verdict);
    const take = (from: number, to: number): void => {
      for (let i = free(from); i < to; i = free(i)) {
        targets[i] = verdict;
        next[i] = i + 1;
      }
    };
    const { op, value } = args[r] as (typeof args)[number];
    const at = places.get(value) as number;
    // What is above a value starts at the next range: there is a cut behind it.
    switch (op) {
      case "SCMP_CMP_EQ":
        take(at, at + 1);
        break;
      case "SCMP_CMP_NE":
        take(0, at);
        take(at + 1, end);
        break;
      case "SCMP_CMP_LT":
        take(0, at);
        break;
      case "SCMP_CMP_LE":
        take(0, at + 1);
        break;
      case "SCMP_CMP_GT":
        take(at + 1, end);
        break;
      default:
        take(at, end);
    }
  }
  return targets;
}

/** Ranges from..to - 1, all with the same high half, by the low half. What is below the first one is in the one before. */
function lowDecision(
  graph: Decisions,
  offset: number,
  starts: readonly bigint[],
  targets: readonly Decision[],
  from: number,
  to: number,
): Decision {
  const ranges = emptyRanges();
  if (low(starts[from] as bigint) !== 0) addRange(ranges, 0, targets[from - 1] as Decision, 1);
  for (let i = from; i < to; i++) addRange(ranges, low(starts[i] as bigint), targets[i] as Decision, 1);
  return rangesDecision(graph, offset, ranges);
}

function highDecision(
  graph: Decisions,
  lowOffset: number,
  highOffset: number,
  starts: readonly bigint[],
  targets: readonly Decision[],
): Decision {
  const ranges = emptyRanges();
  for (let from = 0; from < starts.length; ) {
    const half = high(starts[from] as bigint);
    let to = from + 1;
    while (to < starts.length && high(starts[to] as bigint) === half) to++;
    addRange(ranges, half, lowDecision(graph, lowOffset, starts, targets, from, to), 1);
    // The high halves up to the next cut belong to the last range as a whole.
    const next = to < starts.length ? high(starts[to] as bigint) : 0x100000000;
    if (half + 1 < next) addRange(ranges, half + 1, targets[to - 1] as Decision, 1);
    from = to;
  }
  return rangesDecision(graph, highOffset, ranges);
}
