// Ends what is in the container's own cgroups.

import type { Native } from "../host/native.gen.ts";
import { AT_FDCWD, AT_SYMLINK_NOFOLLOW, O_WRONLY, S_IFDIR, S_IFMT } from "./open-flags.ts";

const SIGKILL = 9;
const PROCS_MAX = 16 << 20;

/** Kills every process in the cgroups and below; whether any of the folders exists. */
export function killCgroups(native: Native, cgroups: readonly string[]): boolean {
  let found = false;
  for (const cgroup of cgroups) {
    const killed = native.write_file(AT_FDCWD, `${cgroup}/cgroup.kill`, O_WRONLY, 0, "1");
    if (killed >= 0) {
      found = true;
      continue;
    }
    // v1, or a kernel before 5.14.
    if (killMembers(native, cgroup)) found = true;
  }
  return found;
}

/** Kills the members one by one; false when there is no such cgroup. */
function killMembers(native: Native, cgroup: string): boolean {
  const before = members(native, cgroup);
  if (before === undefined) return false;
  const pidfds: [number, number][] = [];
  for (const pid of before) {
    const pidfd = native.pidfd_open(pid);
    if (pidfd >= 0) pidfds.push([pid, pidfd]);
  }
  // A pid that is still listed now belongs to the process that its pidfd was opened for.
  const now = members(native, cgroup) ?? new Set<number>();
  for (const [pid, pidfd] of pidfds) {
    if (now.has(pid)) native.pidfd_kill(pidfd, SIGKILL);
    native.close(pidfd);
  }
  for (const child of childCgroups(native, cgroup)) killMembers(native, child);
  return true;
}

function members(native: Native, cgroup: string): Set<number> | undefined {
  const text = native.read_file(AT_FDCWD, `${cgroup}/cgroup.procs`, PROCS_MAX);
  if (typeof text !== "string") return undefined;
  const pids = new Set<number>();
  for (const line of text.split("\n")) if (Number(line) > 0) pids.add(Number(line));
  return pids;
}

/** The cgroups right below. */
export function childCgroups(native: Native, cgroup: string): string[] {
  const names = native.list_dir(AT_FDCWD, cgroup);
  if (typeof names !== "string") return [];
  const folders: string[] = [];
  for (const name of names.split("\0")) {
    if (name === "") continue;
    const stat = native.stat(AT_FDCWD, `${cgroup}/${name}`, AT_SYMLINK_NOFOLLOW);
    if (typeof stat !== "number" && ((stat[0] as number) & S_IFMT) === S_IFDIR) folders.push(`${cgroup}/${name}`);
  }
  return folders;
}

