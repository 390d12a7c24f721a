// linux.sysctl: written through a procfs of our own that is attached nowhere, so that no mount of the container and no
// symlink can lead a write astray (CVE-2025-52881).

import { RESOLVE_BENEATH, RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS, RESOLVE_NO_XDEV } from "../tables/linux.ts";
import { MOUNT_ATTR } from "../tables/mount-options.ts";
import type { Compilation } from "./compilation.ts";
import { NONE } from "./protocol.ts";

const POINTER = "/linux/sysctl";
const RESOLVE = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;

/** Before pivot_root, while an uncovered procfs is visible: a user namespace gets no other. NONE: no sysctl. */
export function openProcfs(c: Compilation): number {
  if (c.config.linux.sysctl.size === 0) return NONE;
  const { ops } = c;
  const proc = ops.slot();
  const attributes = MOUNT_ATTR.NOSUID | MOUNT_ATTR.NODEV | MOUNT_ATTR.NOEXEC;
  ops.at(POINTER, "proc").new_mount(proc, "proc", attributes, NONE, ["source=proc"]);
  return proc;
}

export function writeSysctls(c: Compilation, proc: number): void {
  if (proc === NONE) return;
  const { ops } = c;
  for (const [key, value] of c.config.linux.sysctl) {
    ops.at(`${POINTER}/${escapeToken(key)}`, key);
    ops.write_file(proc, `sys/${key.replaceAll(".", "/")}`, RESOLVE, value);
  }
  ops.close(proc);
}

/** RFC 6901. */
function escapeToken(key: string): string {
  return key.replaceAll("~", "~0").replaceAll("/", "~1");
}
