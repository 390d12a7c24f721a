// The start protocol's reading side, for `start` and `run`: drains the pipe that init blocks on and waits for the exec.

import { must } from "../host/must.ts";
import type { Native } from "../host/native.gen.ts";

/** What init reported after it had been started: which op failed, and how. */
export interface StartFailure {
  op: number;
  errno: number;
  value: number;
  detail: string;
}

/** Lets init go on; false when it has died before. */
export function releaseInit(native: Native, pipe: number): boolean {
  return must(native.drain_start(pipe), { operation: "read", message: "cannot hear from init" }) === 1;
}

/**
 * Waits, after releaseInit, until init has executed the container's program. Returns the failure that init reported, or
 * nothing when the program runs.
 */
export function awaitStart(native: Native, pipe: number): StartFailure | undefined {
  const words = must(native.receive_start(pipe), { operation: "read", message: "cannot hear from init" });
  if (words[0] !== 1) return undefined;
  return {
    op: words[1] as number,
    errno: words[2] as number,
    value: words[3] as number,
    detail: native.detail() as string,
  };
}
