// Which Linux security modules are enabled. Loaded only where config.json has a profile or label.

import type { Config } from "../config/types.ts";
import type { HostFacts } from "./facts.ts";
import type { Native } from "./native.gen.ts";

const AT_FDCWD = -100;
const FILE_MAX = 4096;
const MOUNTINFO_MAX = 64 << 20;
const APPARMOR_ENABLED = "/sys/module/apparmor/parameters/enabled";

/** Only what the config asks for. */
export function gatherLsm(native: Native, { process, linux }: Config): Pick<HostFacts, "apparmor" | "selinux"> {
  const facts: Pick<HostFacts, "apparmor" | "selinux"> = {};
  if (process.apparmorProfile !== undefined) facts.apparmor = hasApparmor(native);
  if (process.selinuxLabel !== undefined || linux.mountLabel !== undefined) facts.selinux = hasSelinux(native);
  return facts;
}

/**
 * Other than for runc, securityfs need not be mounted: Podman gives the runtime of a container with a user namespace a /sys
 * without it. In a container that may not use the profile, the kernel says so.
 */
function hasApparmor(native: Native): boolean {
  const enabled = native.read_file(AT_FDCWD, APPARMOR_ENABLED, FILE_MAX);
  return typeof enabled === "string" && enabled.startsWith("Y");
}

/** A policy is loaded (until then every process is "kernel"), and selinuxfs is there to be written to. */
function hasSelinux(native: Native): boolean {
  const mounts = native.read_file(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX);
  if (typeof mounts !== "string" || !hasWritableSelinuxfs(mounts)) return false;
  const label = native.read_file(AT_FDCWD, "/proc/self/attr/current", FILE_MAX);
  return label !== "kernel" && label !== "kernel\0";
}

/** proc_pid_mountinfo(5): `id parent dev root mountpoint options [tags] - type source superoptions`. */
export function hasWritableSelinuxfs(mountinfo: string): boolean {
  for (const line of mountinfo.split("\n")) {
    const dash = line.indexOf(" - selinuxfs ");
    if (dash < 0) continue;
    const options = line.slice(0, dash).split(" ")[5] ?? "";
    const superOptions = line.slice(line.lastIndexOf(" ") + 1);
    if (!options.split(",").includes("ro") && !superOptions.split(",").includes("ro")) return true;
  }
  return false;
}
