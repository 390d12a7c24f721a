// The runtime's steps that make a container's cgroups, and what is to be removed later.

import type { CgroupFacts } from "../host/facts.ts";
import type { RuntimeStep } from "../plan/plan.ts";
import { type CgroupPath, type CgroupPaths, hasController } from "./path.ts";

const ORIGIN = { pointer: "/linux/cgroupsPath" };

/**
 * Makes every leaf, after which init can move into it. A leaf that was there before is refused when it has processes or
 * is frozen. A v1 cpuset takes cpus and mems from its parent, all the way down: without them nothing can join it. On v2
 * no controller is enabled: without linux.resources none is needed.
 */
export function cgroupSteps(paths: CgroupPaths, _facts: CgroupFacts): RuntimeStep[] {
  const steps: RuntimeStep[] = [];
  const { v1, unified } = paths;
  for (let i = 0; i < v1.length; i++) {
    const { name, mountpoint, path } = v1[i] as CgroupPath;
    makeLeaf(steps, path, mountpoint, name);
  }
  if (unified !== undefined) makeLeaf(steps, unified.path, unified.mountpoint, "");
  const cpuset = v1.find(({ name }) => hasController(name, "cpuset"));
  if (cpuset !== undefined) inheritCpuset(steps, cpuset);
  return steps;
}

function makeLeaf(steps: RuntimeStep[], path: string, mountpoint: string, controllers: string): void {
  steps.push(
    { step: "mkdir cgroup", path, mountpoint, controllers, origin: ORIGIN },
    { step: "check cgroup empty", path, mountpoint, controllers, origin: ORIGIN },
  );
}

function inheritCpuset(steps: RuntimeStep[], { path, mountpoint }: CgroupPath): void {
  for (let end = path.indexOf("/", mountpoint.length + 1); ; end = path.indexOf("/", end + 1)) {
    const folder = end < 0 ? path : path.slice(0, end);
    steps.push({ step: "inherit cgroup file", path: folder, file: "cpuset.cpus", origin: ORIGIN });
    steps.push({ step: "inherit cgroup file", path: folder, file: "cpuset.mems", origin: ORIGIN });
    if (end < 0) return;
  }
}

/** The leaf folders, the freezer first: status needs it alone. */
export function cgroupLeaves(paths: CgroupPaths): string[] {
  const leaves: string[] = [];
  for (let i = 0; i < paths.v1.length; i++) {
    const { name, path } = paths.v1[i] as CgroupPath;
    if (hasController(name, "freezer")) leaves.unshift(path);
    else leaves.push(path);
  }
  if (paths.unified !== undefined) leaves.push(paths.unified.path);
  return leaves;
}
