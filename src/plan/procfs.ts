// A procfs of our own that is attached nowhere, for sysctls and labels: no mount of the container and no symlink can lead
// such a write astray (CVE-2019-16884, CVE-2025-52881).

import {
  O_DIRECTORY,
  O_PATH,
  PROC_SUPER_MAGIC,
  RESOLVE_BENEATH,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_XDEV,
} from "../tables/linux.ts";
import { MOUNT_ATTR } from "../tables/mount-options.ts";
import type { Compilation } from "./compilation.ts";
import { NONE } from "./protocol.ts";

/** `thread-self` is a symlink, which cannot leave the mount. */
const RESOLVE = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS;

/** Before pivot_root, while an uncovered procfs is visible: a user namespace gets no other. Once. */
export function openProcfs(c: Compilation, pointer: string): void {
  if (c.procfs !== NONE) return;
  const { ops } = c;
  c.procfs = ops.slot();
  const attributes = MOUNT_ATTR.NOSUID | MOUNT_ATTR.NODEV | MOUNT_ATTR.NOEXEC;
  ops.at(pointer, "proc").new_mount(c.procfs, "proc", attributes, NONE, ["source=proc"]);
}

/**
 * Before the joiner enters anything: the host's procfs, in which `thread-self` is right wherever a thread lives. Without
 * privilege there is only the one that is mounted.
 */
export function openHostProcfs(c: Compilation, pointer: string): void {
  if (c.options.facts.euid === 0) {
    openProcfs(c, pointer);
    return;
  }
  const { ops } = c;
  c.procfs = ops.slot();
  ops.at(pointer, "/proc").open(c.procfs, NONE, "/proc", O_PATH | O_DIRECTORY, 0, 0);
  ops.check_fs(c.procfs, PROC_SUPER_MAGIC);
}

/** Writes an attribute of this thread (proc_pid_attr(5)); the origin is set. */
export function writeAttribute(c: Compilation, attribute: string, value: string): void {
  c.ops.write_file(c.procfs, `thread-self/attr/${attribute}`, RESOLVE, value);
}

/** After the last write. */
export function closeProcfs(c: Compilation): void {
  if (c.procfs === NONE) return;
  c.ops.at("default", "proc").close(c.procfs);
  c.procfs = NONE;
}
