// Groups of a resctrl file system. Every path is resolved below its top, which is checked to be one, and no symlink is
// followed.

import type { RuntimeError } from "../errors/runtime-error.ts";
import { isResctrl } from "../host/gather-resctrl.ts";
import { nativeError } from "../host/must.ts";
import type { Native } from "../host/native.gen.ts";
import { loaded } from "../lazy.ts";
import type { ResctrlPlace } from "../resctrl/place.ts";
import { RESOLVE_BENEATH, RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS, RESOLVE_NO_XDEV } from "../tables/linux.ts";
import { AT_FDCWD, AT_REMOVEDIR, ENODEV, ENOENT, O_DIRECTORY, O_NOFOLLOW, O_RDONLY, O_WRONLY } from "./open-flags.ts";

const RESOLVE = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS;
const FOLDER = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
const FILE_MAX = 1 << 20;

/** What of it is the container's to remove; in the first record of state.json. */
export interface RecordedResctrl extends ResctrlPlace {
  /** The group itself, with all that is in it; else the monitoring group alone. */
  own: boolean;
}

/** A folder's descriptor, or -errno; ENODEV where no resctrl is mounted (any more). */
function openFolder(native: Native, root: string, path: string): number {
  const top = native.open(AT_FDCWD, root, FOLDER, 0);
  if (top < 0) return top;
  if (!isResctrl(native.statfs_type(top, ""))) {
    native.close(top);
    return -ENODEV;
  }
  if (path === "") return top;
  const folder = native.open_in_root(top, path, FOLDER, 0, RESOLVE);
  native.close(top);
  return folder;
}

/** Calls `use` with the folder's descriptor; its result, or -errno. */
function inFolder<T>(native: Native, root: string, path: string, use: (folder: number) => T): T | number {
  const folder = openFolder(native, root, path);
  if (folder < 0) return folder;
  try {
    return use(folder);
  } finally {
    native.close(folder);
  }
}

const aboveOf = (path: string): string => path.slice(0, Math.max(path.lastIndexOf("/"), 0));
const nameOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

/** The absolute path of a group or a file in it, for messages. */
export function resctrlPath(root: string, ...names: string[]): string {
  return [root, ...names.filter((name) => name !== "")].join("/");
}

export function hasGroup(native: Native, root: string, group: string): boolean {
  const folder = openFolder(native, root, group);
  if (folder < 0) return false;
  native.close(folder);
  return true;
}

/** 0, or -errno; EEXIST where it is there. */
export function makeGroup(native: Native, root: string, group: string): number {
  return inFolder(native, root, aboveOf(group), (above) => {
    const made = native.mkdir(above, nameOf(group), 0o755);
    if (FAILPOINTS && made >= 0) loaded(import("./resctrl-stand-in.ts")).fillGroup(native, above, nameOf(group));
    return made;
  });
}

/** 0, or -errno; one that is gone is fine. Processes in it go to the group above. */
export function removeGroup(native: Native, root: string, group: string): number {
  const removed = inFolder(native, root, aboveOf(group), (above) => {
    if (FAILPOINTS) loaded(import("./resctrl-stand-in.ts")).emptyGroup(native, above, nameOf(group));
    return native.unlink(above, nameOf(group), AT_REMOVEDIR);
  });
  return removed === -ENOENT || removed === -ENODEV ? 0 : removed;
}

/** The text of a file of a group, or -errno. */
export function readGroupFile(native: Native, root: string, group: string, file: string): string | number {
  return inFolder(native, root, group, (folder) => native.read_file(folder, file, FILE_MAX));
}

/** Names of what is in a folder below the top; none where it is not there. */
export function listGroup(native: Native, root: string, path: string): string[] {
  const names = inFolder(native, root, path, (folder) => native.list_dir(folder, "."));
  return typeof names === "string" ? names.split("\0").filter((name) => name !== "") : [];
}

/** Throws RuntimeError with the kernel's reason. */
export function writeGroupFile(
  native: Native,
  root: string,
  group: string,
  file: string,
  data: string,
  pointer?: string,
): void {
  const written = inFolder(native, root, group, (folder) =>
    native.write_file(folder, file, O_WRONLY | O_NOFOLLOW, 0, data),
  );
  if (written >= 0) return;
  const message = `cannot write ${JSON.stringify(data.trimEnd())}`;
  throw resctrlError(native, root, written, message, "write", resctrlPath(root, group, file), pointer);
}

/** An error with what info/last_cmd_status says. */
export function resctrlError(
  native: Native,
  root: string,
  result: number,
  message: string,
  operation: string,
  path: string,
  pointer?: string,
): RuntimeError {
  const status = readGroupFile(native, root, "info", "last_cmd_status");
  const detail = typeof status === "string" && status.trim() !== "ok" ? status.trim() : "";
  return nativeError(result, { message, operation, path, detail, ...(pointer === undefined ? {} : { pointer }) });
}

/** What `delete` does, once no process is left. Throws RuntimeError. */
export function removeResctrl(native: Native, { root, group, monitor, own }: RecordedResctrl): void {
  const path = own ? group : monitor;
  if (path === undefined) return;
  const removed = removeGroup(native, root, path);
  if (removed === 0) return;
  throw resctrlError(native, root, removed, "cannot remove the resctrl group", "rmdir", resctrlPath(root, path));
}
