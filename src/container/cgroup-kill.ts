// Kills every process in a cgroup and below it.

import type { Native } from "../host/native.gen.ts";

const O_DIRECTORY = 0o200000;
const O_NOFOLLOW = 0o400000;
const O_PATH = 0o10000000;
const O_WRONLY = 1;
const SIGKILL = 9;
const MAX_PROCS = 1 << 24;
/** v1 alone: a container gets its v1 cgroups read-only, so nobody nests them deeply. */
const MAX_DEPTH = 64;
/** Descriptors held at a time. */
const BATCH = 64;

/**
 * v2: one write to cgroup.kill. v1: a cgroup of the freezer is frozen first, so that nothing forks away; then what
 * cgroup.procs names is killed and thawed, as a frozen process does not die. Failures show when the cgroup cannot be
 * removed.
 */
export function killCgroup(native: Native, parent: number, name: string): void {
  if (native.write_file(parent, `${name}/cgroup.kill`, O_WRONLY, 0, "1") >= 0) return;
  const folder = native.open(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
  if (folder < 0) return;
  native.write_file(folder, "freezer.state", O_WRONLY, 0, "FROZEN");
  killTree(native, folder, 0);
  native.close(folder);
}

function killTree(native: Native, folder: number, depth: number): void {
  for (let pids = readPids(native, folder); pids.length > 0; pids = pids.slice(BATCH)) {
    killBatch(native, folder, pids.slice(0, BATCH));
  }
  const names = native.list_dir(folder, ".");
  if (typeof names === "string" && depth < MAX_DEPTH) {
    for (const name of names.split("\0")) {
      if (name === "") continue;
      const child = native.open(folder, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
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
