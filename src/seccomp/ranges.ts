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

/** How a tree of comparisons is put together: leaves of ranges, and tests of the word that join two trees. */
export interface Builder<T> {
  leaf(target: Decision): T;
  test(code: number, k: number, yes: T, no: T): T;
}

/** Builds the tree; what a test jumps to is built before it, `yes` first. */
export function buildTree<T>({ starts, targets, weights }: Ranges, builder: Builder<T>): T {
  /** Weight of everything before a range. One more for each: values that nobody expects are asked for, too. */
  const sums: number[] = [0];
  for (let i = 0, sum = 0; i < weights.length; i++) {
    sum += (weights[i] as number) + 1;
    sums.push(sum);
  }

  /** Three ranges, of which the middle one is a single value and the others agree. */
  const isLone = (first: number): boolean =>
    targets[first] === targets[first + 2] && (starts[first + 2] as number) - (starts[first + 1] as number) === 1;

  /** The first range of the upper part, so that both parts weigh as much as can be. */
  const cutOf = (first: number, last: number): number => {
    if (last === first + 1) return last;
    if (last === first + 3) {
      if (isLone(first + 1)) return first + 1;
      if (isLone(first)) return last;
    }
    const half = ((sums[first] as number) + (sums[last + 1] as number)) / 2;
    let low = first + 1;
    let high = last;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sums[middle] as number) < half) low = middle + 1;
      else high = middle;
    }
    return low > first + 1 && half - (sums[low - 1] as number) < (sums[low] as number) - half ? low - 1 : low;
  };

  /** Ranges first..last, both included. */
  const build = (first: number, last: number): T => {
    if (first === last) return builder.leaf(targets[first] as Decision);
    if (last === first + 2 && isLone(first)) {
      const yes = builder.leaf(targets[first + 1] as Decision);
      return builder.test(CODE.jeq, starts[first + 1] as number, yes, builder.leaf(targets[first] as Decision));
    }
    const cut = cutOf(first, last);
    const yes = build(cut, last);
    return builder.test(CODE.jge, starts[cut] as number, yes, build(first, cut - 1));
  };

  return build(0, targets.length - 1);
}

/** The decision on the word at `offset`. */
export function rangesDecision(graph: Decisions, offset: number, ranges: Ranges): Decision {
  return buildTree(ranges, {
    leaf: (target) => target,
    test: (code, k, yes, no) => graph.test(offset, 0xffffffff, code, k, yes, no),
  });
}
