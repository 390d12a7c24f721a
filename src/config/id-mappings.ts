// linux.uidMappings and linux.gidMappings.

import { type Context, missing, readEach, readElement, readId, readInteger } from "./context.ts";
import type { IdMapping } from "./types.ts";

const UINT32_MAX = 0xffffffff;

function decodeMapping(c: Context, value: unknown): IdMapping | undefined {
  const object = readElement(c, value);
  if (object === undefined) return undefined;
  const containerID = readId(c, object.containerID, "containerID");
  const hostID = readId(c, object.hostID, "hostID");
  const size = readInteger(c, object.size, "size", 1, UINT32_MAX);
  if (object.containerID === undefined || object.containerID === null) missing(c, "containerID");
  if (object.hostID === undefined || object.hostID === null) missing(c, "hostID");
  if (object.size === undefined || object.size === null) missing(c, "size");
  if (containerID === undefined || hostID === undefined || size === undefined) return undefined;
  return { containerID, hostID, size };
}

export function decodeIdMappings(c: Context, value: unknown, key: "uidMappings" | "gidMappings"): IdMapping[] {
  return readEach(c, value, key, decodeMapping);
}
