// The start protocol: the pipe that init blocks on, and its reading side, which drains it and waits for the exec.

import { must } from "../host/must.ts";
import type { Native } from "../host/native.gen.ts";

/** What init reported after it had been started: which op failed, and how. */
export interface StartFailure {
  op: number;
  errno: number;
  value: number;
  detail: string;
}

/** What may end the waiting: see Interrupts. */
export interface Abort {
  readonly fd: number;
  /** Throws when `fd` is readable. */
  check(): void;
}

const ECANCELED = 125;

/** A pipe that is full of zero bytes: who writes to it blocks until somebody drains it. [read end, write end]. */
export function fullPipe(native: Native): [read: number, write: number] {
  const [read, write] = must(native.pipe(), { operation: "pipe" }) as [number, number];
  must(native.fill_pipe(write), { operation: "fill pipe" });
  return [read, write];
}

/** Lets init go on; false when it has died before. */
export function releaseInit(native: Native, pipe: number, abort?: Abort): boolean {
  const drained = native.drain_start(pipe, abort?.fd ?? -1);
  if (drained === -ECANCELED) abort?.check();
  return must(drained, { operation: "read", message: "cannot hear from init" }) === 1;
}

/**
 * Waits, after releaseInit, until init has executed the container's program. Returns the failure that init reported, or
 * nothing when the program runs.
 */
export function awaitStart(native: Native, pipe: number, abort?: Abort): StartFailure | undefined {
  const received = native.receive_start(pipe, abort?.fd ?? -1);
  if (received === -ECANCELED) abort?.check();
  const words = must(received, { operation: "read", message: "cannot hear from init" });
  if (words[0] !== 1) return undefined;
  return {
    op: words[1] as number,
    errno: words[2] as number,
    value: words[3] as number,
    detail: native.detail() as string,
  };
}
