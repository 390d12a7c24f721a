// The start protocol's reading side, for `start` and `run`: drains the pipe that init blocks on and waits for the exec.

import { RuntimeError } from "../errors/runtime-error.ts";
import { must } from "../host/must.ts";
import type { Native } from "../host/native.gen.ts";

/** What init reported after it had been started: which op failed, and how. */
export interface StartFailure {
  op: number;
  errno: number;
  value: number;
  detail: string;
}

/**
 * Lets init go on and waits until it has executed the container's program. Returns the failure that init reported, or
 * nothing when the program runs. Throws when init died before it was started.
 */
export function releaseInit(native: Native, pipe: number): StartFailure | undefined {
  const words = must(native.receive_start(pipe), { operation: "read", message: "cannot hear from init" });
  if (words[0] !== 1) {
    throw new RuntimeError({
      message: "cannot start a container that has stopped: its init process died (killed, or out of memory)",
    });
  }
  if (words[1] !== 1) return undefined;
  return {
    op: words[2] as number,
    errno: words[3] as number,
    value: words[4] as number,
    detail: native.detail() as string,
  };
}
