// linux.namespaces and linux.timeOffsets.

import { isNamespaceType, namespaceTypes } from "../tables/namespaces.ts";
import {
  type Context,
  enter,
  INT64_MAX,
  INT64_MIN,
  leave,
  missing,
  oneOf,
  readBig,
  readEach,
  readElement,
  readInteger,
  readObject,
  readWord,
  report,
  wrong,
} from "./context.ts";
import type { Namespace, TimeOffset } from "./types.ts";

function decodeNamespace(c: Context, value: unknown, before: readonly Namespace[]): Namespace | undefined {
  const object = readElement(c, value);
  if (object === undefined) return undefined;
  const type = readWord(c, object.type, "type");
  const path = readWord(c, object.path, "path");
  if (path !== undefined && !path.startsWith("/")) wrong(c, "path", "an absolute path", path);
  if (type === undefined) {
    if (object.type === undefined || object.type === null || object.type === "") missing(c, "type");
    return undefined;
  }
  if (!isNamespaceType(type)) {
    wrong(c, "type", `one of ${oneOf(namespaceTypes())}`, type);
    return undefined;
  }
  for (let i = 0; i < before.length; i++) {
    if (before[i]?.type === type) report(c, "invalid", "type", `must not be given twice: ${type}`);
  }
  return path === undefined ? { type } : { type, path };
}

export function decodeNamespaces(c: Context, value: unknown): Namespace[] {
  return readEach(c, value, "namespaces", decodeNamespace);
}

export function decodeTimeOffsets(c: Context, value: unknown): TimeOffset[] {
  const object = readObject(c, value, "timeOffsets");
  if (object === undefined) return [];
  const offsets: TimeOffset[] = [];
  enter(c, "timeOffsets");
  const clocks = Object.keys(object).sort();
  for (let i = 0; i < clocks.length; i++) {
    const clock = clocks[i] as string;
    if (clock !== "boottime" && clock !== "monotonic") {
      report(c, "invalid", clock, 'must be the offset of "boottime" or "monotonic"');
      continue;
    }
    enter(c, clock);
    const offset = readElement(c, object[clock]);
    const secs = readBig(c, offset?.secs, "secs", INT64_MIN, INT64_MAX) ?? 0n;
    const nanosecs = readInteger(c, offset?.nanosecs, "nanosecs", 0, 999_999_999) ?? 0;
    leave(c);
    offsets.push({ clock, secs, nanosecs });
  }
  leave(c);
  return offsets;
}
