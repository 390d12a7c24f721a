// The status is computed from the kernel and the folder, never believed from what was written.

import type { Native } from "../host/native.gen.ts";
import { isAlive } from "./liveness.ts";
import { AT_FDCWD, AT_SYMLINK_NOFOLLOW, O_WRONLY } from "./open-flags.ts";
import type { ContainerState, Status } from "./state.ts";
import { START_FIFO } from "./store.ts";

const FREEZER_MAX = 4096;

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

/** A cgroup that is gone is not frozen. */
function isFrozen(native: Native, cgroups: readonly string[]): boolean {
  const freezer = v1Freezer(cgroups);
  if (freezer !== undefined) return fileSays(native, freezer, "FROZEN");
  return cgroups.some((cgroup) => fileSays(native, `${cgroup}/cgroup.events`, "frozen 1"));
}

/** Thaws a v1 cgroup: there a signal waits for that, whereas on v2 SIGKILL works in a frozen one. */
export function thaw(native: Native, cgroups: readonly string[]): void {
  const freezer = v1Freezer(cgroups);
  if (freezer !== undefined && fileSays(native, freezer, "FROZEN")) {
    native.write_file(AT_FDCWD, freezer, O_WRONLY, 0, "THAWED");
  }
}

/** freezer.state of the cgroup in v1's freezer hierarchy, which is mounted under its name (cgroups(7)). */
function v1Freezer(cgroups: readonly string[]): string | undefined {
  const cgroup = cgroups.find((path) => path.split("/").some((name) => name.split(",").includes("freezer")));
  return cgroup === undefined ? undefined : `${cgroup}/freezer.state`;
}

function fileSays(native: Native, path: string, words: string): boolean {
  const text = native.read_file(AT_FDCWD, path, FREEZER_MAX);
  return typeof text === "string" && text.includes(words);
}
