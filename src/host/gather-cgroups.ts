// Which cgroup hierarchies are mounted where, and where this process is in each.
//
// System calls: v2 looks at one mount point and reads /proc/self/cgroup. v1 and hybrid also look at the conventional
// mount point of each hierarchy; /proc/self/mountinfo is read only when one is elsewhere, or when it may show only a
// part of its hierarchy (inside another container).

import { loaded } from "../lazy.ts";
import type { CgroupFacts, CgroupHierarchy } from "./facts.ts";
import { must } from "./must.ts";
import type { Native } from "./native.gen.ts";

const AT_FDCWD = -100;
const CGROUP_SUPER_MAGIC = 0x27e0eb;
const CGROUP2_SUPER_MAGIC = 0x63677270;
const ENOENT = 2;
const ROOT = "/sys/fs/cgroup";
/** Where systemd and everybody after it mounts cgroup2 beside v1. */
const UNIFIED = "/sys/fs/cgroup/unified";
const OWN = "/proc/self/cgroup";
const MAX_SIZE = 1 << 20;
/** The inode number of the top of a whole cgroup hierarchy (kernfs); a part of one that is mounted has another. */
const TOP_INODE = 1;
const STAT_INODE = 8;

export function cgroupMode(native: Native): CgroupFacts["mode"] {
  if (fileSystem(native, ROOT) === CGROUP2_SUPER_MAGIC) return "v2";
  return fileSystem(native, UNIFIED) === CGROUP2_SUPER_MAGIC ? "hybrid" : "v1";
}

/** Throws RuntimeError when a mount point or /proc/self/cgroup cannot be read. */
export function gatherCgroups(native: Native, mode = cgroupMode(native)): CgroupFacts {
  const own = parseOwn(must(native.read_file(AT_FDCWD, OWN, MAX_SIZE), { operation: "read", path: OWN }) as string);
  const unified = { mountpoint: mode === "v2" ? ROOT : UNIFIED, own: own.unified ?? "/" };
  if (mode === "v2") return { mode, hierarchies: [], unified };

  const found = own.v1.map((hierarchy): Hierarchy => {
    const mountpoint = `${ROOT}/${conventionalName(hierarchy.name)}`;
    return isWholeHierarchy(native, mountpoint, hierarchy.own) ? { ...hierarchy, mountpoint } : hierarchy;
  });
  const hierarchies = found.every(isMounted) ? found : loaded(import("./cgroup-mounts.ts")).findMounts(native, found);
  return mode === "hybrid" ? { mode, hierarchies, unified } : { mode, hierarchies };
}

export interface Hierarchy {
  name: string;
  own: string;
  mountpoint?: string;
}

/** Its type; negative when there is nothing. */
function fileSystem(native: Native, path: string): number {
  const type = native.statfs_type(AT_FDCWD, path);
  return type === -ENOENT ? type : (must(type, { operation: "statfs", path }) as number);
}

function isMounted(hierarchy: Hierarchy): hierarchy is CgroupHierarchy {
  return hierarchy.mountpoint !== undefined;
}

/** `own` counts from the top of the hierarchy: only a mount of the whole one has it below its mount point. */
function isWholeHierarchy(native: Native, mountpoint: string, own: string): boolean {
  if (fileSystem(native, mountpoint) !== CGROUP_SUPER_MAGIC) return false;
  if (own === "/") return true;
  const status = native.stat(AT_FDCWD, mountpoint, 0);
  return typeof status !== "number" && status[STAT_INODE] === TOP_INODE;
}

function conventionalName(name: string): string {
  return name.startsWith("name=") ? name.slice("name=".length) : name;
}

/** proc_pid_cgroup(5): lines of `id:controllers:path`; the path may hold colons. `0::path` is the unified hierarchy. */
export function parseOwn(text: string): { v1: Hierarchy[]; unified?: string } {
  const v1: Hierarchy[] = [];
  let unified: string | undefined;
  for (const line of text.split("\n")) {
    const name = line.indexOf(":") + 1;
    const path = line.indexOf(":", name) + 1;
    if (name === 0 || path === 0) continue;
    if (path - 1 > name) v1.push({ name: line.slice(name, path - 1), own: line.slice(path) });
    else unified = line.slice(path);
  }
  return unified === undefined ? { v1 } : { v1, unified };
}
