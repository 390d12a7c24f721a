// What a root of a user namespace that is not the host's must know of it.

import type { HostFacts } from "./facts.ts";
import type { Native } from "./native.gen.ts";

const AT_FDCWD = -100;
const AT_EMPTY_PATH = 0x1000;
const O_RDONLY = 0;

export function gatherNamespace(native: Native): Pick<HostFacts, "userNamespace" | "setgroups" | "foreignNetwork"> {
  const setgroups = native.read_file(AT_FDCWD, "/proc/self/setgroups", 64);
  return {
    userNamespace: true,
    ...(typeof setgroups === "string" && setgroups.startsWith("deny") ? { setgroups: false } : undefined),
    ...(ownsNetwork(native) ? undefined : { foreignNetwork: true }),
  };
}

/** Whether the network namespace belongs to the user namespace; what cannot be found out is taken for not. */
function ownsNetwork(native: Native): boolean {
  const network = native.open(AT_FDCWD, "/proc/self/ns/net", O_RDONLY, 0);
  if (network < 0) return false;
  const owner = native.ns_owner(network);
  native.close(network);
  if (owner < 0) return false; // above this user namespace
  const found = native.stat(owner, "", AT_EMPTY_PATH);
  native.close(owner);
  const own = native.stat(AT_FDCWD, "/proc/self/ns/user", 0);
  if (typeof found === "number" || typeof own === "number") return false;
  // Device and inode.
  return [6, 7, 8].every((at) => found[at] === own[at]);
}
