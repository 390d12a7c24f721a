// linux.seccomp: rules between its fields.

import type { Config } from "../types.ts";
import type { Add, Check } from "./check.ts";

function checkListener(config: Config, add: Add): void {
  const { seccomp } = config.linux;
  if (seccomp === undefined || seccomp.listenerPath !== undefined) return;
  const notified = seccomp.syscalls.findIndex(({ action }) => action === "SCMP_ACT_NOTIFY");
  if (notified < 0) return;
  const message = `must be set, as /linux/seccomp/syscalls/${notified}/action is SCMP_ACT_NOTIFY`;
  add("/linux/seccomp/listenerPath", message);
}

export const SECCOMP_CHECKS: readonly Check[] = [{ reads: ["/linux/seccomp"], run: checkListener }];
