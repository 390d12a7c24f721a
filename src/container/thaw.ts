// Thaws what a signal could not reach.

import type { Native } from "../host/native.gen.ts";
import { AT_FDCWD, O_WRONLY } from "./open-flags.ts";

/**
 * On v1 a frozen process dies of SIGKILL only once it is thawed; on v2 at once. The freezer's cgroup is recorded first, but
 * may have been mounted where nobody else is looked for.
 */
export function thaw(native: Native, cgroups: readonly string[]): void {
  for (const cgroup of cgroups) {
    if (native.write_file(AT_FDCWD, `${cgroup}/freezer.state`, O_WRONLY, 0, "THAWED") >= 0) return;
  }
}
