// The slow way to a v1 hierarchy's mount point: /proc/self/mountinfo. Loaded only where the conventional mount points do
// not tell.

import type { CgroupHierarchy } from "./facts.ts";
import type { Hierarchy } from "./gather-cgroups.ts";
import { must } from "./must.ts";
import type { Native } from "./native.gen.ts";

const AT_FDCWD = -100;
const MOUNTINFO = "/proc/self/mountinfo";
const MAX_SIZE = 64 << 20;

/** Fills in the mount points that are not known yet; a hierarchy that is mounted nowhere is left out. */
export function findMounts(native: Native, wanted: readonly Hierarchy[]): CgroupHierarchy[] {
  const facts = { operation: "read", path: MOUNTINFO };
  return mountsOf(must(native.read_file(AT_FDCWD, MOUNTINFO, MAX_SIZE), facts) as string, wanted);
}

/**
 * proc_pid_mountinfo(5): `id parent dev root mountpoint options [tags] - type source superoptions`. The first mount of a
 * hierarchy counts, as in runc, but one that a later line covers does not. The mount's root is taken off the own path,
 * because in another container's cgroup the mount shows that cgroup alone while /proc/self/cgroup counts from the host's
 * top.
 */
export function mountsOf(mountinfo: string, wanted: readonly Hierarchy[]): CgroupHierarchy[] {
  const visible = new Map<string, { root: string; options: string[] }>();
  for (const line of mountinfo.split("\n")) {
    const end = line.indexOf(" - cgroup ");
    if (end < 0) continue;
    const fields = line.slice(0, end).split(" ");
    const superOptions = line.slice(line.lastIndexOf(" ") + 1).split(",");
    const [root, mountpoint] = [fields[3], fields[4]];
    if (root === undefined || mountpoint === undefined) continue;
    visible.set(unescapeOctal(mountpoint), { root: unescapeOctal(root), options: superOptions });
  }
  const mounts = [...visible];
  const found: CgroupHierarchy[] = [];
  for (const { name, own, mountpoint } of wanted) {
    if (mountpoint !== undefined) {
      found.push({ name, own, mountpoint });
      continue;
    }
    const controller = name.split(",")[0] as string;
    const mount = mounts.find(([, { options }]) => options.includes(controller));
    if (mount !== undefined) found.push({ name, mountpoint: mount[0], own: relativeTo(mount[1].root, own) });
  }
  return found;
}

/** The part of `own` below `root`; "/" when it is not below: then nothing nearer than the mount point can be seen. */
function relativeTo(root: string, own: string): string {
  if (root === "/") return own;
  return own.startsWith(`${root}/`) ? own.slice(root.length) : "/";
}

/** The kernel writes space, tab, newline and backslash as `\040`. */
export function unescapeOctal(text: string): string {
  let plain = "";
  let from = 0;
  for (let at = text.indexOf("\\"); at >= 0; at = text.indexOf("\\", from)) {
    plain += text.slice(from, at) + String.fromCharCode(Number.parseInt(text.slice(at + 1, at + 4), 8));
    from = at + 4;
  }
  return plain + text.slice(from);
}
