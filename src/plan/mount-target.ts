// What every kind of mount shares: its entry of config.json, its target in the root, and how it gets there.

import type { Mount } from "../config/types.ts";
import { RuntimeError } from "../errors/runtime-error.ts";
import { PROC_SUPER_MAGIC } from "../tables/linux.ts";
import { type MountOptions, PROPAGATION } from "../tables/mount-options.ts";
import type { Compilation } from "./compilation.ts";
import { cleanPath } from "./paths.ts";
import { NONE } from "./protocol.ts";

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

/** /proc, or below it. */
export function isProc(destination: string): boolean {
  return destination.startsWith("/proc") && (destination.length === 5 || destination.startsWith("/proc/"));
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
    if (flag === PROPAGATION.unbindable && c.hostMounts !== NONE) {
      // It could not be taken along: see rootfs.ts.
      const message = "an unbindable mount needs a mount namespace";
      throw new RuntimeError({ message, pointer: `${entry.pointer}/options` });
    }
    ops.mount_attributes(mount, 0, 0, flag, recursive ? 1 : 0);
  }
}

/** For targets that are folders and have no `like`. */
export function openFolder(c: Compilation, entry: MountEntry, nofollow: boolean): number {
  return openTarget(c, entry, KIND.folder, NONE, nofollow);
}

/**
 * The mount's slot, once nothing more is done with it. It is kept for masked and read-only paths of /proc and /sys: these
 * are looked up in the mount itself, because somebody who shares the root file system may have renamed its folder.
 */
export function releaseMount(c: Compilation, { destination }: MountEntry, mount: number): void {
  if ((destination !== "/proc" && destination !== "/sys") || !hasProtected(c, `${destination}/`)) {
    c.ops.close(mount);
    return;
  }
  const covered = c.kernelMounts.findIndex((kept) => kept.destination === destination);
  if (covered >= 0) for (const kept of c.kernelMounts.splice(covered, 1)) c.ops.close(kept.mount);
  c.kernelMounts.push({ destination, mount });
}

function hasProtected({ config: { linux } }: Compilation, folder: string): boolean {
  const isBelow = (path: string): boolean => cleanPath(path).startsWith(folder);
  return linux.maskedPaths.some(isBelow) || linux.readonlyPaths.some(isBelow);
}
