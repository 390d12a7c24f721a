// Bind mounts that the runtime makes, in the mount namespace of init, while init waits for them: idmapped ones, because only
// who controls the file system may give a mount other ids, and all those of a container with a user namespace, because what
// root of that namespace may not reach (a volume in a folder for the host's root alone) can be a source all the same.

import type { Mount } from "../config/types.ts";
import { RuntimeError } from "../errors/runtime-error.ts";
import { AT_RECURSIVE, AT_SYMLINK_NOFOLLOW } from "../tables/linux.ts";
import { isIdmapped, type MountIds, mountIds } from "../tables/mount-ids.ts";
import { mountOptions } from "../tables/mount-options.ts";
import type { Compilation } from "./compilation.ts";
import { hasUserNamespace } from "./namespace-set.ts";
import { absolutePath } from "./paths.ts";
import type { RuntimeStep } from "./plan.ts";
import { BARRIER } from "./protocol.ts";
import { mapText } from "./user-mappings.ts";

type MapMount = Extract<RuntimeStep, { step: "map mount" }>;

/** Anybody but root cannot enter init's mount namespace; but then root of the user namespace is who runs the runtime. */
export function isCloned(c: Compilation, mount: Mount): boolean {
  if (isIdmapped(mount)) return true;
  if (!hasUserNamespace(c.namespaces) || c.options.facts.euid !== 0) return false;
  const { bind, remount } = mountOptions(mount.options);
  return (bind || mount.type === "bind") && !remount;
}

/** What the runtime does while init mounts: a user namespace for each set of ids, and a clone for each mount. */
export function mapMountSteps(c: Compilation): void {
  const { mounts } = c.config;
  const known: string[] = [];
  let last: MapMount | undefined;
  for (let i = 0; i < mounts.length; i++) {
    const mount = mounts[i] as Mount;
    if (!isCloned(c, mount)) continue;
    const options = mountOptions(mount.options);
    const origin = { pointer: `/mounts/${i}` };
    const namespace = isIdmapped(mount) ? namespaceStep(c, mount, origin.pointer, known) : -1;
    const flags = (options.recursiveBind ? AT_RECURSIVE : 0) | (options.srcNofollow ? AT_SYMLINK_NOFOLLOW : 0);
    const source = absolutePath(c.options.bundle, mount.source ?? "");
    const recursive = options.idmap?.startsWith("r") === true;
    c.steps.push({ step: "await barrier", barrier: BARRIER.mount, origin });
    last = { step: "map mount", source, flags, namespace, recursive, last: false, origin };
    c.steps.push(last);
  }
  if (last !== undefined) last.last = true;
}

/** The number of the user namespace with the mount's ids, made when no mount before had the same ones. */
function namespaceStep({ config, steps }: Compilation, mount: Mount, pointer: string, known: string[]): number {
  const ids = mountIds(mount, config);
  if (ids === undefined) {
    throw new RuntimeError({ message: "id-mapped mounts must have both uid and gid mappings specified", pointer });
  }
  const key = typeof ids === "string" ? ids : keyOf(ids);
  const index = known.indexOf(key);
  if (index >= 0) return index;
  const origin = { pointer };
  if (typeof ids === "string") steps.push({ step: "open user namespace", path: ids, origin });
  else steps.push({ step: "make user namespace", uids: mapText(ids.uids), gids: mapText(ids.gids), origin });
  return known.push(key) - 1;
}

function keyOf({ uids, gids }: MountIds): string {
  return `${mapText(uids)};${mapText(gids)}`;
}
