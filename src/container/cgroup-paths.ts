// The recorded cgroups of a container, by hierarchy.

import type { CgroupPath, CgroupPaths } from "../cgroup/path.ts";
import type { CgroupFacts } from "../host/facts.ts";

/** `cgroups` are the recorded leaves; where this process is in the hierarchies does not matter. */
export function recordedPaths(cgroups: readonly string[], facts: CgroupFacts): CgroupPaths {
  const below = (mountpoint: string): string | undefined => cgroups.find((path) => path.startsWith(`${mountpoint}/`));
  const v1: CgroupPath[] = [];
  for (const { name, mountpoint } of facts.hierarchies) {
    const path = below(mountpoint);
    if (path !== undefined) v1.push({ name, mountpoint, path });
  }
  const path = facts.unified === undefined ? undefined : below(facts.unified.mountpoint);
  if (facts.unified === undefined || path === undefined) return { v1 };
  return { v1, unified: { mountpoint: facts.unified.mountpoint, path } };
}
