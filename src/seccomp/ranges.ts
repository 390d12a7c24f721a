// Ranges of a 32-bit word as a decision: a balanced tree of comparisons, with a single `==` for a lone value between
// neighbours that agree.

import { CODE } from "../bpf/cbpf.ts";
import type { Decision, Decisions } from "./decisions.ts";

/** The whole 32-bit line, cut: range i starts at starts[i] and ends before starts[i + 1]; starts[0] is 0. */
export interface Ranges {
  starts: number[];
  targets: Decision[];
  /** How often a value of the range is expected. */
  weights: number[];
}

export const emptyRanges = (): Ranges => ({ starts: [], targets: [], weights: [] });

/** Appends a range; one that agrees with its neighbour makes that longer, one that starts at the same place replaces it. */
export function addRange(ranges: Ranges, start: number, target: Decision, weight: number): void {
  let last = ranges.targets.length - 1;
  if (last >= 0 && ranges.starts[last] === start) {
    ranges.starts.pop();
    ranges.targets.pop();
    ranges.weights.pop();
    last--;
  }
  if (last >= 0 && ranges.targets[last] === target) {
    ranges.weights[last] = (ranges.weights[last] as number) + weight;
    return;
  }
  ranges.starts.push(start);
  ranges.targets.push(target);
  ranges.weights.push(weight);
}

/** The decision on the word at `offset`. */
export function rangesDecision(graph: Decisions, offset: number, ranges: Ranges): Decision {
  const { starts, targets, weights } = ranges;
  const sums: number[] = [0];
  for (let i = 0; i < weights.length; i++) sums.push((sums[i] as number) + (weights[i] as number) + 1);
  const end = targets.length - 1;

  const isLone = (i: number): boolean =>
    (i === end ? 0x100000000 : (starts[i + 1] as number)) - (starts[i] as number) === 1;

  /** Ranges first..last, both included. */
  const build = (first: number, last: number): Decision => {
    const target = targets[first] as Decision;
    if (first === last) return target;
    if (last === first + 2 && target === targets[last] && isLone(first + 1)) {
      return graph.test(
        offset,
        0xffffffff,
        CODE.jeq,
        starts[first + 1] as number,
        targets[first + 1] as Decision,
        target,
      );
    }
    const cut = middle(first, last);
    return graph.test(offset, 0xffffffff, CODE.jge, starts[cut] as number, build(cut, last), build(first, cut - 1));
  };

  /** The first range of the upper half: both halves weigh as much as can be. */
  const middle = (first: number, last: number): number => {
    if (last === first + 1) return last;
    // A lone value between two that agree is one test: three ranges on one side, one on the other.
    if (last === first + 3) {
      if (targets[first + 1] === targets[last] && isLone(first + 2)) return first + 1;
      if (targets[first] === targets[last - 1] && isLone(first + 1)) return last;
    }
    const half = ((sums[first] as number) + (sums[last + 1] as number)) / 2;
    let cut = first + 1;
    while (cut < last && (sums[cut] as number) < half) cut++;
    if (cut > first + 1 && half - (sums[cut - 1] as number) < (sums[cut] as number) - half) cut--;
    return cut;
  };

  return build(0, end);
}
