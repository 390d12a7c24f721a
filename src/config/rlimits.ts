// process.rlimits.

import { rlimitNumber } from "../tables/rlimits.ts";
import {
  type Context,
  missing,
  readBig,
  readEach,
  readElement,
  readText,
  report,
  UINT64_MAX,
  wrong,
} from "./context.ts";
import type { Rlimit } from "./types.ts";

function readLimit(c: Context, value: unknown, key: string): bigint {
  if (value === undefined || value === null) missing(c, key);
  return readBig(c, value, key, 0n, UINT64_MAX) ?? 0n;
}

function decodeRlimit(c: Context, value: unknown, seen: number): Rlimit | undefined {
  const object = readElement(c, value);
  if (object === undefined) return undefined;
  const type = readText(c, object.type, "type");
  const resource = type === undefined ? -1 : rlimitNumber(type);
  const soft = readLimit(c, object.soft, "soft");
  const hard = readLimit(c, object.hard, "hard");
  if (object.type === undefined || object.type === null) missing(c, "type");
  if (resource < 0) {
    if (type !== undefined) wrong(c, "type", "a resource such as RLIMIT_NOFILE", type);
    return undefined;
  }
  if (seen & (1 << resource)) report(c, "invalid", "type", `must not be given twice: ${type}`);
  return { resource, soft, hard };
}

export function decodeRlimits(c: Context, value: unknown): Rlimit[] {
  let seen = 0;
  return readEach(c, value, "rlimits", (_c, element) => {
    const rlimit = decodeRlimit(c, element, seen);
    if (rlimit !== undefined) seen |= 1 << rlimit.resource;
    return rlimit;
  });
}
