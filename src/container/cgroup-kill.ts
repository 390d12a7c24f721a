// Kills every process in a cgroup and below it.

import type { Native } from "../host/native.gen.ts";
import { nameOf, openAbove, openFolder } from "./cgroup-folder.ts";

const O_WRONLY = 1;
const SIGKILL = 9;
const MAX_PROCS = 1 << 24;
/** v1 alone: a container gets its v1 cgroups read-only, so nobody nests them deeply. */
const MAX_DEPTH = 64;
/** Descriptors held at a time. */
const BATCH = 64;

/** Sends SIGKILL to all that is in the cgroups; whether any of them exists. Does not wait for the processes' end. */
export function killCgroups(native: Native, paths: readonly string[]): boolean {
  let found = false;
  for (const path of paths) {
    const parent = openAbove(native, path);
    if (parent < 0) continue;
    if (killBelow(native, parent, nameOf(path))) found = true;
    native.close(parent);
  }
  return found;
}

/**
 * v2: one write to cgroup.kill. v1: a cgroup of the freezer is frozen first, so that nothing forks away; then what
 * cgroup.procs names is killed and thawed, as a frozen process does not die. False when there is no such cgroup.
 */
export function killBelow(native: Native, parent: number, name: string): boolean {
  if (native.write_file(parent, `${name}/cgroup.kill`, O_WRONLY, 0, "1") >= 0) return true;
  const folder = openFolder(native, parent, name);
  if (folder < 0) return false;
  native.write_file(folder, "freezer.state", O_WRONLY, 0, "FROZEN");
  killTree(native, folder, 0);
  native.close(folder);
  return true;
}

function killTree(native: Native, folder: number, depth: number): void {
  const pids = readPids(native, folder);
  for (let from = 0; from < pids.length; from += BATCH) killBatch(native, folder, pids.slice(from, from + BATCH));
  const names = depth < MAX_DEPTH ? native.list_dir(folder, ".") : -1;
  if (typeof names === "string") {
    for (const name of names.split("\0")) {
      const child = name === "" ? -1 : openFolder(native, folder, name);
      if (child < 0) continue;
      killTree(native, child, depth + 1);
      native.close(child);
    }
  }
  native.write_file(folder, "freezer.state", O_WRONLY, 0, "THAWED");
}

/** A number that is in cgroup.procs before and after the pidfd was opened is the process that the pidfd holds. */
function killBatch(native: Native, folder: number, pids: readonly number[]): void {
  const self = native.getpid();
  const held = pids.filter((pid) => pid !== self).map((pid) => ({ pid, pidfd: native.pidfd_open(pid) }));
  const still = new Set(readPids(native, folder));
  for (const { pid, pidfd } of held) {
    if (pidfd < 0) continue;
    if (still.has(pid)) native.pidfd_kill(pidfd, SIGKILL);
    native.close(pidfd);
  }
}

/** A process of another pid namespace reads as 0. */
function readPids(native: Native, folder: number): number[] {
  const text = native.read_file(folder, "cgroup.procs", MAX_PROCS);
  if (typeof text === "number") return [];
  return text
    .split("\n")
    .map(Number)
    .filter((pid) => pid > 0);
}
