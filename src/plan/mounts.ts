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
    const destination = cleanPath(mount.destination);
    const entry: MountEntry = {
      pointer: `/mounts/${i}`,
      mount,
      destination,
      options: parseMountOptions(mount.options),
    };
    checkDestination(entry);
    if (entry.options.remount) remountBind(c, entry);
    else if (isBind(entry)) {
      if (destination === "/dev") c.bindsDev = true;
      mountBind(c, entry);
    } else if (mount.type === "cgroup") mountCgroup(c, entry);
    else mountFilesystem(c, entry);
  }
}

function isBind({ mount, options }: { mount: Mount; options: MountOptions }): boolean {
  return options.bind || mount.type === "bind";
}

/**
 * Label and sysctl writes must not be led to a file that an image brings (CVE-2019-16884, CVE-2019-19921): on /proc only
 * a procfs, below it only a few files. mount-bind.ts checks that a source for /proc is one.
 */
function checkDestination(entry: MountEntry): void {
  const { destination, mount, pointer } = entry;
  const problem = destinationProblem(destination, mount.type === "proc" || isBind(entry) || entry.options.remount);
  if (problem !== "")
    throw new RuntimeError({ message: problem, pointer: `${pointer}/destination`, path: destination });
}

function destinationProblem(destination: string, procfs: boolean): string {
  if (destination === "/") return "a mount on top of the root file system is not supported";
  if (!destination.startsWith("/proc")) return "";
  if (destination === "/proc") return procfs ? "" : "cannot be mounted because it is not of type proc";
  if (!destination.startsWith("/proc/") || PROC_FILES.includes(destination)) return "";
  return "cannot be mounted because it is inside /proc";
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
  // A folder of the root that is no symlink cannot lead there.
  const certain = strict && destination.lastIndexOf("/") === 0;
  if (!certain && !destination.startsWith("/proc")) ops.refuse_fs(target, PROC_SUPER_MAGIC);
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
