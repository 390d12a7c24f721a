// Random input for what reads text and bytes of others. In `npm run check` each fuzzer does a few hundred rounds, the same
// ones every time; with FUZZ_SECONDS (npm run test:long) as many as that time allows, from another seed each time, which the
// failure names: FUZZ_SEED=N repeats it.

import process from "node:process";
import { test } from "vitest";
import { RuntimeError } from "./errors/runtime-error.ts";

const SECONDS = Number(process.env.FUZZ_SECONDS ?? 0);
const ROUNDS = 300;
const GRACE = 60_000;

const firstSeed = (): number =>
  Number(process.env.FUZZ_SEED ?? (SECONDS > 0 ? process.hrtime.bigint() % 1_000_000_007n : 1));

export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** 0..bound - 1; mulberry32. */
  below(bound: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * bound);
  }

  one<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }

  /** Text with a few pieces cut out, doubled, exchanged or put in. */
  changed(text: string, pieces: readonly string[]): string {
    let result = text;
    for (let i = this.below(5); i >= 0; i--) {
      const at = this.below(result.length + 1);
      const end = at + this.below(this.one([2, 8, 64]));
      const put = [this.one(pieces), "", result.slice(at, end).repeat(2), String.fromCharCode(this.below(300))];
      result = result.slice(0, at) + this.one(put) + result.slice(this.below(2) === 0 ? at : end);
    }
    return result;
  }

  /** Bytes, likewise. */
  changedBytes(bytes: Uint8Array): Uint8Array {
    const result = [...bytes];
    for (let i = this.below(6); i >= 0; i--) {
      const at = this.below(result.length + 1);
      const put = Array.from({ length: this.below(5) }, () => this.one([0, 1, 255, this.below(256)]));
      result.splice(at, this.one([0, put.length, this.below(9)]), ...put);
    }
    return Uint8Array.from(result);
  }
}

/** Runs `round` with one seed after the other; what it throws is a finding. */
export function fuzz(title: string, round: (random: Random) => void): void {
  test(`${title}`, { timeout: SECONDS * 1000 + GRACE }, ({ task }) => {
    const start = Date.now();
    const end = start + SECONDS * 1000;
    const first = firstSeed();
    let count = 0;
    for (; SECONDS > 0 ? Date.now() < end : count < ROUNDS; count++) {
      try {
        round(new Random(first + count));
      } catch (error) {
        throw new Error(`FUZZ_SEED=${first + count}`, { cause: error });
      }
    }
    const took = Math.round((Date.now() - start) / 1000);
    if (SECONDS > 0) process.stdout.write(`${task.file.name}, ${title}: ${count} inputs in ${took} s\n`);
  });
}

/** What a reader says to text that is not right is a RuntimeError; anything else goes on. undefined: it was refused. */
export function refused<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof RuntimeError) return undefined;
    throw error;
  }
}
