// linux.resources (config-linux.md, "Control groups"); `update` reads the same object. Limits have their own files, which
// are loaded when there is one: a config without limits has only device rules.

import { loaded } from "../lazy.ts";
import { type Context, type JsonObject, readObject } from "./context.ts";
import { decodeDeviceRules } from "./devices.ts";
import type { Resources } from "./types.ts";

const LIMITS = ["memory", "cpu", "pids", "blockIO", "hugepageLimits", "network", "rdma", "unified"] as const;

/**
 * Decodes the resources object at the current place. A section that asks for nothing, such as the empty ones that engines
 * write, is absent from the result.
 */
export function decodeResources(c: Context, value: unknown): Resources {
  const object = readObject(c, value);
  if (object === undefined) return { devices: [] };
  const resources: Resources = { devices: decodeDeviceRules(c, object.devices) };
  if (hasLimits(object)) loaded(import("./limits.ts")).decodeLimits(c, object, resources);
  return resources;
}

function hasLimits(object: JsonObject): boolean {
  for (let i = 0; i < LIMITS.length; i++) {
    const section = object[LIMITS[i] as string];
    if (section !== undefined && section !== null && !isEmptyObject(section)) return true;
  }
  return false;
}

/** `{}`, which engines write for a section without limits. */
function isEmptyObject(value: unknown): boolean {
  if (typeof value !== "object") return false;
  for (const _ in value) return false;
  return !Array.isArray(value);
}
