// New file systems: proc, sysfs, tmpfs, devpts, mqueue, cgroup2 and whatever else the kernel has.

import { AT_RECURSIVE, CLONE_NEWNET, CLONE_NEWUSER, OPEN_TREE_CLONE } from "../tables/linux.ts";
import { MOUNT_ATTR } from "../tables/mount-options.ts";
import type { Compilation } from "./compilation.ts";
import { labelMount, labelParameters } from "./lsm.ts";
import { attach, type MountEntry, openFolder, releaseMount } from "./mount-target.ts";
import { NONE } from "./protocol.ts";

/** What linux.mountLabel does not change; mqueue's root is labelled by itself. */
const KEEPS_LABEL: readonly string[] = ["proc", "sysfs", "mqueue"];

export function mountFilesystem(c: Compilation, entry: MountEntry): void {
  const { ops } = c;
  const { options, pointer, destination } = entry;
  const type = entry.mount.type ?? "";
  if (type === "sysfs" && (options.attrSet & MOUNT_ATTR.RDONLY) !== 0 && !mayMountSysfs(c)) {
    bindSysfs(c, entry);
    return;
  }
  // A kernel file system goes exactly where config.json says, or nowhere.
  const target = openFolder(c, entry, options.destNofollow || type === "proc" || type === "sysfs");

  // Nodes and folders still have to be put into these.
  const { RDONLY } = MOUNT_ATTR;
  const defer = (type === "tmpfs" || destination === "/dev") && ((options.attrSet | options.recSet) & RDONLY) !== 0;
  const attributes = defer ? options.attrSet & ~RDONLY : options.attrSet;
  const recSet = defer ? options.recSet & ~RDONLY : options.recSet;
  const parameters = fsParameters(entry, (attributes & RDONLY) !== 0);
  if (!KEEPS_LABEL.includes(type)) parameters.push(...labelParameters(c));
  const keepsMode = type === "tmpfs" && !hasMode(options.data);
  const mount = ops.slot();
  ops.at(pointer, destination);
  ops.new_mount(mount, type, attributes, keepsMode ? target : NONE, parameters);
  if (type === "mqueue") labelMount(c, mount);
  if (type === "tmpfs" && options.tmpcopyup) ops.at(`${pointer}/options`, destination).copy_tree(target, mount);
  ops.at(`${pointer}/destination`, destination);
  attach(c, entry, mount, target);
  if ((recSet | options.recClear) !== 0) {
    ops.at(`${pointer}/options`, destination).mount_attributes(mount, recSet, options.recClear, 0, 1);
  }
  if (defer) {
    const recursive = (options.recSet & RDONLY) !== 0;
    c.deferred.push({ mount, recursive, pointer: `${pointer}/options`, destination });
  } else releaseMount(c, entry, mount);
}

/**
 * A sysfs shows the devices of a network namespace, and only who has rights over that may mount one. One that is joined
 * along with a user namespace is taken for that one's, as in a pod.
 */
function mayMountSysfs({ namespaces, options: { facts } }: Compilation): boolean {
  const { created, joined } = namespaces;
  if ((created & CLONE_NEWNET) !== 0) return true;
  if ((created & CLONE_NEWUSER) !== 0) return false;
  if ((joined & CLONE_NEWNET) !== 0) return true;
  return (joined & CLONE_NEWUSER) === 0 && facts.foreignNetwork !== true;
}

/** In place of it the host's, as crun does, with everything that is mounted below read-only. */
function bindSysfs(c: Compilation, entry: MountEntry): void {
  const { ops } = c;
  const { pointer, options } = entry;
  const mount = ops.slot();
  ops.at(pointer, "/sys").open_tree(mount, NONE, "/sys", OPEN_TREE_CLONE | AT_RECURSIVE);
  ops.mount_attributes(mount, options.attrSet, 0, 0, 1);
  attach(c, entry, mount, openFolder(c, entry, true));
  releaseMount(c, entry, mount);
}

/** What fsconfig(2) is given: the source, the superblock's flags, the file system's own options. */
export function fsParameters({ mount, options }: MountEntry, readOnly: boolean): string[] {
  const parameters: string[] = [];
  if (mount.source !== undefined && mount.source !== "") parameters.push(`source=${mount.source}`);
  // mount(2) makes the superblock read-only too: without it a write-protected disk cannot be mounted.
  if (readOnly) parameters.push("ro");
  const { superblock, data } = options;
  for (let i = 0; i < superblock.length; i++) parameters.push(superblock[i] as string);
  for (let i = 0; i < data.length; i++) addData(parameters, data[i] as string);
  return parameters;
}

/** mount(2) takes one text and splits it at commas, so one option may hold several; quoted or escaped ones are kept. */
function addData(parameters: string[], option: string): void {
  if (option.indexOf(",") < 0 || option.indexOf('"') >= 0 || option.indexOf("\\") >= 0) parameters.push(option);
  else for (const part of option.split(",")) if (part !== "") parameters.push(part);
}

function hasMode(data: readonly string[]): boolean {
  for (let i = 0; i < data.length; i++) {
    const option = data[i] as string;
    if (option.startsWith("mode=") || option.indexOf(",mode=") >= 0) return true;
  }
  return false;
}
