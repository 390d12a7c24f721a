// linux.uidMappings and linux.gidMappings.

import { type Context, enter, leave, missing, readElement, readId, readInteger, readList } from "./context.ts";
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
  const list = readList(c, value, key);
  const mappings: IdMapping[] = [];
  enter(c, key);
  for (let i = 0; i < list.length; i++) {
    enter(c, i);
    const mapping = decodeMapping(c, list[i]);
    if (mapping !== undefined) mappings.push(mapping);
    leave(c);
  }
  leave(c);
  return mappings;
}
