// Conditions on arguments as tests of 32-bit words: classic BPF has no wider ones.

import { CODE } from "../bpf/cbpf.ts";
import type { Architecture } from "./architectures.ts";
import type { Decision, Decisions, Fact } from "./decisions.ts";
import type { SeccompArg } from "./types.ts";

/** Offsets in struct seccomp_data. */
const ARGS = 16;

const LOW = 0xffffffffn;
export const low = (value: bigint): number => Number(value & LOW);
export const high = (value: bigint): number => Number(value >> 32n);

export interface Words {
  low: number;
  /** Absent where only the low half is compared. */
  high?: number;
}

/** Where the halves of an argument are. */
export function wordsOf(index: number, { wide, bigEndian }: Architecture): Words {
  const first = ARGS + 8 * index;
  const words: Words = { low: bigEndian ? first + 4 : first };
  if (wide) words.high = bigEndian ? first : first + 4;
  return words;
}

/** A condition that the architecture's width makes true whatever the argument is. */
export function isAlwaysTrue(arg: SeccompArg, wide: boolean): boolean {
  if (arg.op !== "SCMP_CMP_MASKED_EQ") return false;
  return wide ? arg.value === 0n : low(arg.value) === 0;
}

/** What comes after a test, when it is known what the tests before it found. */
type Next = (facts: readonly Fact[]) => Decision;

/** Builds the decision of a condition: `yes` where it holds, `no` where not. */
export function conditionDecision(
  graph: Decisions,
  arg: SeccompArg,
  architecture: Architecture,
  facts: readonly Fact[],
  yes: Next,
  no: Next,
): Decision {
  const words = wordsOf(arg.index, architecture);
  const test = (
    offset: number,
    mask: number,
    code: number,
    k: number,
    known: readonly Fact[],
    ifSo: Next,
    ifNot: Next,
  ): Decision => {
    const on: Fact = { offset, mask, code, k, holds: true };
    const off: Fact = { offset, mask, code, k, holds: false };
    const nextOn = ifSo([...known, on]);
    const nextOff = ifNot([...known, off]);
    return graph.follow(graph.test(offset, mask, code, k, nextOn, nextOff), known);
  };
  const FULL = 0xffffffff;
  const equal = (a: Next, b: Next): Decision => {
    const lows: Next = (known) => test(words.low, FULL, CODE.jeq, low(arg.value), known, a, b);
    return words.high === undefined ? lows(facts) : test(words.high, FULL, CODE.jeq, high(arg.value), facts, lows, b);
  };
  // Equal high halves are what is usual: they are asked for first.
  const greater = (orEqual: boolean, a: Next, b: Next): Decision => {
    const code = orEqual ? CODE.jge : CODE.jgt;
    const lows: Next = (known) => test(words.low, FULL, code, low(arg.value), known, a, b);
    if (words.high === undefined) return lows(facts);
    const offset = words.high;
    const highs: Next = (known) => test(offset, FULL, CODE.jgt, high(arg.value), known, a, b);
    return test(offset, FULL, CODE.jeq, high(arg.value), facts, lows, highs);
  };
  const masked = (): Decision => {
    const lowMask = low(arg.value);
    const part = (offset: number, mask: number, wanted: number, known: readonly Fact[], then: Next): Decision => {
      if (mask === 0) return then(known);
      const k = (wanted & mask) >>> 0;
      // One bit or none of several: a test that leaves the accumulator alone.
      if (mask !== FULL && k === 0) return test(offset, FULL, CODE.jset, mask, known, no, then);
      if (mask !== FULL && k === mask && (mask & (mask - 1)) === 0) {
        return test(offset, FULL, CODE.jset, mask, known, then, no);
      }
      return test(offset, mask, CODE.jeq, k, known, then, no);
    };
    const lows: Next = (known) => part(words.low, lowMask, low(arg.valueTwo), known, yes);
    if (words.high === undefined) return lows(facts);
    return part(words.high, high(arg.value), high(arg.valueTwo), facts, lows);
  };
  switch (arg.op) {
    case "SCMP_CMP_EQ":
      return equal(yes, no);
    case "SCMP_CMP_NE":
      return equal(no, yes);
    case "SCMP_CMP_GT":
      return greater(false, yes, no);
    case "SCMP_CMP_LE":
      return greater(false, no, yes);
    case "SCMP_CMP_GE":
      return greater(true, yes, no);
    case "SCMP_CMP_LT":
      return greater(true, no, yes);
    case "SCMP_CMP_MASKED_EQ":
      return masked();
  }
}
