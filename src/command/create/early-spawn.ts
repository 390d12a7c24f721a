// The clone is the longest single step of a create. With cgroup v1, where init moves into its cgroups by itself, all that it
// needs is linux.namespaces: it can begin before config.json is decoded. With v2 the cgroup comes first.

import { peekNamespaces } from "../../config/load.ts";
import type { CgroupFacts } from "../../host/facts.ts";
import { namespaceSet } from "../../plan/namespace-set.ts";
import type { Step } from "./creation.ts";
import type { OpenBundle } from "./load.ts";
import type { CreateRequest } from "./request.ts";

/** The step "spawn" as the plan will have it, or undefined: its time is not yet. */
export function earlySpawn(
  { parsed }: OpenBundle,
  { rights, systemd }: CreateRequest,
  mode: CgroupFacts["mode"],
): Step<"spawn"> | undefined {
  const { rootless, unprivileged, userNamespace } = rights;
  if (mode !== "v1" || systemd || rootless || unprivileged || userNamespace) return undefined;
  const namespaces = peekNamespaces(parsed);
  if (namespaces === undefined) return undefined;
  return { step: "spawn", flags: namespaceSet(namespaces, true).spawned, origin: { pointer: "/linux/namespaces" } };
}
