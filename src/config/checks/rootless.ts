// What a caller without root must not ask for; the command applies it, since a config alone does not say who runs it.

import { isIdmapped } from "../../tables/mount-ids.ts";
import type { Config, Issue, Mount } from "../types.ts";
import { type Add, isMapped, namespaceOf } from "./check.ts";

/** `uid=` and `gid=` of a file system must name ids that the caller can map. */
function checkOwner(config: Config, option: string): boolean {
  const uid = option.startsWith("uid=");
  if (!uid && !option.startsWith("gid=")) return true;
  const id = Number(option.slice(4));
  if (!Number.isInteger(id)) return true;
  return isMapped(uid ? config.linux.uidMappings : config.linux.gidMappings, id);
}

function checkMountOwners(config: Config, add: Add): void {
  for (let i = 0; i < config.mounts.length; i++) {
    const { options } = config.mounts[i] as Mount;
    for (let j = 0; j < options.length; j++) {
      if (!checkOwner(config, options[j] as string)) {
        add(`/mounts/${i}/options/${j}`, `must name a mapped id in a rootless container, got "${options[j]}"`);
      }
    }
  }
}

/** The problems of a valid config for a caller whose effective uid is not 0. */
export function checkRootless(config: Config): Issue[] {
  const issues: Issue[] = [];
  const add: Add = (pointer, message, kind = "invalid") => {
    issues.push({ pointer, kind, message });
  };
  const user = namespaceOf(config, "user");
  if (user === undefined) add("/linux/namespaces", "must have a user namespace in a rootless container");
  if (config.process.user.additionalGids.length > 0) {
    add("/process/user/additionalGids", "must not be given in a rootless container");
  }
  if (config.linux.netDevices !== undefined) add("/linux/netDevices", "must not be given in a rootless container");
  if (user !== undefined && user.path === undefined) checkMountOwners(config, add);
  for (let i = 0; i < config.mounts.length; i++) {
    if (isIdmapped(config.mounts[i] as Mount)) add(`/mounts/${i}`, "must not be id-mapped in a rootless container");
  }
  return issues;
}
