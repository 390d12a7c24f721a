// linux.resources as writes to the files of a container's cgroup, without its devices (devices.ts). What each field means
// in which cgroup mode: docs/resources.md.

import type { Resources } from "../config/types.ts";
import type { CgroupFacts } from "../host/facts.ts";
import { loaded } from "../lazy.ts";
import type { RuntimeStep } from "../plan/plan.ts";
import type { CgroupPaths } from "./path.ts";

const LIMITS = ["memory", "cpu", "pids", "blockIO", "hugepageLimits", "network", "rdma", "unified"] as const;

/**
 * The steps that apply the limits: on the unified hierarchy first one that enables the controllers. `base` is the JSON
 * pointer of the resources, for the origin of each step. Throws RuntimeError, with the field, for what the hierarchies
 * that there are cannot do.
 */
export function resourceSteps(
  resources: Resources,
  paths: CgroupPaths,
  facts: CgroupFacts,
  base: string,
): RuntimeStep[] {
  for (let i = 0; i < LIMITS.length; i++) {
    if (resources[LIMITS[i] as (typeof LIMITS)[number]] === undefined) continue;
    return loaded(import("./resources-all.ts")).limitSteps(resources, paths, facts, base);
  }
  return [];
}
