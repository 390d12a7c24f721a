// config.json's mounts, in order: what each one is, and the rules for its destination.

import type { Mount } from "../config/types.ts";
import { RuntimeError } from "../errors/runtime-error.ts";
import { PROC_SUPER_MAGIC } from "../tables/linux.ts";
import { type MountOptions, parseMountOptions } from "../tables/mount-options.ts";
import type { Compilation } from "./compilation.ts";
import { mountBind, remountBind } from "./mount-bind.ts";
import { mountCgroup } from "./mount-cgroup.ts";
import { mountFilesystem } from "./mount-filesystem.ts";
import { NONE } from "./ops.ts";
import { cleanPath } from "./paths.ts";

/** One entry of mounts, read. */
export interface MountEntry {
  /** `/mounts/3`. */
  pointer: string;
  mount: Mount;
  /** Clean. */
  destination: string;
  options: MountOptions;
}

/** What a mount target is made as when it is missing. */
export const KIND = { folder: 0, file: 1, like: 2 } as const;

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
    const options = parseMountOptions(mount.options);
    const entry: MountEntry = { pointer: `/mounts/${i}`, mount, destination, options };
    const bind = options.bind || type === "bind";
    if (destination === "/" || isProc(destination)) checkDestination(entry, type === "proc" || bind || options.remount);
    if (options.remount) remountBind(c, entry);
    else if (bind) {
      if (destination === "/dev") c.bindsDev = true;
      mountBind(c, entry);
    } else if (type === "cgroup") mountCgroup(c, entry);
    else mountFilesystem(c, entry);
  }
}

function isProc(destination: string): boolean {
  return destination.startsWith("/proc") && (destination.length === 5 || destination.startsWith("/proc/"));
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

/**
 * The target's slot. A symlink at the end is followed inside the root, except where it would put a kernel file system
 * or /dev somewhere else (CVE-2019-19921, CVE-2023-28642, CVE-2026-41579); `nofollow` asks for the same.
 */
export function openTarget(c: Compilation, entry: MountEntry, kind: number, like: number, nofollow: boolean): number {
  const { ops } = c;
  const { destination } = entry;
  const strict = nofollow || destination === "/proc" || destination === "/sys" || destination === "/dev";
  const target = ops.slot();
  ops.at(`${entry.pointer}/destination`, destination);
  ops.target(target, c.root, destination, kind, like, strict ? 1 : 0);
  // An entry of the root's own folder that is no symlink cannot lead there.
  const certain = strict && destination.lastIndexOf("/") === 0;
  if (!certain && !isProc(destination)) ops.refuse_fs(target, PROC_SUPER_MAGIC);
  return target;
}

/** Puts the mount on the target, which is closed; the propagation comes after, as in runc. */
export function attach(c: Compilation, entry: MountEntry, mount: number, target: number): void {
  const { ops } = c;
  ops.move_mount(mount, target);
  ops.close(target);
  const { propagation } = entry.options;
  if (propagation.length === 0) return;
  ops.at(`${entry.pointer}/options`, entry.destination);
  for (let i = 0; i < propagation.length; i++) {
    const { flag, recursive } = propagation[i] as (typeof propagation)[number];
    ops.mount_attributes(mount, 0, 0, flag, recursive ? 1 : 0);
  }
}

/** For targets that are folders and have no `like`. */
export function openFolder(c: Compilation, entry: MountEntry, nofollow: boolean): number {
  return openTarget(c, entry, KIND.folder, NONE, nofollow);
}
