// mounts: what may be combined, and what may lie over /proc.

import { loaded } from "../../lazy.ts";
import { isIdmapped } from "../../tables/mount-ids.ts";
import { type MountOptions, mountOptions } from "../../tables/mount-options.ts";
import { show } from "../context.ts";
import type { Config, Mount } from "../types.ts";
import { type Add, type Check, cleanPath } from "./check.ts";

/** Files of /proc that may be replaced, by lxcfs for one; everything else would fake what programs and Berth trust. */
const OVER_PROC: readonly string[] = [
  "/proc/cpuinfo",
  "/proc/diskstats",
  "/proc/meminfo",
  "/proc/stat",
  "/proc/swaps",
  "/proc/uptime",
  "/proc/loadavg",
  "/proc/slabinfo",
  "/proc/sys/kernel/ns_last_pid",
  "/proc/sys/crypto/fips_enabled",
];

/** crun's option, with a meaning that no operation carries out yet. */
function checkLater(mount: Mount, parsed: MountOptions, pointer: string, add: Add): void {
  if (!parsed.copySymlink) return;
  const index = mount.options.indexOf("copy-symlink");
  add(`${pointer}/options/${index}`, 'is not supported yet: "copy-symlink"', "unsupported");
}

/** CVE-2019-16884, CVE-2019-19921. That a bind source at /proc is a procfs is checked on its descriptor. */
function checkProc(mount: Mount, bind: boolean, pointer: string, add: Add): void {
  const path = cleanPath(mount.destination);
  if (path === "/") {
    if (mount.destination !== "") add(`${pointer}/destination`, "must not be the root itself");
  } else if (path === "/proc") {
    if (!bind && mount.type !== "proc") add(`${pointer}/type`, `must be "proc" over /proc, got ${show(mount.type)}`);
  } else if (path.startsWith("/proc/") && !OVER_PROC.includes(path)) {
    add(`${pointer}/destination`, `must not be inside /proc, got ${show(mount.destination)}`);
  }
}

function checkBind(mount: Mount, parsed: MountOptions, pointer: string, add: Add): void {
  if (mount.source === undefined) add(`${pointer}/source`, "is required for a bind mount");
  // The kernel ignores them for a bind mount. So do crun and runc 1.1 without a word; newer runc refuses them.
  for (let i = 0; i < parsed.data.length; i++) {
    const index = mount.options.indexOf(parsed.data[i] as string);
    const at = index < 0 ? `${pointer}/options` : `${pointer}/options/${index}`;
    add(at, `a file-system option has no effect on a bind mount, got ${show(parsed.data[i])}`, "warning");
  }
}

function checkMount(config: Config, mount: Mount, index: number, add: Add): void {
  const pointer = `/mounts/${index}`;
  const parsed = mountOptions(mount.options);
  checkLater(mount, parsed, pointer, add);
  checkProc(mount, parsed.bind, pointer, add);
  if (isIdmapped(mount)) loaded(import("./idmap.ts")).checkIdmap(config, mount, pointer, add);
  if (parsed.bind) {
    checkBind(mount, parsed, pointer, add);
  } else if (!parsed.remount) {
    if (mount.type === undefined) add(`${pointer}/type`, "is required without the option bind or rbind");
    else if (mount.type === "bind" || mount.type === "none") {
      add(`${pointer}/type`, `must be a file system without the option bind or rbind, got ${show(mount.type)}`);
    }
  }
  if (parsed.tmpcopyup && (parsed.bind || mount.type !== "tmpfs")) {
    add(
      `${pointer}/options/${mount.options.indexOf("tmpcopyup")}`,
      "has no effect unless the type is tmpfs",
      "warning",
    );
  }
}

function checkMounts(config: Config, add: Add): void {
  for (let i = 0; i < config.mounts.length; i++) checkMount(config, config.mounts[i] as Mount, i, add);
}

export const MOUNT_CHECKS: readonly Check[] = [{ reads: ["/mounts"], each: true, run: checkMounts }];
