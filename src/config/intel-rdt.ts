// linux.intelRdt.

import {
  type Context,
  enter,
  type Key,
  leave,
  readFlag,
  readObject,
  readTexts,
  readWord,
  report,
  show,
  wrong,
} from "./context.ts";
import type { IntelRdt } from "./types.ts";

const NAME_MAX = 255;
/** What lies beside the groups in a resctrl file system. */
const RESERVED = ["info", "mon_groups", "mon_data"];

/** Whether a group can have the name; "/" is the top and has none. */
function isGroupName(name: string): boolean {
  if (name === "" || name === "." || name === ".." || name.length > NAME_MAX || RESERVED.includes(name)) return false;
  // The kernel writes names line by line.
  return !name.includes("/") && !name.includes("\n");
}

/** One line of a schemata file. */
function readSchema(c: Context, value: unknown, key: Key, resource: string): string | undefined {
  const schema = readWord(c, value, key);
  if (schema?.includes("\n")) wrong(c, key, "free of newlines", schema);
  if (schema === undefined || schema.startsWith(`${resource}:`)) return schema;
  // runtime-spec: MUST for the bandwidth, SHOULD for the cache.
  const kind = resource === "MB" ? "invalid" : "warning";
  report(c, kind, key, `must begin with "${resource}:", got ${show(schema)}`);
  return schema;
}

/** An empty object asks for a group, too. */
export function decodeIntelRdt(c: Context, value: unknown): IntelRdt | undefined {
  const object = readObject(c, value, "intelRdt");
  if (object === undefined) return undefined;
  enter(c, "intelRdt");
  const rdt: IntelRdt = {
    schemata: readTexts(c, object.schemata, "schemata"),
    enableMonitoring: readFlag(c, object.enableMonitoring, "enableMonitoring"),
  };
  const closID = readWord(c, object.closID, "closID");
  if (closID !== undefined) rdt.closID = closID;
  if (closID !== undefined && closID !== "/" && !isGroupName(closID)) {
    wrong(c, "closID", 'the name of a resctrl group, or "/"', closID);
  }
  const l3CacheSchema = readSchema(c, object.l3CacheSchema, "l3CacheSchema", "L3");
  if (l3CacheSchema !== undefined) rdt.l3CacheSchema = l3CacheSchema;
  const memBwSchema = readSchema(c, object.memBwSchema, "memBwSchema", "MB");
  if (memBwSchema !== undefined) rdt.memBwSchema = memBwSchema;
  enter(c, "schemata");
  for (let i = 0; i < rdt.schemata.length; i++) {
    if (rdt.schemata[i]?.includes("\n")) wrong(c, i, "free of newlines", rdt.schemata[i]);
  }
  leave(c);
  for (const old of ["enableCMT", "enableMBM"]) {
    if (object[old]) report(c, "warning", old, "is ignored: since runtime-spec 1.3 it is enableMonitoring");
  }
  leave(c);
  return rdt;
}
