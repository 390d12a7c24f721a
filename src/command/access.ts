import { warn } from "../errors/warning.ts";

const EPERM = 1;
const EACCES = 13;

/** runc's hint for what rootless containers often lack. `result` is a native call's. */
export function warnOfAccess(command: string, result: number): void {
  if (result !== -EPERM && result !== -EACCES) return;
  warn(`berth ${command} failure might be caused by lack of full access to cgroups`);
}
