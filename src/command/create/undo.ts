// What has been made so far and how it is unmade: the last first. An undo that fails never hides the first error.

import { RuntimeError } from "../../errors/runtime-error.ts";

export class UndoStack {
  readonly #entries: (() => void)[] = [];

  push(undo: () => void): void {
    this.#entries.push(undo);
  }

  /** Runs every undo; what failed is returned, in order. */
  run(): unknown[] {
    const failures: unknown[] = [];
    for (let undo = this.#entries.pop(); undo !== undefined; undo = this.#entries.pop()) {
      try {
        undo();
      } catch (error) {
        failures.push(error);
      }
    }
    return failures;
  }
}

/** Runs the undo stack; what fails there is attached to the error, never in its place. */
export function undone(error: unknown, undo: UndoStack): unknown {
  const failures = undo.run();
  if (failures.length === 0 || !(error instanceof RuntimeError)) return error;
  return new RuntimeError({ ...error.facts, suppressed: failures });
}
