// What the controls did, kept from run to run: they do not change with our code.

import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import type { Verdict } from "./judge.ts";
import { runProgram, type Venue } from "./runner.ts";

/** A control that fails is asked again: crun 1.8 dies now and then of a hook that does not read its input. */
const TRIES = 3;

export class Controls {
  readonly #venue: Venue;
  readonly #file: string;
  #known: Record<string, Verdict>;

  constructor(venue: Venue) {
    this.#venue = venue;
    this.#file = join(venue.programs, "controls.json");
    this.#known = existsSync(this.#file) ? JSON.parse(readFileSync(this.#file, "utf8")) : {};
  }

  verdict(control: { name: string; path: string }, program: string): Verdict {
    const key = `${control.name}, Linux ${release()}, ${this.#venue.view}: ${program}`;
    const before = this.#known[key];
    if (before !== undefined) return before;
    let verdict = runProgram(control.path, program, this.#venue);
    for (let tries = 1; verdict.outcome === "fail" && tries < TRIES; tries++)
      verdict = runProgram(control.path, program, this.#venue);
    this.#known[key] = verdict;
    writeFileSync(`${this.#file}.new`, `${JSON.stringify(this.#known, null, 1)}\n`);
    renameSync(`${this.#file}.new`, this.#file);
    return verdict;
  }
}
