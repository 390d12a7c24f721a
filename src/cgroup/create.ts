// The runtime's steps that make a container's cgroups and limit them, and what is to be removed later.

import type { CgroupFacts } from "../host/facts.ts";
import type { RuntimeStep } from "../plan/plan.ts";
import { type CgroupPath, type CgroupPaths, hasController } from "./path.ts";

const ORIGIN = { pointer: "/linux/cgroupsPath" };
const CPUSET_FILES = ["cpuset.cpus", "cpuset.mems"] as const;

/**
 * Makes every leaf, after which init can move into it, and does those of the `limits` (see resourceSteps) that must be
 * there before it does. A leaf that was there before is refused when it has processes or is frozen. A v1 cpuset takes cpus
 * and mems from its parent, all the way down: without them nothing can join it. On v2 controllers are enabled, with or
 * without limits, because engines read the statistics that they keep.
 */
export function cgroupSteps(paths: CgroupPaths, facts: CgroupFacts, limits: readonly RuntimeStep[]): CgroupSteps {
  const unified = paths.unified === undefined ? [] : unifiedSteps(paths.unified, facts, limits);
  const v1: RuntimeStep[] = [];
  for (let i = 0; i < paths.v1.length; i++) {
    const { name, mountpoint, path } = paths.v1[i] as CgroupPath;
    makeLeaf(v1, path, mountpoint, name);
  }
  const cpuset = paths.v1.find(({ name }) => hasController(name, "cpuset"));
  if (cpuset !== undefined) inheritCpuset(v1, cpuset, limits);
  for (let i = 0; i < limits.length; i++) {
    const step = limits[i] as RuntimeStep;
    if (isEarly(step)) (isBelow(step, paths.unified?.path) ? unified : v1).push(step);
  }
  return { unified, v1 };
}

/** init is cloned into the unified cgroup, and moves itself into those of v1: these can be made while it is cloned. */
export interface CgroupSteps {
  unified: RuntimeStep[];
  v1: RuntimeStep[];
}

function unifiedSteps(
  leaf: { path: string; mountpoint: string },
  facts: CgroupFacts,
  limits: readonly RuntimeStep[],
): RuntimeStep[] {
  const steps: RuntimeStep[] = [];
  makeLeaf(steps, leaf.path, leaf.mountpoint, "");
  if (facts.mode === "v2" && limits[0]?.step !== "enable controllers") steps.push(enableAll(leaf));
  return steps;
}

/** With systemd, which makes the leaves: only the checks. */
export function cgroupChecks({ v1, unified }: CgroupPaths): RuntimeStep[] {
  const leaves = v1.map(({ name, mountpoint, path }) => ({ path, mountpoint, controllers: name }));
  if (unified !== undefined) leaves.push({ ...unified, controllers: "" });
  return leaves.map((leaf) => ({ step: "check cgroup empty", ...leaf, origin: ORIGIN }));
}

/** v2: the leaf gets every controller that the folders above let it have. */
export function enableAll({ path, mountpoint }: { path: string; mountpoint: string }): RuntimeStep {
  const others = { controllers: [], pointers: [], others: true };
  return { step: "enable controllers", path, mountpoint, ...others, origin: ORIGIN };
}

function isBelow(step: RuntimeStep, folder: string | undefined): boolean {
  return "path" in step && step.path === folder;
}

/** The limits that cgroupSteps leaves for the time when init is in its cgroup: they are applied while it mounts. */
export function lateLimits(limits: readonly RuntimeStep[]): RuntimeStep[] {
  return limits.filter((step) => !isEarly(step));
}

/**
 * Controllers, since enabling one where there are processes makes the kernel stop them all; v1's cpuset, which nothing can
 * join before it has its files; real-time bandwidth, without which no real-time process can.
 */
export function isEarly(step: RuntimeStep): boolean {
  if (step.step === "enable controllers") return true;
  if (step.step !== "write cgroup file") return false;
  return step.file.startsWith("cpuset.") || step.file.startsWith("cpu.rt_");
}

function makeLeaf(steps: RuntimeStep[], path: string, mountpoint: string, controllers: string): void {
  steps.push(
    { step: "mkdir cgroup", path, mountpoint, controllers, origin: ORIGIN },
    { step: "check cgroup empty", path, mountpoint, controllers, origin: ORIGIN },
  );
}

/** What the limits set in the leaf is not inherited: it could be in conflict with an exclusive set beside it. */
export function inheritCpuset(
  steps: RuntimeStep[],
  { path, mountpoint }: CgroupPath,
  limits: readonly RuntimeStep[],
): void {
  for (let end = path.indexOf("/", mountpoint.length + 1); ; end = path.indexOf("/", end + 1)) {
    const folder = end < 0 ? path : path.slice(0, end);
    for (let i = 0; i < CPUSET_FILES.length; i++) {
      const file = CPUSET_FILES[i] as string;
      if (end < 0 && limits.some((step) => step.step === "write cgroup file" && step.file === file)) continue;
      steps.push({ step: "inherit cgroup file", path: folder, file, origin: ORIGIN });
    }
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
