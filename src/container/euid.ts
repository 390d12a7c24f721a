import type { Native } from "../host/native.gen.ts";

/** Effective uid of this process. */
export function euid(native: Native): number {
  const ids = native.ids();
  return typeof ids === "number" ? 0 : (ids[1] as number);
}
