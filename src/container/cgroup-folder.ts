// The way to a recorded cgroup: only below the top of a mounted hierarchy, and through no symlink.

import { RuntimeError } from "../errors/runtime-error.ts";
import { nativeError } from "../host/must.ts";
import type { Native } from "../host/native.gen.ts";

const AT_FDCWD = -100;
const O_DIRECTORY = 0o200000;
const O_NOFOLLOW = 0o400000;
const O_PATH = 0o10000000;
const RESOLVE_NO_MAGICLINKS = 2;
const RESOLVE_NO_SYMLINKS = 4;
const CGROUP_SUPER_MAGIC = 0x27e0eb;
const CGROUP2_SUPER_MAGIC = 0x63677270;
const ENOENT = 2;

/** The folder above, as a descriptor to close; negative when it is gone, and the cgroup with it. Throws RuntimeError. */
export function openAbove(native: Native, path: string): number {
  if (!isPlain(path)) throw refused(path);
  const above = path.slice(0, path.lastIndexOf("/")) || "/";
  const resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  const folder = native.open_in_root(AT_FDCWD, above, O_PATH | O_DIRECTORY, 0, resolve);
  if (folder === -ENOENT) return folder;
  if (folder < 0) throw nativeError(folder, { message: "cannot reach the cgroup", operation: "open", path: above });
  const type = native.statfs_type(folder, "");
  if (type === CGROUP_SUPER_MAGIC || type === CGROUP2_SUPER_MAGIC) return folder;
  native.close(folder);
  if (type < 0) throw nativeError(type, { message: "cannot reach the cgroup", operation: "statfs", path: above });
  throw refused(path);
}

/** A recorded cgroup's own folder, as a descriptor to close; negative when it is gone. Throws RuntimeError. */
export function openRecorded(native: Native, path: string): number {
  const parent = openAbove(native, path);
  if (parent < 0) return parent;
  const folder = openFolder(native, parent, nameOf(path));
  native.close(parent);
  return folder;
}

/** Whether there is a cgroup at that path. */
export function isCgroup(native: Native, path: string): boolean {
  try {
    const folder = openRecorded(native, path);
    if (folder >= 0) native.close(folder);
    return folder >= 0;
  } catch {
    return false;
  }
}

/** The last component. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** A folder right below (or `..`), never a symlink; negative when it is none. */
export function openFolder(native: Native, parent: number, name: string): number {
  return native.open(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
}

/** Absolute, without empty, `.` or `..` components. */
function isPlain(path: string): boolean {
  const closed = `${path}/`;
  return path.startsWith("/") && !closed.includes("//") && !closed.includes("/./") && !closed.includes("/../");
}

function refused(path: string): RuntimeError {
  return new RuntimeError({ message: "refusing what is not a cgroup below a cgroup mount", path });
}
