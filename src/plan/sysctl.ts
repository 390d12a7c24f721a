// linux.sysctl: written through a procfs of our own (procfs.ts).

import { loaded } from "../lazy.ts";
import { RESOLVE_BENEATH, RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS, RESOLVE_NO_XDEV } from "../tables/linux.ts";
import type { Compilation } from "./compilation.ts";

const RESOLVE = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;

export function writeSysctls(c: Compilation): void {
  const { sysctl } = c.config.linux;
  if (sysctl.size === 0) return;
  const { ops } = c;
  const { sysctlPath } = loaded(import("../tables/sysctl.ts"));
  for (const [key, value] of sysctl) {
    ops.at(sysctlPointer(key), key);
    // The checks of config.json look at the same path, and have refused a key without one.
    ops.write_file(c.procfs, `sys/${sysctlPath(key) ?? ""}`, RESOLVE, value);
  }
}

/** RFC 6901. */
export function sysctlPointer(key: string): string {
  return `/linux/sysctl/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
}
