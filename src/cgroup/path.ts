// Where a container's cgroups are: runc's rules for linux.cgroupsPath with the cgroupfs driver.
//
//              absolute /a/b                     relative a/b, or absent: the container's id
//   v1         <mount of each controller>/a/b    below the runtime's own cgroup of that controller
//   hybrid     as v1; unified tree: /a/b         as v1; unified tree: below its mount point
//   v2         <mount>/a/b                       beside the runtime's own cgroup: below its parent, because a cgroup
//                                                that has processes cannot give controllers to its children
//
// A hierarchy that is closed to a rootless runtime is left out.

import { RuntimeError } from "../errors/runtime-error.ts";
import type { CgroupFacts, CgroupHierarchy } from "../host/facts.ts";

export interface CgroupPath {
  /** As /proc/self/cgroup names the hierarchy: "cpu,cpuacct", "name=systemd". */
  name: string;
  mountpoint: string;
  /** Absolute host path of the leaf, always below `mountpoint`. */
  path: string;
}

export interface CgroupPaths {
  v1: CgroupPath[];
  unified?: { mountpoint: string; path: string };
}

const POINTER = "/linux/cgroupsPath";

/** v1 hierarchies that runc joins; others (a service manager's own named ones) are left alone. */
const JOINED: ReadonlySet<string> = new Set([
  "cpuset",
  "devices",
  "memory",
  "cpu",
  "cpuacct",
  "pids",
  "blkio",
  "hugetlb",
  "net_cls",
  "net_prio",
  "perf_event",
  "freezer",
  "rdma",
  "name=systemd",
  "misc",
]);

/** Throws RuntimeError when cgroupsPath has an empty, `.` or `..` component or a newline. */
export function cgroupPaths(cgroupsPath: string | undefined, id: string, facts: CgroupFacts): CgroupPaths {
  const given = cgroupsPath === undefined || cgroupsPath === "" ? id : cgroupsPath;
  const absolute = given.startsWith("/");
  const inner = absolute ? given : `/${given}`;
  checkPath(inner);

  const v1: CgroupPath[] = [];
  for (let i = 0; i < facts.hierarchies.length; i++) {
    const { name, mountpoint, own, closed } = facts.hierarchies[i] as CgroupHierarchy;
    if (closed || !isJoined(name)) continue;
    v1.push({ name, mountpoint, path: mountpoint + (absolute ? "" : below(own)) + inner });
  }
  if (facts.unified === undefined || facts.unified.closed) return { v1 };
  const { mountpoint, own } = facts.unified;
  const beside = absolute || facts.mode === "hybrid" ? "" : below(own.slice(0, own.lastIndexOf("/")));
  return { v1, unified: { mountpoint, path: mountpoint + beside + inner } };
}

/** Whether a hierarchy with that name ("cpu,cpuacct") has the controller. */
export function hasController(name: string, controller: string): boolean {
  return name === controller || (name.includes(",") && name.split(",").includes(controller));
}

/** Whether a hierarchy with that name is one that containers are put into. */
export function isJoined(name: string): boolean {
  return JOINED.has(name) || (name.includes(",") && name.split(",").some((controller) => JOINED.has(controller)));
}

/** Own paths outside the cgroup namespace read `/../x`: what cannot be seen cannot be gone below. */
function below(own: string): string {
  return own === "/" || own.startsWith("/..") ? "" : own;
}

function checkPath(path: string): void {
  for (const component of path.slice(1).split("/")) {
    if (component !== "" && component !== "." && component !== ".." && !component.includes("\n")) continue;
    throw new RuntimeError({
      message: `must be a path without empty, "." or ".." components and without newline, got ${JSON.stringify(path)}`,
      pointer: POINTER,
    });
  }
}
