// A mount of type cgroup shows what the host has.
//   v2           cgroup2; in a user namespace without a cgroup namespace the kernel refuses it: a read-only bind mount.
//                Read-only as well in a rootless container that has no cgroup: it shows the user's own
//   v1, hybrid   a tmpfs with a folder for each v1 hierarchy: the container's own cgroup as bind mount, or with a cgroup
//                namespace the hierarchy itself, whose root is then that cgroup; links for controllers mounted together
//
// hybrid: the unified hierarchy is not shown, as in runc.

import type { CgroupHierarchy } from "../host/facts.ts";
import { AT_RECURSIVE, CLONE_NEWCGROUP, OPEN_TREE_CLONE } from "../tables/linux.ts";
import { MOUNT_ATTR } from "../tables/mount-options.ts";
import type { Compilation } from "./compilation.ts";
import { labelParameters } from "./lsm.ts";
import { fsParameters } from "./mount-filesystem.ts";
import { attach, KIND, type MountEntry, openFolder } from "./mount-target.ts";
import { isConfined } from "./namespace-set.ts";
import { enterCgroups } from "./namespaces.ts";
import { lastPart } from "./paths.ts";
import { NONE } from "./protocol.ts";

const STRICT = MOUNT_ATTR.NOSUID | MOUNT_ATTR.NODEV | MOUNT_ATTR.NOEXEC;

/** `last`: no other mount follows. */
export function mountCgroup(c: Compilation, entry: MountEntry, last: boolean): void {
  if (c.options.facts.cgroup.mode === "v2") mountV2(c, entry);
  else mountV1(c, entry, last);
}

function mountV2(c: Compilation, entry: MountEntry): void {
  enterCgroups(c);
  const { ops } = c;
  const { options, pointer, destination } = entry;
  const cgroupNamespace = ((c.namespaces.created | c.namespaces.joined) & CLONE_NEWCGROUP) !== 0;
  const target = openFolder(c, entry, options.destNofollow);
  const mount = ops.slot();
  const { facts } = c.options;
  // What shows more than the container's own cgroup, in which the user may own more (CVE-2023-25809), is never writable.
  const attributes = options.attrSet | MOUNT_ATTR.RDONLY;
  if (isConfined(c.namespaces, facts) && !cgroupNamespace) {
    const unified = facts.cgroup.unified?.mountpoint ?? "/sys/fs/cgroup";
    ops.at(pointer, unified).open_tree(mount, NONE, unified, OPEN_TREE_CLONE | AT_RECURSIVE);
    ops.mount_attributes(mount, attributes, options.attrClear & ~MOUNT_ATTR.RDONLY, 0, 1);
  } else if (facts.cgroup.unified?.closed) {
    ops.at(pointer, destination).new_mount(mount, "cgroup2", attributes, NONE, fsParameters(entry, false));
  } else {
    const parameters = fsParameters(entry, (options.attrSet & MOUNT_ATTR.RDONLY) !== 0);
    ops.at(pointer, destination).new_mount(mount, "cgroup2", options.attrSet, NONE, parameters);
  }
  attach(c, entry, mount, target);
  ops.close(mount);
}

/** The runtime makes the cgroups meanwhile: the later init needs them, the less it waits. */
function mountV1(c: Compilation, entry: MountEntry, last: boolean): void {
  const { ops } = c;
  const { pointer, destination } = entry;
  const target = openFolder(c, entry, entry.options.destNofollow);
  const mount = ops.slot();
  ops
    .at(pointer, destination)
    .new_mount(mount, "tmpfs", STRICT, NONE, ["source=tmpfs", "mode=755", ...labelParameters(c)]);
  attach(c, entry, mount, target);
  if (last && c.cgroupFiles.length > 0) c.fillCgroups = () => mountHierarchies(c, entry, mount);
  else mountHierarchies(c, entry, mount);
}

/** `mount` is closed. */
function mountHierarchies(c: Compilation, entry: MountEntry, mount: number): void {
  enterCgroups(c);
  const { hierarchies } = c.options.facts.cgroup;
  // The container's cgroups: of some hierarchies, or all, in the same order.
  const { v1 } = c.cgroups;
  let at = v1.length - 1;
  // Oldest first: the order of the host's own mounts.
  for (let i = hierarchies.length - 1; i >= 0; i--) {
    const hierarchy = hierarchies[i] as CgroupHierarchy;
    const joined = v1[at]?.mountpoint === hierarchy.mountpoint ? v1[at--] : undefined;
    mountHierarchy(c, entry, mount, hierarchy, joined?.path ?? ownCgroup(hierarchy));
  }
  c.ops.close(mount);
}

function mountHierarchy(
  c: Compilation,
  entry: MountEntry,
  above: number,
  hierarchy: CgroupHierarchy,
  cgroup: string,
): void {
  const { ops } = c;
  const { pointer, options } = entry;
  const name = lastPart(hierarchy.mountpoint);
  const namespace = ((c.namespaces.created | c.namespaces.joined) & CLONE_NEWCGROUP) !== 0;
  const closed = hierarchy.closed === true;
  if (!namespace && !closed && options.propagation.length === 0) {
    ops.at(pointer, cgroup).bind_new(above, name, cgroup, options.attrSet, options.attrClear);
  } else {
    const destination = `${entry.destination}/${name}`;
    const target = ops.slot();
    ops.at(pointer, destination).target(target, c.root, destination, KIND.folder, NONE, 1);
    const mount = ops.slot();
    if (namespace) newHierarchy(c, entry, hierarchy, mount);
    else bindHierarchy(c, entry, cgroup, mount, closed);
    attach(c, entry, mount, target);
    ops.close(mount);
  }
  if (name.indexOf(",") < 0) return;
  for (const controller of name.split(",")) {
    const link = `${entry.destination}/${controller}`;
    ops.at(pointer, link).make_symlink(c.root, link, name, 0);
  }
}

function newHierarchy(c: Compilation, entry: MountEntry, { name, closed }: CgroupHierarchy, mount: number): void {
  const readOnly = closed ? MOUNT_ATTR.RDONLY : entry.options.attrSet & MOUNT_ATTR.RDONLY;
  const parameters = [name.startsWith("name=") ? `source=${name.slice(5)}` : "source=cgroup"];
  if (readOnly !== 0 && !closed) parameters.push("ro");
  for (const parameter of name.split(",")) parameters.push(parameter);
  c.ops.new_mount(mount, "cgroup", STRICT | readOnly, NONE, parameters);
}

function bindHierarchy(c: Compilation, entry: MountEntry, path: string, mount: number, closed: boolean): void {
  const { ops } = c;
  ops.at(entry.pointer, path).open_tree(mount, NONE, path, OPEN_TREE_CLONE | AT_RECURSIVE);
  const { RDONLY } = MOUNT_ATTR;
  const attrSet = closed ? entry.options.attrSet | RDONLY : entry.options.attrSet;
  const attrClear = closed ? entry.options.attrClear & ~RDONLY : entry.options.attrClear;
  if ((attrSet | attrClear) !== 0) ops.mount_attributes(mount, attrSet, attrClear, 0, 0);
}

/** Berth's own cgroup of a hierarchy where the container gets none. */
function ownCgroup({ mountpoint, own }: CgroupHierarchy): string {
  return own === "/" ? mountpoint : mountpoint + own;
}
