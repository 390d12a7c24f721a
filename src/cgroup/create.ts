// The runtime's steps that make a container's cgroups, and what is to be removed later.

import type { CgroupFacts } from "../host/facts.ts";
import type { RuntimeStep } from "../plan/plan.ts";
import type { CgroupPath, CgroupPaths } from "./path.ts";

const ORIGIN = { pointer: "/linux/cgroupsPath" };

/**
 * Makes every leaf, after which init can move into it. A leaf that was there before is refused when it has processes or
 * is frozen. A v1 cpuset takes cpus and mems from its parent, all the way down: without them nothing can join it. On v2
 * no controller is enabled: without linux.resources none is needed.
 */
export function cgroupSteps(paths: CgroupPaths, _facts: CgroupFacts): RuntimeStep[] {
  const steps: RuntimeStep[] = [];
  for (const { name, mountpoint, path } of paths.v1) steps.push(...leaf(path, mountpoint, name));
  if (paths.unified !== undefined) steps.push(...leaf(paths.unified.path, paths.unified.mountpoint, ""));
  for (const cgroup of paths.v1) {
    if (cgroup.name.split(",").includes("cpuset")) steps.push(...inheritCpuset(cgroup));
  }
  return steps;
}

function leaf(path: string, mountpoint: string, controllers: string): RuntimeStep[] {
  return [
    { step: "mkdir cgroup", path, mountpoint, controllers, origin: ORIGIN },
    { step: "check cgroup empty", path, mountpoint, controllers, origin: ORIGIN },
  ];
}

function inheritCpuset({ path, mountpoint }: CgroupPath): RuntimeStep[] {
  const steps: RuntimeStep[] = [];
  for (let end = path.indexOf("/", mountpoint.length + 1); ; end = path.indexOf("/", end + 1)) {
    const folder = end < 0 ? path : path.slice(0, end);
    steps.push({ step: "inherit cgroup file", path: folder, file: "cpuset.cpus", origin: ORIGIN });
    steps.push({ step: "inherit cgroup file", path: folder, file: "cpuset.mems", origin: ORIGIN });
    if (end < 0) return steps;
  }
}

/** The leaf folders, the freezer first: status needs it alone. */
export function cgroupLeaves(paths: CgroupPaths): string[] {
  const freezer = paths.v1.filter(({ name }) => name.split(",").includes("freezer"));
  const others = paths.v1.filter((cgroup) => !freezer.includes(cgroup));
  const leaves = [...freezer, ...others].map(({ path }) => path);
  if (paths.unified !== undefined) leaves.push(paths.unified.path);
  return leaves;
}
