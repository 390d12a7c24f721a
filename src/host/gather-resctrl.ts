// The resctrl file system, which whoever runs the machine mounts. Loaded only where config.json has linux.intelRdt.

import { RDTGROUP_SUPER_MAGIC, TMPFS_MAGIC } from "../tables/linux.ts";
import { unescapeOctal } from "./cgroup-mounts.ts";
import type { ResctrlFacts } from "./facts.ts";
import type { Native } from "./native.gen.ts";

const AT_FDCWD = -100;
const MOUNTINFO_MAX = 64 << 20;
const USUAL = "/sys/fs/resctrl";

/** Undefined where none is mounted. */
export function gatherResctrl(native: Native): ResctrlFacts | undefined {
  const root = isResctrl(native.statfs_type(AT_FDCWD, USUAL)) ? USUAL : mountedElsewhere(native);
  if (root === undefined) return undefined;
  const has = (resource: string): boolean => typeof native.stat(AT_FDCWD, `${root}/info/${resource}`, 0) !== "number";
  return { root, l3: has("L3"), mb: has("MB") };
}

/** By statfs(2). A test build takes a tmpfs for it: no machine of the tests has the hardware. */
export function isResctrl(type: number): boolean {
  return type === RDTGROUP_SUPER_MAGIC || (FAILPOINTS && type === TMPFS_MAGIC);
}

function mountedElsewhere(native: Native): string | undefined {
  const text = native.read_file(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX);
  return typeof text === "string" ? resctrlMount(text) : undefined;
}

/** proc_pid_mountinfo(5): the first one, as in runc. */
export function resctrlMount(mountinfo: string): string | undefined {
  for (const line of mountinfo.split("\n")) {
    const end = line.indexOf(" - resctrl ");
    const mountpoint = end < 0 ? undefined : line.slice(0, end).split(" ")[4];
    if (mountpoint !== undefined) return unescapeOctal(mountpoint);
  }
  return undefined;
}
