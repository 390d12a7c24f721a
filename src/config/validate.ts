// The cross-field rules: everything that runc refuses about a config, and what the kernel would refuse later without
// saying which field it was. Rules that need the host (is the rootfs a symlink, is a joined network namespace the host's
// own, is a bind source at /proc a procfs) are not here: commands and init check those where they open the files.

import type { Check } from "./checks/check.ts";
import { MOUNT_CHECKS } from "./checks/mounts.ts";
import { NAMESPACE_CHECKS } from "./checks/namespaces.ts";
import { PROCESS_CHECKS } from "./checks/process.ts";
import { SYSCTL_CHECKS } from "./checks/sysctl.ts";
import { MAX_ISSUES } from "./context.ts";
import type { Config, Issue } from "./types.ts";

const SECTIONS: readonly (readonly Check[])[] = [PROCESS_CHECKS, MOUNT_CHECKS, NAMESPACE_CHECKS, SYSCTL_CHECKS];

/** Whether `pointer` is `place` or lies inside it. */
function isInside(pointer: string, place: string): boolean {
  return pointer === place || pointer.startsWith(`${place}/`);
}

/** Whether a rule reads a place that is invalid by itself, or lies inside one. */
function isMoot(check: Check, earlier: readonly Issue[]): boolean {
  for (const { pointer, kind } of earlier) {
    if (kind !== "invalid") continue;
    for (const read of check.reads) {
      if (isInside(read, pointer) || (check.each !== true && isInside(pointer, read))) return true;
    }
  }
  return false;
}

/** Whether the array element that `pointer` lies in (`/mounts/2` of `/mounts/2/type`) had an issue before. */
function isElementMoot(check: Check, pointer: string, earlier: readonly Issue[]): boolean {
  const array = check.reads.find((read) => isInside(pointer, read));
  if (check.each !== true || array === undefined) return false;
  const end = pointer.indexOf("/", array.length + 1);
  const element = end < 0 ? pointer : pointer.slice(0, end);
  return earlier.some((issue) => issue.kind === "invalid" && isInside(issue.pointer, element));
}

/** Applies every rule to a config; `earlier` are the issues of decoding it. Returns the new issues alone. */
export function checkConfig(config: Config, earlier: readonly Issue[] = []): Issue[] {
  const issues: Issue[] = [];
  let current: Check | undefined;
  const add = (pointer: string, message: string, kind: Issue["kind"] = "invalid") => {
    if (earlier.length + issues.length >= MAX_ISSUES) return;
    if (current !== undefined && earlier.length > 0 && isElementMoot(current, pointer, earlier)) return;
    issues.push({ pointer, kind, message });
  };
  for (let s = 0; s < SECTIONS.length; s++) {
    const checks = SECTIONS[s] as readonly Check[];
    for (let i = 0; i < checks.length; i++) {
      current = checks[i] as Check;
      if (earlier.length === 0 || !isMoot(current, earlier)) current.run(config, add);
    }
  }
  return issues;
}
