// What the controls did, kept from run to run: they do not change with our code.

import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import type { Verdict } from "./judge.ts";
import { raceOf } from "./races.ts";
import { runProgram, type Venue } from "./runner.ts";

/** What every runtime that can run anything passes. */
export const PLAINEST = "default";

export class Controls {
  readonly #venue: Venue;
  readonly #file: string;
  #known: Record<string, Verdict>;

  constructor(venue: Venue) {
    this.#venue = venue;
    this.#file = process.env.CONTROLS_FILE || join(venue.programs, "controls.json");
    this.#known = existsSync(this.#file) ? JSON.parse(readFileSync(this.#file, "utf8")) : {};
  }

  /** The verdict of this run or of an earlier one; undefined when there is none and `ask` is false. */
  async verdict(control: { name: string; path: string }, program: string, ask: boolean): Promise<Verdict | undefined> {
    const how = raceOf(program) === undefined ? "" : " without its race";
    const key = `${control.name}, Linux ${release()}, ${this.#venue.view}: ${program}${how}`;
    const before = this.#known[key];
    if (before !== undefined || !ask) return before;
    const verdict = await runProgram(control.path, program, this.#venue);
    // On a busy machine even the plainest may run out of time: whether a control is one is asked until it is.
    if (program === PLAINEST && verdict.outcome !== "pass") return verdict;
    this.#known[key] = verdict;
    writeFileSync(`${this.#file}.new`, `${JSON.stringify(this.#known, null, 1)}\n`);
    renameSync(`${this.#file}.new`, this.#file);
    return verdict;
  }
}
