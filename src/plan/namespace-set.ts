// Which namespaces clone3 makes, which init joins or unshares, and when a second clone is needed.
//
// The process that spawn starts is the container's init, unless a user, pid or time namespace is joined, a time namespace
// is made, or a user namespace is made beside joined ones. Then it is the joiner: it joins with the host's credentials,
// enters the user namespace last, and its second clone, which makes all other namespaces with their right owner, is the
// container's init (`sibling`) and goes on with the same program.

import type { Namespace } from "../config/types.ts";
import type { HostFacts } from "../host/facts.ts";
import {
  CLONE_NEWCGROUP,
  CLONE_NEWIPC,
  CLONE_NEWNS,
  CLONE_NEWPID,
  CLONE_NEWTIME,
  CLONE_NEWUSER,
} from "../tables/linux.ts";
import { namespaceFlag } from "../tables/namespaces.ts";

export interface NamespaceSet {
  /** CLONE_NEW flags of those that are made, and of those that are joined by path. */
  readonly created: number;
  readonly joined: number;
  /** A second clone is needed. */
  readonly joiner: boolean;
  /** Flags for spawn's clone3. */
  readonly spawned: number;
  /**
   * Made by init itself: a cgroup namespace once init has moved into its cgroup, an ipc namespace once init has the ids of
   * a new user namespace, because the top of its mqueue belongs to who makes it.
   */
  readonly unshared: number;
}

/** `movesItself`: init enters a cgroup after the clone, as on v1. */
export function namespaceSet(namespaces: readonly Namespace[], movesItself: boolean): NamespaceSet {
  let created = 0;
  let joined = 0;
  for (let i = 0; i < namespaces.length; i++) {
    const { type, path } = namespaces[i] as Namespace;
    if (path === undefined) created |= namespaceFlag(type);
    else joined |= namespaceFlag(type);
  }
  const joiner =
    (joined & (CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWTIME)) !== 0 ||
    (created & CLONE_NEWTIME) !== 0 ||
    ((created & CLONE_NEWUSER) !== 0 && joined !== 0);
  if (joiner) {
    const spawned = joined === 0 ? created & CLONE_NEWUSER : 0;
    return { created, joined, joiner, spawned, unshared: 0 };
  }
  const unshared =
    (movesItself ? created & CLONE_NEWCGROUP : 0) | ((created & CLONE_NEWUSER) !== 0 ? created & CLONE_NEWIPC : 0);
  return { created, joined, joiner, spawned: created & ~unshared, unshared };
}

/** Whether the container has a mount namespace that is not the runtime's. */
export function hasMountNamespace(namespaces: NamespaceSet): boolean {
  return ((namespaces.created | namespaces.joined) & CLONE_NEWNS) !== 0;
}

/**
 * Whether init's rights end at a user namespace: it can make no device nodes there, and what the host has mounted keeps its
 * attributes. `userNamespace`: berth itself is in one.
 */
export function isConfined(namespaces: NamespaceSet, { userNamespace }: Pick<HostFacts, "userNamespace">): boolean {
  return userNamespace === true || hasUserNamespace(namespaces);
}

/** Whether the container runs in a user namespace that is not the runtime's. */
export function hasUserNamespace(namespaces: NamespaceSet): boolean {
  return ((namespaces.created | namespaces.joined) & CLONE_NEWUSER) !== 0;
}
