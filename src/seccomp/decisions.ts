// The decision graph: what a filter does once it knows the system call. Equal parts are one node.

import { CODE } from "../bpf/cbpf.ts";
import { RuntimeError } from "../errors/runtime-error.ts";

/** A verdict, or a test of one masked word of the data. */
export interface Decision {
  readonly id: number;
  /** What the filter returns; -1: a test. */
  readonly verdict: number;
  /** Word of struct seccomp_data, and what it is masked with. */
  readonly offset: number;
  readonly mask: number;
  /** jeq, jgt, jge or jset. */
  readonly code: number;
  readonly k: number;
  readonly yes: Decision;
  readonly no: Decision;
  /** Notes of emit.ts: which call they belong to, what is wanted, and where the entries are. */
  section: number;
  wants: number;
  load: number;
  and: number;
  branch: number;
}

/** The verdict of what is a test. */
export const TEST = -1;

/** What a test on the way has found. */
export interface Fact {
  offset: number;
  mask: number;
  code: number;
  k: number;
  holds: boolean;
}

/** More nodes than any filter that the kernel takes could need. */
const MAX_NODES = 16384;

/**
 * Steps of the compiler, each a few machine instructions in a loop: more than any filter that the kernel takes has needed,
 * by far, and done within a second.
 */
export const MAX_WORK = 2_000_000;

export class Decisions {
  readonly #nodes = new Map<string, Decision>();
  readonly #verdicts = new Map<number, Decision>();
  readonly #base: string;
  #count = 0;
  #work = 0;

  /** @param base where the profile is, for errors. */
  constructor(base = "/linux/seccomp") {
    this.#base = base;
  }

  /** Steps so far. */
  get work(): number {
    return this.#work;
  }

  /** Counts steps. @throws RuntimeError when they are too many. */
  spend(steps: number): void {
    this.#work += steps;
    if (this.#work > MAX_WORK) throw this.#tooMuch();
  }

  #tooMuch(): RuntimeError {
    return new RuntimeError({ message: "has so many conditions that its filter is too long", pointer: this.#base });
  }

  #make(
    verdict: number,
    offset: number,
    mask: number,
    code: number,
    k: number,
    yes?: Decision,
    no?: Decision,
  ): Decision {
    if (this.#count >= MAX_NODES) throw this.#tooMuch();
    const id = this.#count++;
    const node = { id, verdict, offset, mask, code, k, yes, no, section: -1, wants: 0, load: 0, and: 0, branch: 0 };
    return node as Decision;
  }

  verdict(value: number): Decision {
    const known = this.#verdicts.get(value);
    if (known !== undefined) return known;
    const node = this.#make(value, 0, 0, CODE.ret, value);
    this.#verdicts.set(value, node);
    return node;
  }

  test(offset: number, mask: number, code: number, k: number, yes: Decision, no: Decision): Decision {
    if (yes === no) return yes;
    if (code === CODE.jge && k === 0) return yes;
    if (code === CODE.jgt && k === 0xffffffff) return no;
    this.spend(1);
    const key = `${offset},${mask},${code},${k},${yes.id},${no.id}`;
    const known = this.#nodes.get(key);
    if (known !== undefined) return known;
    const node = this.#make(TEST, offset, mask, code, k, yes, no);
    this.#nodes.set(key, node);
    return node;
  }

  /** The first decision from here on that the facts leave open. */
  follow(node: Decision, facts: readonly Fact[]): Decision {
    let at = node;
    while (at.verdict === TEST) {
      this.spend(1 + facts.length);
      let outcome: boolean | undefined;
      for (let i = facts.length - 1; i >= 0 && outcome === undefined; i--) outcome = decided(at, facts[i] as Fact);
      if (outcome === undefined) return at;
      at = outcome ? at.yes : at.no;
    }
    return at;
  }
}

/** Whether a fact alone decides a test, and how. */
function decided(test: Decision, fact: Fact): boolean | undefined {
  if (test.offset !== fact.offset) return undefined;
  if (fact.holds && fact.code === CODE.jeq && fact.mask === 0xffffffff) return outcome(test, fact.k);
  if (test.mask !== fact.mask) return undefined;
  if (test.code === fact.code && test.k === fact.k) return fact.holds;
  if (fact.holds && fact.code === CODE.jeq && test.code === CODE.jeq) return false;
  return undefined;
}

/** A test of a word that is known. */
function outcome(test: Decision, word: number): boolean {
  const value = (word & test.mask) >>> 0;
  switch (test.code) {
    case CODE.jeq:
      return value === test.k;
    case CODE.jgt:
      return value > test.k;
    case CODE.jge:
      return value >= test.k;
    default:
      return (value & test.k) !== 0;
  }
}
