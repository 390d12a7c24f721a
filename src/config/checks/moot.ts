// Which rules are not asked, because what they would look at is invalid by itself.

import type { Issue } from "../types.ts";
import type { Check } from "./check.ts";

/** Whether `pointer` is `place` or lies inside it. */
function isInside(pointer: string, place: string): boolean {
  return pointer === place || pointer.startsWith(`${place}/`);
}

/** Whether a rule reads a place that is invalid by itself, or lies inside one. */
export function isMoot(check: Check, earlier: readonly Issue[]): boolean {
  for (const { pointer, kind } of earlier) {
    if (kind !== "invalid") continue;
    for (const read of check.reads) {
      if (isInside(read, pointer) || (check.each !== true && isInside(pointer, read))) return true;
    }
  }
  return false;
}

/** Whether the array element that `pointer` lies in (`/mounts/2` of `/mounts/2/type`) had an issue before. */
export function isElementMoot(check: Check, pointer: string, earlier: readonly Issue[]): boolean {
  const array = check.reads.find((read) => isInside(pointer, read));
  if (check.each !== true || array === undefined) return false;
  const end = pointer.indexOf("/", array.length + 1);
  const element = end < 0 ? pointer : pointer.slice(0, end);
  return earlier.some((issue) => issue.kind === "invalid" && isInside(issue.pointer, element));
}
