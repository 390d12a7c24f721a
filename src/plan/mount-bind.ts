// Bind mounts: a clone of the source, its attributes set while it is attached nowhere, then moved to its target.

import { RuntimeError } from "../errors/runtime-error.ts";
import {
  AT_RECURSIVE,
  AT_SYMLINK_NOFOLLOW,
  O_PATH,
  OPEN_TREE_CLONE,
  PROC_SUPER_MAGIC,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
} from "../tables/linux.ts";
import { MOUNT_ATTR } from "../tables/mount-options.ts";
import type { Compilation } from "./compilation.ts";
import { isCloned } from "./idmap.ts";
import { attach, KIND, type MountEntry, openTarget, releaseMount } from "./mount-target.ts";
import { isConfined } from "./namespace-set.ts";
import { enterCgroups } from "./namespaces.ts";
import { absolutePath } from "./paths.ts";
import { BARRIER, NONE } from "./protocol.ts";

/** Everything that an option can set, but the access time: that is kept unless an option names it. */
const ALL =
  MOUNT_ATTR.RDONLY |
  MOUNT_ATTR.NOSUID |
  MOUNT_ATTR.NODEV |
  MOUNT_ATTR.NOEXEC |
  MOUNT_ATTR.NODIRATIME |
  MOUNT_ATTR.NOSYMFOLLOW;

export function mountBind(c: Compilation, entry: MountEntry): void {
  const { ops } = c;
  const { options, pointer, destination } = entry;
  if (options.copySymlink) {
    throw new RuntimeError({ message: "the option copy-symlink is not supported yet", pointer: `${pointer}/options` });
  }
  const source = absolutePath(c.options.bundle, entry.mount.source ?? "");
  const tree = ops.slot();
  if (isCloned(c, entry.mount)) {
    // idmap.ts has the other side. The runtime comes to it once it has made the cgroups.
    enterCgroups(c);
    ops.at(`${pointer}/source`, source);
    ops.receive_mount(tree, BARRIER.mount);
  } else {
    const flags = (options.recursiveBind ? AT_RECURSIVE : 0) | (options.srcNofollow ? AT_SYMLINK_NOFOLLOW : 0);
    ops.at(`${pointer}/source`, source).open_tree(tree, NONE, source, OPEN_TREE_CLONE | flags);
  }
  if (destination === "/proc") ops.check_fs(tree, PROC_SUPER_MAGIC);
  setAttributes(c, entry, tree);
  attach(c, entry, tree, openTarget(c, entry, KIND.like, tree, options.destNofollow));
  releaseMount(c, entry, tree);
}

/**
 * As runc's remount after the bind: when an option names an attribute, the mount has just those that are named; without
 * such an option it keeps its own. In a user namespace the attributes that the source has are locked, so that they are
 * added to. The recursive options come second and change only what they name.
 */
function setAttributes(c: Compilation, { options, pointer, destination }: MountEntry, mount: number): void {
  const { attrSet, attrClear, recSet, recClear } = options;
  if ((attrSet | attrClear | recSet | recClear) === 0) return;
  const { ops } = c;
  ops.at(`${pointer}/options`, destination);
  if ((attrSet | attrClear) !== 0) {
    const clear = isConfined(c.namespaces, c.options.facts) ? attrClear : attrClear | (ALL & ~attrSet);
    ops.mount_attributes(mount, attrSet, clear, 0, 0);
  }
  if ((recSet | recClear) !== 0) ops.mount_attributes(mount, recSet, recClear, 0, 1);
}

/** `remount`: changes the attributes of the mount that is at the destination already. */
export function remountBind(c: Compilation, entry: MountEntry): void {
  const { ops } = c;
  const { options, pointer, destination } = entry;
  if (options.superblock.length !== 0 || options.data.length !== 0) {
    const message = "remount with file-system options is not supported";
    throw new RuntimeError({ message, pointer: `${pointer}/options` });
  }
  const mount = ops.slot();
  ops.at(`${pointer}/destination`, destination);
  ops.open(mount, c.root, destination, O_PATH, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
  setAttributes(c, entry, mount);
  for (const { flag, recursive } of options.propagation) {
    ops.mount_attributes(mount, 0, 0, flag, recursive ? 1 : 0);
  }
  ops.close(mount);
}
