// Which groups of resctrl a container with linux.intelRdt is in.

import type { IntelRdt } from "../config/types.ts";
import { RuntimeError } from "../errors/runtime-error.ts";
import type { ResctrlFacts } from "../host/facts.ts";

const POINTER = "/linux/intelRdt";

export interface ResctrlPlace {
  /** Where the file system is mounted. */
  root: string;
  /** Relative to it: the group, "" for the default one, and the monitoring group in it. */
  group: string;
  monitor?: string;
}

/** Throws RuntimeError for what this host cannot do. */
export function resctrlPlace(rdt: IntelRdt, id: string, facts: ResctrlFacts | undefined): ResctrlPlace {
  if (facts === undefined) {
    const message = "intelRdt is specified in config, but no resctrl file system is mounted";
    throw new RuntimeError({ message, pointer: POINTER });
  }
  if (rdt.l3CacheSchema !== undefined && !facts.l3) throw without("l3CacheSchema", "allocate L3 cache");
  if (rdt.memBwSchema !== undefined && !facts.mb) throw without("memBwSchema", "allocate memory bandwidth");
  const group = rdt.closID === undefined ? id : rdt.closID === "/" ? "" : rdt.closID;
  if (RESERVED.includes(group)) {
    const message = "a resctrl group cannot have the container's id as its name: closID is needed";
    throw new RuntimeError({ message, pointer: POINTER, path: id });
  }
  if (!rdt.enableMonitoring) return { root: facts.root, group };
  return { root: facts.root, group, monitor: `${group === "" ? "" : `${group}/`}mon_groups/${id}` };
}

/** What lies beside the groups. A closID is checked with config.json. */
const RESERVED: readonly string[] = ["info", "mon_groups", "mon_data"];

function without(field: string, what: string): RuntimeError {
  return new RuntimeError({ message: `this machine's resctrl cannot ${what}`, pointer: `${POINTER}/${field}` });
}

/** Whether limits are asked for; without any, a closID names a group that is there. */
export function hasSchemata({ l3CacheSchema, memBwSchema, schemata }: IntelRdt): boolean {
  return l3CacheSchema !== undefined || memBwSchema !== undefined || schemata.some((line) => line !== "");
}
