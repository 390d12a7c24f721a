// The one error type. Facts as fields; sentences are made in render.ts alone.

export interface ErrorFacts {
  /** What was wrong, as a clause without the fields below: `container does not exist`. */
  message: string;
  /** JSON pointer into config.json. */
  pointer?: string;
  /** The system call or operation that failed. */
  operation?: string;
  errno?: number;
  /** The path, id or name that it is about. */
  path?: string;
  /** Index in init's plan. */
  op?: number;
  /** Text from the kernel or a hook. */
  detail?: string;
  /** Exit code of the command when it is not 1. */
  exitCode?: number;
  /** What failed while undoing: never replaces the error itself. */
  suppressed?: unknown[];
  cause?: unknown;
}

export class RuntimeError extends Error {
  readonly facts: ErrorFacts;

  constructor(facts: ErrorFacts) {
    super(facts.message);
    this.name = "RuntimeError";
    this.facts = facts;
  }
}
