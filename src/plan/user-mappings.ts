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
  // user_namespaces(7): without CAP_SETGID in the parent namespace gid_map may be written only after this.
  if (c.options.facts.euid !== 0) steps.push({ step: "write proc file", file: "setgroups", data: "deny", origin: gid });
  const { uidMappings, gidMappings } = config.linux;
  steps.push({ step: "write proc file", file: "uid_map", data: mapText(uidMappings), origin: uid });
  steps.push({ step: "write proc file", file: "gid_map", data: mapText(gidMappings), origin: gid });
  steps.push({ step: "release barrier", barrier: BARRIER.maps, origin: uid });
}

/** The lines of /proc/PID/uid_map; the kernel takes them in one write. */
export function mapText(mappings: readonly IdMapping[]): string {
  let text = "";
  for (const { containerID, hostID, size } of mappings) text += `${containerID} ${hostID} ${size}\n`;
  return text;
}
