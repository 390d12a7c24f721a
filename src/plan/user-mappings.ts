// linux.uidMappings and gidMappings: what the runtime does while init waits at the `maps` barrier.

import type { IdMapping } from "../config/types.ts";
import { CLONE_NEWUSER } from "../tables/linux.ts";
import type { Compilation } from "./compilation.ts";
import { BARRIER } from "./protocol.ts";
import { raiseLimitSteps } from "./rlimits.ts";

/** Steps between the clone and the end of the `maps` barrier; none without a new user namespace. */
export function userMappingSteps(c: Compilation): void {
  const { config, steps, namespaces } = c;
  if ((namespaces.created & CLONE_NEWUSER) === 0) return;
  const uid = { pointer: "/linux/uidMappings" };
  const gid = { pointer: "/linux/gidMappings" };
  steps.push({ step: "await barrier", barrier: BARRIER.maps, origin: uid });
  // A joiner has done both itself, with the credentials of the host.
  if ((namespaces.spawned & CLONE_NEWUSER) !== 0) {
    const { oomScoreAdj } = config.process;
    if (oomScoreAdj !== undefined) {
      const origin = { pointer: "/process/oomScoreAdj" };
      steps.push({ step: "write proc file", file: "oom_score_adj", data: String(oomScoreAdj), origin });
    }
    raiseLimitSteps(c);
  }
  const { uidMappings, gidMappings } = config.linux;
  if (deniesGroups(c)) steps.push({ step: "write proc file", file: "setgroups", data: "deny", origin: gid });
  steps.push({ step: "map ids", helper: "newuidmap", data: mapText(uidMappings), origin: uid });
  steps.push({ step: "map ids", helper: "newgidmap", data: mapText(gidMappings), origin: gid });
  steps.push({ step: "release barrier", barrier: BARRIER.maps, origin: uid });
}

/**
 * user_namespaces(7): without CAP_SETGID in the parent namespace nothing but one's own gid may be mapped, and that only once
 * setgroups(2) is denied. Everything else is mapped by newgidmap, and setgroups stays allowed, as in runc.
 */
function deniesGroups({ config, options: { facts } }: Compilation): boolean {
  const [only, second] = config.linux.gidMappings;
  return facts.euid !== 0 && second === undefined && only?.size === 1 && only.hostID === facts.egid;
}

/** Whether the container's process may give up the caller's groups, and get others. */
export function maySetGroups(c: Compilation): boolean {
  const { facts } = c.options;
  if (facts.euid === 0) return facts.setgroups !== false;
  return c.config.linux.namespaces.some(({ type, path }) => type === "user" && path === undefined) && !deniesGroups(c);
}

/** What the program writes, in /proc/PID. */
export function mapFile(helper: "newuidmap" | "newgidmap"): "uid_map" | "gid_map" {
  return helper === "newuidmap" ? "uid_map" : "gid_map";
}

/** The lines of /proc/PID/uid_map; the kernel takes them in one write. */
export function mapText(mappings: readonly IdMapping[]): string {
  let text = "";
  for (const { containerID, hostID, size } of mappings) text += `${containerID} ${hostID} ${size}\n`;
  return text;
}
