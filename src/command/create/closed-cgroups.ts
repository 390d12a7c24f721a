// Rootless, and config.json names no cgroup: where the user may make none the container goes without, as under runc. What
// needs one is an error then (cgroup/resources-all.ts), but for device rules, which a user may not set anyway.

import { cgroupPaths } from "../../cgroup/path.ts";
import type { Config } from "../../config/types.ts";
import { warn } from "../../errors/warning.ts";
import type { HostFacts } from "../../host/facts.ts";
import type { Native } from "../../host/native.gen.ts";

const AT_FDCWD = -100;
const W_OK = 2;
const X_OK = 1;
const EPERM = 1;
const EACCES = 13;
const EROFS = 30;

/** The facts, with each hierarchy marked in which the container's default cgroup cannot be made or joined. */
export function markClosed(native: Native, config: Config, id: string, facts: HostFacts): HostFacts {
  if (config.linux.cgroupsPath !== undefined && config.linux.cgroupsPath !== "") return facts;
  const { cgroup } = facts;
  const { v1, unified } = cgroupPaths(undefined, id, cgroup);
  const closed = new Set<string>();
  for (const { path, mountpoint } of v1) if (isClosed(native, path, false)) closed.add(mountpoint);
  if (unified !== undefined && isClosed(native, unified.path, true)) closed.add(unified.mountpoint);
  if (closed.size === 0) return facts;
  if (closed.size === v1.length + (unified === undefined ? 0 : 1)) warnOfProcesses(config);
  const mark = <T extends { mountpoint: string }>(hierarchy: T): T =>
    closed.has(hierarchy.mountpoint) ? { ...hierarchy, closed: true } : hierarchy;
  const marked = { ...cgroup, hierarchies: cgroup.hierarchies.map(mark) };
  if (cgroup.unified !== undefined) marked.unified = mark(cgroup.unified);
  return { ...facts, cgroup: marked };
}

/** For the folder that is to be, or that was there before. On v2 whoever moves writes to the common ancestor, too. */
function isClosed(native: Native, path: string, unified: boolean): boolean {
  const there = native.access(AT_FDCWD, path, 0) === 0;
  const folder = there ? path : path.slice(0, path.lastIndexOf("/"));
  if (isRefused(native.access(AT_FDCWD, folder, W_OK | X_OK))) return true;
  return (there || unified) && isRefused(native.access(AT_FDCWD, `${folder}/cgroup.procs`, W_OK));
}

function isRefused(result: number): boolean {
  return result === -EACCES || result === -EPERM || result === -EROFS;
}

function warnOfProcesses({ linux }: Config): void {
  if (linux.namespaces.some(({ type, path }) => type === "pid" && path === undefined)) return;
  warn("a container with neither a cgroup nor a pid namespace of its own: what it leaves running cannot be found");
}
