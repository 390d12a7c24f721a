// linux.resources.memory.

import {
  type Context,
  enter,
  INT64_MAX,
  type JsonObject,
  leave,
  readBig,
  readFlag,
  readObject,
  report,
  UINT64_MAX,
} from "./context.ts";
import type { MemoryResources } from "./types.ts";

/** -1 is "unlimited", 0 is "not set". */
function readLimit(c: Context, object: JsonObject, key: "limit" | "reservation" | "swap"): bigint | undefined {
  return readBig(c, object[key], key, -1n, INT64_MAX) || undefined;
}

/** 0 to 100, as the spec says. Docker writes -1 as 2^64 - 1 for "not set", which runc takes. */
function readSwappiness(c: Context, value: unknown): bigint | undefined {
  const swappiness = readBig(c, value, "swappiness", 0n, UINT64_MAX);
  if (swappiness === undefined || swappiness === UINT64_MAX) return undefined;
  if (swappiness > 100n) report(c, "invalid", "swappiness", `must be from 0 to 100, got ${swappiness}`);
  return swappiness;
}

/** What no kernel of today has: runc warns about the first two, and is silent about the third. */
function warnIgnored(c: Context, object: JsonObject): void {
  for (const key of ["kernel", "kernelTCP"] as const) {
    const limit = readBig(c, object[key], key, -1n, INT64_MAX);
    if (limit !== undefined && limit > 0n)
      report(c, "warning", key, "is ignored: kernel memory has no limit of its own");
  }
  if (object.useHierarchy === undefined || object.useHierarchy === null) return;
  if (!readFlag(c, object.useHierarchy, "useHierarchy") && object.useHierarchy === false) {
    report(c, "warning", "useHierarchy", "is ignored: the memory of child cgroups always counts");
  }
}

/** Undefined when nothing is asked. */
export function decodeMemory(c: Context, value: unknown): MemoryResources | undefined {
  const object = readObject(c, value, "memory");
  if (object === undefined) return undefined;
  enter(c, "memory");
  const memory: MemoryResources = {};
  const limit = readLimit(c, object, "limit");
  if (limit !== undefined) memory.limit = limit;
  const reservation = readLimit(c, object, "reservation");
  if (reservation !== undefined) memory.reservation = reservation;
  const swap = readLimit(c, object, "swap");
  if (swap !== undefined) memory.swap = swap;
  if (limit !== undefined && swap !== undefined && swap > 0n && swap < limit) {
    report(c, "invalid", "swap", `counts memory and swap together: must be at least the limit ${limit}, got ${swap}`);
  }
  const swappiness = readSwappiness(c, object.swappiness);
  if (swappiness !== undefined) memory.swappiness = swappiness;
  if (readFlag(c, object.disableOOMKiller, "disableOOMKiller")) memory.disableOOMKiller = true;
  if (readFlag(c, object.checkBeforeUpdate, "checkBeforeUpdate")) memory.checkBeforeUpdate = true;
  warnIgnored(c, object);
  leave(c);
  for (const _ in memory) return memory;
  return undefined;
}
