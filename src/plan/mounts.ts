// config.json's mounts, in order: what each one is, and the rules for its destination.

import type { Mount } from "../config/types.ts";
import { RuntimeError } from "../errors/runtime-error.ts";
import { mountOptions } from "../tables/mount-options.ts";
import type { Compilation } from "./compilation.ts";
import { mountBind, remountBind } from "./mount-bind.ts";
import { mountCgroup } from "./mount-cgroup.ts";
import { mountFilesystem } from "./mount-filesystem.ts";
import { isProc, type MountEntry } from "./mount-target.ts";
import { cleanPath } from "./paths.ts";

/** Below /proc only these may be covered: what lxcfs emulates, and two settings. */
const PROC_FILES: readonly string[] = [
  "/proc/cpuinfo",
  "/proc/diskstats",
  "/proc/loadavg",
  "/proc/meminfo",
  "/proc/slabinfo",
  "/proc/stat",
  "/proc/swaps",
  "/proc/sys/crypto/fips_enabled",
  "/proc/sys/kernel/ns_last_pid",
  "/proc/uptime",
];

/** Throws RuntimeError for a destination that may not be mounted on. */
export function compileMounts(c: Compilation): void {
  const { mounts } = c.config;
  for (let i = 0; i < mounts.length; i++) {
    const mount = mounts[i] as Mount;
    const { type } = mount;
    const destination = cleanPath(mount.destination);
    const options = mountOptions(mount.options);
    const entry: MountEntry = { pointer: `/mounts/${i}`, mount, destination, options };
    const bind = options.bind || type === "bind";
    if (destination === "/" || isProc(destination)) checkDestination(entry, type === "proc" || bind || options.remount);
    if (options.remount) remountBind(c, entry);
    else if (bind) {
      if (destination === "/dev") c.bindsDev = true;
      mountBind(c, entry);
    } else if (type === "cgroup") mountCgroup(c, entry, i === mounts.length - 1);
    else mountFilesystem(c, entry);
  }
}

/**
 * Label and sysctl writes must not be led to a file that an image brings (CVE-2019-16884, CVE-2019-19921): on /proc only
 * a procfs, below it only a few files. mount-bind.ts checks that a source for /proc is one.
 */
function checkDestination({ destination, pointer }: MountEntry, procfs: boolean): void {
  if (destination === "/proc" ? procfs : PROC_FILES.includes(destination)) return;
  const message =
    destination === "/"
      ? "a mount on top of the root file system is not supported"
      : destination === "/proc"
        ? "cannot be mounted because it is not of type proc"
        : "cannot be mounted because it is inside /proc";
  throw new RuntimeError({ message, pointer: `${pointer}/destination`, path: destination });
}
