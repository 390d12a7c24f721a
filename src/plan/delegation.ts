// A v2 cgroup that the container mounts writable belongs to its user, as runtime-spec asks: what runs inside can make cgroups
// below it. Without a cgroup namespace of its own it stays root's: other cgroups could be seen from there.

import type { Config } from "../config/types.ts";
import { CLONE_NEWCGROUP, CLONE_NEWUSER } from "../tables/linux.ts";
import type { Compilation } from "./compilation.ts";
import type { NamespaceSet } from "./namespace-set.ts";

/** The user of the container's process as the host knows it; undefined where that is another's knowledge. */
function hostUser({ process, linux }: Config, namespaces: NamespaceSet): number | undefined {
  const { uid } = process.user;
  if ((namespaces.joined & CLONE_NEWUSER) !== 0) return undefined;
  if ((namespaces.created & CLONE_NEWUSER) === 0) return uid;
  const range = linux.uidMappings.find(({ containerID, size }) => uid >= containerID && uid < containerID + size);
  return range === undefined ? undefined : range.hostID + uid - range.containerID;
}

/** Adds the step when there is a writable cgroup mount. Without the host's root the cgroup is the caller's already. */
export function delegateCgroup(c: Compilation): void {
  const { config, namespaces, cgroups, options } = c;
  if (cgroups.unified === undefined || options.facts.euid !== 0) return;
  if ((namespaces.created & CLONE_NEWCGROUP) === 0) return;
  const index = config.mounts.findIndex(isCgroupMount);
  if (index < 0 || config.mounts[index]?.options.includes("ro")) return;
  const uid = hostUser(config, namespaces);
  if (uid === undefined || uid === 0) return;
  c.steps.push({ step: "delegate cgroup", path: cgroups.unified.path, uid, origin: { pointer: `/mounts/${index}` } });
}

function isCgroupMount({ source, destination }: Config["mounts"][number]): boolean {
  return source === "cgroup" && destination === "/sys/fs/cgroup";
}
