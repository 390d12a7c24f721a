// Removes a container's cgroups, what is below them first, and on request kills what still runs in them.

import { RuntimeError } from "../errors/runtime-error.ts";
import { nativeError } from "../host/must.ts";
import type { Native } from "../host/native.gen.ts";
import { killCgroup } from "./cgroup-kill.ts";

const AT_FDCWD = -100;
const AT_REMOVEDIR = 0x200;
const O_DIRECTORY = 0o200000;
const O_NOFOLLOW = 0o400000;
const O_PATH = 0o10000000;
const RESOLVE_NO_MAGICLINKS = 2;
const RESOLVE_NO_SYMLINKS = 4;
const CGROUP_SUPER_MAGIC = 0x27e0eb;
const CGROUP2_SUPER_MAGIC = 0x63677270;
const ENOENT = 2;
const EBUSY = 16;
/** The waits between attempts double from 1 ms: 1 s altogether. A killed process leaves its cgroup within milliseconds. */
const ATTEMPTS = 11;
const NO_FDS = new Uint32Array(0);

/**
 * Removes every cgroup of the list and its children. One that is gone already is fine. `kill` first kills what is left
 * in those that are not empty. Every path is tried, then the first failure is thrown: EBUSY means that processes are
 * left. A path that is not below the top of a mounted cgroup hierarchy, or leads through a symlink, is refused.
 */
export function removeCgroups(native: Native, paths: readonly string[], kill = false): void {
  let failure: unknown;
  for (const path of paths) {
    try {
      removeOne(native, path, kill);
    } catch (error) {
      failure ??= error;
    }
  }
  if (failure !== undefined) throw failure;
}

/** Four system calls when nothing is left in the cgroup. */
function removeOne(native: Native, path: string, kill: boolean): void {
  const slash = path.lastIndexOf("/");
  const parent = openParent(native, path, slash);
  if (parent < 0) return;
  try {
    const name = path.slice(slash + 1);
    let result = native.unlink(parent, name, AT_REMOVEDIR);
    for (let attempt = 0; result === -EBUSY && attempt < ATTEMPTS; attempt++) {
      if (attempt > 0) native.poll(NO_FDS, NO_FDS, 1 << (attempt - 1));
      if (kill) killCgroup(native, parent, name);
      removeBelow(native, parent, name);
      result = native.unlink(parent, name, AT_REMOVEDIR);
    }
    if (result < 0 && result !== -ENOENT) {
      throw nativeError(result, { message: "cannot remove the cgroup", operation: "rmdir", path });
    }
  } finally {
    native.close(parent);
  }
}

/** The folder above, on a cgroup file system; negative when it is gone, and the cgroup with it. */
function openParent(native: Native, path: string, slash: number): number {
  if (!isPlain(path)) throw refused(path);
  const flags = O_PATH | O_DIRECTORY;
  const above = path.slice(0, slash) || "/";
  const parent = native.open_in_root(AT_FDCWD, above, flags, 0, RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
  if (parent === -ENOENT) return parent;
  if (parent < 0) throw nativeError(parent, { message: "cannot reach the cgroup", operation: "open", path: above });
  const type = native.statfs_type(parent, "");
  if (type === CGROUP_SUPER_MAGIC || type === CGROUP2_SUPER_MAGIC) return parent;
  native.close(parent);
  throw refused(path);
}

function isPlain(path: string): boolean {
  if (!path.startsWith("/")) return false;
  return path
    .slice(1)
    .split("/")
    .every((component) => component !== "" && component !== "." && component !== "..");
}

function refused(path: string): RuntimeError {
  return new RuntimeError({ message: "refusing to remove what is not a cgroup below a cgroup mount", path });
}

/**
 * Removes the children of `name`, deepest first, until one is busy. Holds one descriptor at a time, as a container may
 * have nested its cgroups deeper than there are descriptors; it goes up by `..` no further than it came down.
 */
function removeBelow(native: Native, parent: number, name: string): void {
  const trail: string[] = [];
  let folder = openFolder(native, parent, name);
  while (folder >= 0) {
    const busy = removeEmptyChildren(native, folder);
    let next: number;
    if (busy !== undefined) {
      trail.push(busy);
      next = openFolder(native, folder, busy);
    } else {
      const done = trail.pop();
      next = done === undefined ? -1 : openFolder(native, folder, "..");
      if (done !== undefined && next >= 0 && native.unlink(next, done, AT_REMOVEDIR) === -EBUSY) {
        native.close(next);
        next = -1;
      }
    }
    native.close(folder);
    folder = next;
  }
}

/** The name of a child that is busy: it has processes or children of its own. */
function removeEmptyChildren(native: Native, folder: number): string | undefined {
  const names = native.list_dir(folder, ".");
  if (typeof names === "number") return undefined;
  for (const name of names.split("\0")) {
    // A cgroup's files answer ENOTDIR; that is one call instead of a stat and a rmdir.
    if (name !== "" && native.unlink(folder, name, AT_REMOVEDIR) === -EBUSY) return name;
  }
  return undefined;
}

function openFolder(native: Native, parent: number, name: string): number {
  return native.open(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
}
