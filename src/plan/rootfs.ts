// The root file system: opened, made a mount of its own, propagation, and the change into it at the end.

import type { RootfsPropagation } from "../config/types.ts";
import { RuntimeError } from "../errors/runtime-error.ts";
import {
  AT_RECURSIVE,
  CLONE_NEWNS,
  O_DIRECTORY,
  O_PATH,
  O_RDONLY,
  OPEN_TREE_CLONE,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
} from "../tables/linux.ts";
import { MOUNT_ATTR, PROPAGATION } from "../tables/mount-options.ts";
import type { Compilation } from "./compilation.ts";
import { hasMountNamespace, hasUserNamespace } from "./namespace-set.ts";
import { cleanPath } from "./paths.ts";
import { NONE } from "./protocol.ts";

const POINTER = "/linux/rootfsPropagation";
const NAMESPACES = "/linux/namespaces";

/** "rslave" is { flag: slave, recursive }. */
function propagationOf(name: RootfsPropagation): { flag: number; recursive: boolean } {
  const recursive = name.startsWith("r");
  return { flag: PROPAGATION[(recursive ? name.slice(1) : name) as keyof typeof PROPAGATION], recursive };
}

/**
 * Nothing that is mounted from here on reaches the host: either every mount is a slave or private, or the one that holds
 * the root file system is. Then a clone of the root file system, private as runc's, is mounted on itself.
 */
export function openRoot(c: Compilation): void {
  const { ops, rootfs } = c;
  const { rootfsPropagation } = c.config.linux;
  const name = rootfsPropagation ?? "rslave";
  const { flag, recursive } = propagationOf(name);
  if (c.options.noPivot && flag === PROPAGATION.private) {
    throw new RuntimeError({
      message: "rootfsPropagation of [r]private is not safe without pivot_root",
      pointer: POINTER,
    });
  }
  if (!hasMountNamespace(c.namespaces)) leaveForAWhile(c);
  ops.at(rootfsPropagation === undefined ? "default" : POINTER, "/");
  ops.root_propagation(flag, recursive ? 1 : 0);

  const folder = ops.slot();
  ops.at("/root/path", rootfs);
  ops.open(folder, NONE, rootfs, O_PATH | O_DIRECTORY, 0, RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
  const holder = flag === PROPAGATION.slave ? PROPAGATION.slave : PROPAGATION.private;
  const isolated = name === "rslave" || name === "rprivate";
  if (!isolated) ops.parent_propagation(folder, holder);
  c.root = ops.slot();
  ops.open_tree(c.root, folder, "", OPEN_TREE_CLONE | AT_RECURSIVE);
  // What is no slave by the user's wish must not get the host's mounts; a clone of a private mount is private.
  if (rootfsPropagation === undefined) ops.mount_attributes(c.root, 0, 0, PROPAGATION.private, 0);
  ops.move_mount(c.root, folder);
  ops.close(folder);
}

/**
 * Without a mount namespace of its own the container is in the runtime's, and nothing of it shall appear there. What is
 * mounted nowhere takes no mounts before Linux 6.15: so init makes them in a mount namespace that it leaves again, with a
 * clone of all of them.
 */
function leaveForAWhile(c: Compilation): void {
  const { ops, config } = c;
  if (config.linux.rootfsPropagation !== undefined) {
    const message = "rootfsPropagation needs a mount namespace: it would be the host's that changes";
    throw new RuntimeError({ message, pointer: POINTER });
  }
  if (hasUserNamespace(c.namespaces)) {
    // From there nobody may go back to the mount namespace of another one.
    throw new RuntimeError({ message: "a user namespace needs a mount namespace", pointer: NAMESPACES });
  }
  c.hostMounts = ops.slot();
  ops.at(NAMESPACES, "mount").open(c.hostMounts, NONE, "/proc/self/ns/mnt", O_RDONLY, 0, 0);
  ops.unshare(CLONE_NEWNS);
}

/** From here on the root slot is `/`. */
export function changeRoot(c: Compilation): void {
  const { ops } = c;
  ops.at("/root/path", c.rootfs);
  if (c.hostMounts !== NONE) {
    ops.change_root(c.root);
    return;
  }
  if (c.options.noPivot) ops.move_root(c.root);
  else ops.pivot_root(c.root);
  const { rootfsPropagation } = c.config.linux;
  if (rootfsPropagation === undefined) return;
  const { flag, recursive } = propagationOf(rootfsPropagation);
  if (flag === PROPAGATION.private || flag === PROPAGATION.slave) return;
  ops.at(POINTER, "/").root_propagation(flag, recursive ? 1 : 0);
}

/** All mounts are made: the root slot is closed, and init back in the runtime's mount namespace when it is to be there. */
export function closeRoot(c: Compilation): void {
  const { ops, hostMounts } = c;
  if (hostMounts === NONE) {
    ops.at("default", "/").close(c.root);
    return;
  }
  const tree = ops.slot();
  ops.at(NAMESPACES, "mount").open_tree(tree, c.root, "", OPEN_TREE_CLONE | AT_RECURSIVE);
  ops.close(c.root);
  ops.setns(hostMounts, CLONE_NEWNS);
  ops.close(hostMounts);
  ops.change_root(tree);
  ops.close(tree);
}

/** The working folder is made where it is missing, as runc does, while the root can be written. */
export function makeCwd(c: Compilation): void {
  const cwd = cleanPath(c.config.process.cwd);
  if (cwd !== "/") c.ops.at("/process/cwd", cwd).make_dir(c.root, cwd, 0o755);
}

/** What had to be writable until everything was in its place. */
export function setReadOnly(c: Compilation): void {
  const { ops, deferred } = c;
  for (let i = 0; i < deferred.length; i++) {
    const { mount, recursive, pointer, destination } = deferred[i] as (typeof deferred)[number];
    ops.at(pointer, destination).mount_attributes(mount, MOUNT_ATTR.RDONLY, 0, 0, recursive ? 1 : 0);
    ops.close(mount);
  }
  if (c.config.root.readonly) ops.at("/root/readonly", "/").mount_attributes(c.root, MOUNT_ATTR.RDONLY, 0, 0, 0);
}
