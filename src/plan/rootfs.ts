// The root file system: opened, made a mount of its own, propagation, and the change into it at the end.

import type { RootfsPropagation } from "../config/types.ts";
import { RuntimeError } from "../errors/runtime-error.ts";
import {
  AT_RECURSIVE,
  O_DIRECTORY,
  O_PATH,
  OPEN_TREE_CLONE,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
} from "../tables/linux.ts";
import { MOUNT_ATTR, PROPAGATION } from "../tables/mount-options.ts";
import type { Compilation } from "./compilation.ts";
import { hasMountNamespace } from "./namespace-set.ts";
import { cleanPath } from "./paths.ts";
import { NONE } from "./protocol.ts";

const POINTER = "/linux/rootfsPropagation";

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
  if (!hasMountNamespace(c.namespaces)) {
    openDetachedRoot(c);
    return;
  }
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
 * In the runtime's mount namespace: a clone of the root file system that is mounted nowhere, so that nothing of the container
 * appears on the host or is left there. Since Linux 6.15 such a tree takes mounts.
 */
function openDetachedRoot(c: Compilation): void {
  const { ops, rootfs } = c;
  if (c.config.linux.rootfsPropagation !== undefined) {
    const message = "rootfsPropagation needs a mount namespace: it would be the host's that changes";
    throw new RuntimeError({ message, pointer: POINTER });
  }
  const folder = ops.slot();
  ops.at("/root/path", rootfs);
  ops.open(folder, NONE, rootfs, O_PATH | O_DIRECTORY, 0, RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
  c.root = ops.slot();
  ops.open_tree(c.root, folder, "", OPEN_TREE_CLONE | AT_RECURSIVE);
  ops.mount_attributes(c.root, 0, 0, PROPAGATION.private, 1);
  ops.close(folder);
}

/** From here on the root slot is `/`. */
export function changeRoot(c: Compilation): void {
  const { ops } = c;
  ops.at("/root/path", c.rootfs);
  if (!hasMountNamespace(c.namespaces)) {
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
