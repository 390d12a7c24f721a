// The cross-field rules: everything that runc refuses about a config, and what the kernel would refuse later without
// saying which field it was. Rules that need the host (is the rootfs a symlink, is a joined network namespace the host's
// own, is a bind source at /proc a procfs) are not here: commands and init check those where they open the files.

import { loaded } from "../lazy.ts";
import type { Check } from "./checks/check.ts";
import { MOUNT_CHECKS } from "./checks/mounts.ts";
import { NAMESPACE_CHECKS } from "./checks/namespaces.ts";
import { PROCESS_CHECKS } from "./checks/process.ts";
import { SECCOMP_CHECKS } from "./checks/seccomp.ts";
import { SYSCTL_CHECKS } from "./checks/sysctl.ts";
import { MAX_ISSUES } from "./context.ts";
import type { Config, Issue } from "./types.ts";

const SECTIONS: readonly (readonly Check[])[] = [
  PROCESS_CHECKS,
  MOUNT_CHECKS,
  NAMESPACE_CHECKS,
  SYSCTL_CHECKS,
  SECCOMP_CHECKS,
];

/** Applies every rule to a config; `earlier` are the issues of decoding it. Returns the new issues alone. */
export function checkConfig(config: Config, earlier: readonly Issue[] = []): Issue[] {
  const issues: Issue[] = [];
  const moot = earlier.length === 0 ? undefined : loaded(import("./checks/moot.ts"));
  let current: Check | undefined;
  const add = (pointer: string, message: string, kind: Issue["kind"] = "invalid") => {
    if (earlier.length + issues.length >= MAX_ISSUES) return;
    if (current !== undefined && moot?.isElementMoot(current, pointer, earlier)) return;
    issues.push({ pointer, kind, message });
  };
  for (let s = 0; s < SECTIONS.length; s++) {
    const checks = SECTIONS[s] as readonly Check[];
    for (let i = 0; i < checks.length; i++) {
      current = checks[i] as Check;
      if (!moot?.isMoot(current, earlier)) current.run(config, add);
    }
  }
  return issues;
}
