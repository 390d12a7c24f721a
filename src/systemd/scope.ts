// The transient scope of a container as one message: everything that it is to have from its first moment on.

import type { UnitPlace } from "../cgroup/systemd-path.ts";
import type { Resources } from "../config/types.ts";
import type { CgroupFacts } from "../host/facts.ts";
import { annotationProperties } from "./annotations.ts";
import { limitProperties } from "./limits.ts";
import { flag, text, type UnitProperty } from "./property.ts";
import { oomPolicy } from "./unified.ts";

export interface Scope {
  /** When the unit is made; the process that goes into it (PIDs) is added by who knows it. */
  first: UnitProperty[];
  /** Set later: while init works it has one process more than it may, or opens devices that it may not. */
  later: UnitProperty[];
}

/**
 * runc's list, with the limits. Accounting is always on: engines read the statistics. `crowded`: a joiner is in the scope
 * before the container's init is. Throws RuntimeError for an annotation or limit that is none.
 */
export function scopeProperties(
  place: UnitPlace,
  resources: Resources,
  annotations: ReadonlyMap<string, string>,
  host: { mode: CgroupFacts["mode"]; version: number },
  crowded: boolean,
): Scope {
  const io = host.mode === "v2" ? "IOAccounting" : "BlockIOAccounting";
  const first = [
    text("Description", `berth container ${place.name}`),
    text("Slice", place.slice),
    flag("Delegate", true),
    flag("MemoryAccounting", true),
    flag("CPUAccounting", true),
    flag(io, true),
    flag("TasksAccounting", true),
    flag("DefaultDependencies", false),
    ...annotationProperties(annotations),
    ...oomPolicy(resources.unified, host.version),
  ];
  const later: UnitProperty[] = [];
  for (const property of limitProperties(resources, host.mode, host.version, "/linux/resources")) {
    (crowded && property.name === "TasksMax" ? later : first).push(property);
  }
  return { first, later };
}
