// What has been made so far and how it is unmade: the last first. An undo that fails never hides the first error.

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
