// The status is computed from the kernel and the folder, never believed from what was written.

import type { Native } from "../host/native.gen.ts";
import { isFrozen } from "./freezer.ts";
import { isAlive } from "./liveness.ts";
import { AT_SYMLINK_NOFOLLOW } from "./open-flags.ts";
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
  const fifo = native.stat(dir, START_FIFO, AT_SYMLINK_NOFOLLOW);
  return typeof fifo === "number" ? "running" : "created";
}
