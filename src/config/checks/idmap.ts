// Idmapped mounts: which mounts can be, and that something says which ids they have.

import { type MountIds, mountIds } from "../../tables/mount-ids.ts";
import { mountOptions } from "../../tables/mount-options.ts";
import type { Config, Mount } from "../types.ts";
import type { Add } from "./check.ts";
import { checkRanges } from "./namespaces.ts";

/** `pointer` is the mount's; it is one for which isIdmapped is true. */
export function checkIdmap(config: Config, mount: Mount, pointer: string, add: Add): void {
  const { bind, remount, idmap } = mountOptions(mount.options);
  const field = mount.uidMappings === undefined ? "gidMappings" : "uidMappings";
  const at = idmap === undefined ? `${pointer}/${field}` : `${pointer}/options/${mount.options.lastIndexOf(idmap)}`;
  if (!bind || remount) {
    add(at, "is only supported for a bind mount");
    return;
  }
  let ids: MountIds | string | undefined;
  try {
    ids = mountIds(mount, config);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    add(at, `must be of the form idmap=uids=0-1000-10;gids=0-1000-10, ${error.message}`);
    return;
  }
  if (ids === undefined) add(at, "needs uidMappings and gidMappings of the mount, or a user namespace");
  if (ids === undefined || typeof ids === "string") return;
  const own = mount.uidMappings !== undefined || mount.gidMappings !== undefined;
  // Those of the namespace are looked at where they are.
  if (!own && idmap?.includes("=") !== true) return;
  checkIds(ids, own ? pointer : undefined, at, add);
}

function checkIds({ uids, gids }: MountIds, mount: string | undefined, at: string, add: Add): void {
  if (mount === undefined && (uids.length === 0 || gids.length === 0)) {
    add(at, "needs both uids= and gids=");
    return;
  }
  for (const [name, ids] of [["uidMappings", uids] as const, ["gidMappings", gids] as const]) {
    const pointer = mount === undefined ? at : `${mount}/${name}`;
    if (ids.length === 0) add(pointer, "is required: an id-mapped mount needs both user and group ids");
    else checkRanges(ids, pointer, add);
  }
}
