// The status is computed from the kernel and the folder, never believed from what was written.

import type { Native } from "../host/native.gen.ts";
import { isFrozen } from "./freezer.ts";
import { isAlive } from "./liveness.ts";
import { O_NOFOLLOW, O_NONBLOCK, O_WRONLY } from "./open-flags.ts";
import type { ContainerState, Status } from "./state.ts";
import { START_FIFO } from "./store.ts";

/** Status of the container whose folder is open as `dir`. */
export function statusOf(native: Native, dir: number, state: ContainerState): Status {
  const { init, created, creator } = state;
  const alive = init !== undefined && isAlive(native, init.pid, init.startTime);
  if (created === undefined) {
    return alive || isAlive(native, creator.pid, creator.startTime) ? "creating" : "stopped";
  }
  if (!alive) return "stopped";
  if (isFrozen(native, state.cgroups)) return "paused";
  // Until it is started init has the fifo open; without a reader this open fails. A start that was killed may leave it.
  const fifo = native.open(dir, START_FIFO, O_WRONLY | O_NONBLOCK | O_NOFOLLOW, 0);
  if (fifo < 0) return "running";
  native.close(fifo);
  return "created";
}
