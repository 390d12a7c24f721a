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

/** Up to this many ranges the best tree is searched for; more are cut where both halves weigh the same. */
const SEARCHED = 5;

/** The decision on the word at `offset`. */
export function rangesDecision(graph: Decisions, offset: number, ranges: Ranges): Decision {
  const tree = new Tree(ranges);
  const { starts, targets } = ranges;
  const test = (code: number, k: number, yes: Decision, no: Decision): Decision =>
    graph.test(offset, 0xffffffff, code, k, yes, no);
  const build = (first: number, last: number): Decision => {
    const target = targets[first] as Decision;
    if (first === last) return target;
    if (tree.isLone(first, last)) {
      return test(CODE.jeq, starts[first + 1] as number, targets[first + 1] as Decision, target);
    }
    const cut = tree.cut(first, last);
    return test(CODE.jge, starts[cut] as number, build(cut, last), build(first, cut - 1));
  };
  return build(0, targets.length - 1);
}

/** Where to cut. */
class Tree {
  readonly #ranges: Ranges;
  /** Weight of everything before a range. */
  readonly #sums: number[] = [0];
  /** By first and last range: the cost of the best tree, and its first cut. */
  readonly #costs = new Map<number, number>();
  readonly #cuts = new Map<number, number>();

  constructor(ranges: Ranges) {
    this.#ranges = ranges;
    const { weights } = ranges;
    // One more for each: a range of numbers that are no calls is asked for, too.
    for (let i = 0; i < weights.length; i++) this.#sums.push((this.#sums[i] as number) + (weights[i] as number) + 1);
  }

  /** Three ranges, of which the middle one is a single value and the others agree: one `==`. */
  isLone(first: number, last: number): boolean {
    const { starts, targets } = this.#ranges;
    if (last !== first + 2 || targets[first] !== targets[last]) return false;
    return (starts[last] as number) - (starts[first + 1] as number) === 1;
  }

  /** The first range of the upper part. */
  cut(first: number, last: number): number {
    if (last - first >= SEARCHED) return this.#half(first, last);
    this.#cost(first, last);
    return this.#cuts.get(first * this.#sums.length + last) as number;
  }

  #half(first: number, last: number): number {
    const sums = this.#sums;
    const half = ((sums[first] as number) + (sums[last + 1] as number)) / 2;
    let cut = first + 1;
    while (cut < last && (sums[cut] as number) < half) cut++;
    if (cut > first + 1 && half - (sums[cut - 1] as number) < (sums[cut] as number) - half) cut--;
    return cut;
  }

  /** Tests on the way to every value, by weight. */
  #cost(first: number, last: number): number {
    if (first === last) return 0;
    const weight = (this.#sums[last + 1] as number) - (this.#sums[first] as number);
    if (this.isLone(first, last)) return weight;
    const key = first * this.#sums.length + last;
    const known = this.#costs.get(key);
    if (known !== undefined) return known;
    let best = Number.POSITIVE_INFINITY;
    for (let cut = first + 1; cut <= last; cut++) {
      const cost = this.#cost(first, cut - 1) + this.#cost(cut, last);
      if (cost >= best) continue;
      best = cost;
      this.#cuts.set(key, cut);
    }
    this.#costs.set(key, best + weight);
    return best + weight;
  }
}
