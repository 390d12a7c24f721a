// What needs which namespace.

import type { Config, IdMapping } from "../types.ts";
import { type Add, type Check, isMapped, namespaceOf } from "./check.ts";

/** Lines that the kernel takes in uid_map and gid_map since 4.15. */
const MAX_MAPPINGS = 340;
const IDS = 0x100000000;

/** sethostname(2) in the host's namespace would rename the host. */
function checkUts(config: Config, add: Add): void {
  if (config.hostname === undefined && config.domainname === undefined) return;
  if (namespaceOf(config, "uts") !== undefined) return;
  if (config.hostname !== undefined) add("/hostname", "needs a uts namespace of the container's own");
  if (config.domainname !== undefined) add("/domainname", "needs a uts namespace of the container's own");
}

/** Masking or protecting a path in the host's mount namespace would do it to the host. */
function checkRestrictedPaths(config: Config, add: Add): void {
  const { maskedPaths, readonlyPaths } = config.linux;
  if ((maskedPaths.length === 0 && readonlyPaths.length === 0) || namespaceOf(config, "mount") !== undefined) return;
  if (maskedPaths.length > 0) add("/linux/maskedPaths", "needs a mount namespace of the container's own");
  if (readonlyPaths.length > 0) add("/linux/readonlyPaths", "needs a mount namespace of the container's own");
}

/** What user_namespaces(7) demands of a map: no overflow, no id twice on either side. */
export function checkRanges(mappings: readonly IdMapping[], pointer: string, add: Add): void {
  if (mappings.length > MAX_MAPPINGS) add(pointer, `must have at most ${MAX_MAPPINGS} entries, got ${mappings.length}`);
  for (let i = 0; i < mappings.length && i < MAX_MAPPINGS; i++) {
    const a = mappings[i] as IdMapping;
    if (a.containerID + a.size >= IDS || a.hostID + a.size >= IDS)
      add(`${pointer}/${i}`, "must end below id 4294967295");
    for (let j = 0; j < i; j++) {
      const b = mappings[j] as IdMapping;
      const container = a.containerID < b.containerID + b.size && b.containerID < a.containerID + a.size;
      const host = a.hostID < b.hostID + b.size && b.hostID < a.hostID + a.size;
      if (container || host) add(`${pointer}/${i}`, `must not overlap with entry ${j}`);
    }
  }
}

function checkMapping(mappings: readonly IdMapping[], pointer: string, add: Add): void {
  if (mappings.length === 0) add(pointer, "is required for a new user namespace");
  else if (!isMapped(mappings, 0)) add(pointer, "must map the container's id 0");
  checkRanges(mappings, pointer, add);
}

function checkUser(config: Config, add: Add): void {
  const { uidMappings, gidMappings } = config.linux;
  const user = namespaceOf(config, "user");
  if (user !== undefined && user.path === undefined) {
    checkMapping(uidMappings, "/linux/uidMappings", add);
    checkMapping(gidMappings, "/linux/gidMappings", add);
    return;
  }
  // containerd gives both the namespace and its mappings; those of the namespace are what counts.
  const kind = user === undefined ? "invalid" : "warning";
  const message = user === undefined ? "needs a user namespace" : "is not used when a user namespace is joined";
  if (uidMappings.length > 0) add("/linux/uidMappings", message, kind);
  if (gidMappings.length > 0) add("/linux/gidMappings", message, kind);
}

/** The kernel refuses setuid and setgid to an id that the user namespace does not map. */
function checkProcessIds(config: Config, add: Add): void {
  const user = namespaceOf(config, "user");
  const { uidMappings, gidMappings } = config.linux;
  if (user === undefined || user.path !== undefined || uidMappings.length === 0 || gidMappings.length === 0) return;
  const { uid, gid, additionalGids } = config.process.user;
  if (!isMapped(uidMappings, uid)) add("/process/user/uid", `must be mapped by linux.uidMappings, got ${uid}`);
  if (!isMapped(gidMappings, gid)) add("/process/user/gid", `must be mapped by linux.gidMappings, got ${gid}`);
  for (let i = 0; i < additionalGids.length; i++) {
    const extra = additionalGids[i] as number;
    if (!isMapped(gidMappings, extra)) {
      add(`/process/user/additionalGids/${i}`, `must be mapped by linux.gidMappings, got ${extra}`);
    }
  }
}

/** Offsets are fixed when the first process enters: only a new time namespace can have them. */
function checkTime(config: Config, add: Add): void {
  if (config.linux.timeOffsets.length === 0) return;
  const time = namespaceOf(config, "time");
  if (time === undefined) add("/linux/timeOffsets", "needs a time namespace");
  else if (time.path !== undefined) add("/linux/timeOffsets", "must not be given when a time namespace is joined");
}

/** Moved nowhere they would at most be renamed. That a joined namespace is the runtime's own is seen when it is joined. */
function checkNetDevices(config: Config, add: Add): void {
  if (config.linux.netDevices === undefined || namespaceOf(config, "network") !== undefined) return;
  add("/linux/netDevices", "needs a network namespace of the container's own");
}

export const NAMESPACE_CHECKS: readonly Check[] = [
  { reads: ["/hostname", "/domainname", "/linux/namespaces"], run: checkUts },
  { reads: ["/linux/maskedPaths", "/linux/readonlyPaths", "/linux/namespaces"], run: checkRestrictedPaths },
  { reads: ["/linux/uidMappings", "/linux/gidMappings", "/linux/namespaces"], run: checkUser },
  { reads: ["/process/user", "/linux/uidMappings", "/linux/gidMappings", "/linux/namespaces"], run: checkProcessIds },
  { reads: ["/linux/timeOffsets", "/linux/namespaces"], run: checkTime },
  { reads: ["/linux/netDevices", "/linux/namespaces"], run: checkNetDevices },
];
