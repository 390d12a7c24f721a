// Fields that Berth knows and does not do yet: a value that asks for something is an "unsupported" issue at its place.

import { type Context, type Key, report } from "./context.ts";

const DEPTH = 4;

/** Whether a value asks for nothing: absent, null, false, 0, "" or made of such values. */
function asksNothing(value: unknown, depth: number): boolean {
  if (value === undefined || value === null || value === false || value === 0 || value === "") return true;
  if (typeof value !== "object" || depth === 0) return false;
  const parts = Object.values(value);
  for (let i = 0; i < parts.length; i++) if (!asksNothing(parts[i], depth - 1)) return false;
  return true;
}

/** Reports the field unless its value asks for nothing (engines write empty objects). */
export function checkLater(c: Context, value: unknown, key: Key): void {
  if (value !== undefined && !asksNothing(value, DEPTH)) report(c, "unsupported", key, "is not supported yet");
}
