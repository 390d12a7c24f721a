// Namespaces: what clone3 makes, what init joins or unshares, and when a second clone is needed.
//
// The process that spawn starts is the container's init, unless a user, pid or time namespace is joined, a time namespace
// is made, or a user namespace is made beside joined ones. Then it is the joiner: it joins with the host's credentials,
// enters the user namespace last, and its second clone, which makes all other namespaces with their right owner, is the
// container's init (`sibling`) and goes on with the same program.

import type { Namespace } from "../config/types.ts";
import { RuntimeError } from "../errors/runtime-error.ts";
import type { CgroupFacts } from "../host/facts.ts";
import {
  CLONE_NEWCGROUP,
  CLONE_NEWIPC,
  CLONE_NEWNS,
  CLONE_NEWPID,
  CLONE_NEWTIME,
  CLONE_NEWUSER,
  O_WRONLY,
} from "../tables/linux.ts";
import { namespaceFlag } from "../tables/namespaces.ts";
import type { PlanBuilder } from "./builder.ts";
import type { Compilation } from "./compilation.ts";
import { BARRIER, NONE } from "./ops.ts";
import { raiseLimits } from "./rlimits.ts";

const POINTER = "/linux/namespaces";

export interface NamespaceSet {
  /** CLONE_NEW flags of those that are made, and of those that are joined by path. */
  readonly created: number;
  readonly joined: number;
  /** A second clone is needed. */
  readonly joiner: boolean;
  /** Flags for spawn's clone3. */
  readonly spawned: number;
  /**
   * Made by init itself: a cgroup namespace once init is in its cgroup (v1 and hybrid), an ipc namespace once init has the
   * ids of a new user namespace, because the top of its mqueue belongs to who makes it.
   */
  readonly unshared: number;
}

/** Throws RuntimeError when there is no mount namespace: every mount would be made in the host's. */
export function namespaceSet(namespaces: readonly Namespace[], cgroup: CgroupFacts): NamespaceSet {
  let created = 0;
  let joined = 0;
  for (let i = 0; i < namespaces.length; i++) {
    const { type, path } = namespaces[i] as Namespace;
    if (path === undefined) created |= namespaceFlag(type);
    else joined |= namespaceFlag(type);
  }
  if (((created | joined) & CLONE_NEWNS) === 0) {
    throw new RuntimeError({
      message: "a container without a mount namespace is not supported: its mounts would be made on the host",
      pointer: POINTER,
    });
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
    (cgroup.mode === "v2" ? 0 : created & CLONE_NEWCGROUP) |
    ((created & CLONE_NEWUSER) !== 0 ? created & CLONE_NEWIPC : 0);
  return { created, joined, joiner, spawned: created & ~unshared, unshared };
}

/** Whether the container runs in a user namespace that is not the runtime's. */
export function hasUserNamespace(namespaces: NamespaceSet): boolean {
  return ((namespaces.created | namespaces.joined) & CLONE_NEWUSER) !== 0;
}

/** Ops from init's start to the point where it is in all its namespaces and non-dumpable. */
export function enterNamespaces(c: Compilation): void {
  const { ops, namespaces } = c;
  const { created, joined, spawned } = namespaces;
  // In a new user namespace /proc/self stays ours, for the runtime to write the maps, until they are written: nothing
  // hostile is inside yet. There the runtime writes oom_score_adj too: it takes the host's capabilities.
  const inNewUser = (spawned & CLONE_NEWUSER) !== 0;
  if (!inNewUser) {
    writeOomScore(c);
    ops.at("default").dumpable(0);
  }
  ops.at("default").reset_signals();
  joinTasks(c);
  ops.at("default").reset_affinity();
  if (inNewUser) becomeRoot(ops, true);
  if (!namespaces.joiner) {
    if (joined !== 0) joinAll(c);
    if (namespaces.unshared !== 0) ops.at(POINTER).unshare(namespaces.unshared);
    return;
  }
  if (!inNewUser) raiseLimits(c);
  const offsets = openTimeOffsets(c);
  joinAll(c);
  if (!inNewUser && (created & CLONE_NEWUSER) !== 0) {
    ops.at(POINTER, "user").unshare(CLONE_NEWUSER);
    becomeRoot(ops, false);
  }
  if ((created & CLONE_NEWTIME) !== 0) {
    ops.at(POINTER, "time").unshare(CLONE_NEWTIME);
    writeTimeOffsets(c, offsets);
  }
  ops.at(POINTER).sibling(created & ~(CLONE_NEWUSER | CLONE_NEWTIME), NONE);
}

function writeOomScore(c: Compilation): void {
  const { oomScoreAdj } = c.config.process;
  if (oomScoreAdj === undefined) return;
  c.ops.at("/process/oomScoreAdj", "/proc/self/oom_score_adj");
  c.ops.write_file(NONE, "/proc/self/oom_score_adj", 0, String(oomScoreAdj));
}

/** v1: a thread that moves itself through `tasks` takes no lock of the whole process and waits for no grace period. */
function joinTasks(c: Compilation): void {
  const { ops, slots, cgroups } = c;
  for (let i = 0; i < slots.tasks.length; i++) {
    const slot = slots.tasks[i] as number;
    ops.at("/linux/cgroupsPath", cgroups.v1[i]?.path).write(slot, "0");
    ops.close(slot);
  }
}

/** Waits for the maps; afterwards ids and capabilities are those of the user namespace's root. */
function becomeRoot(ops: PlanBuilder, afterExec: boolean): void {
  ops.at("/linux/uidMappings").sync(BARRIER.maps);
  ops.set_ids(0, 0);
  // The exec with unmapped ids kept the capabilities by the inheritable and ambient sets alone.
  if (afterExec) ops.clear_inheritable();
  // Also after unshare: a change of ids resets it to fs.suid_dumpable.
  ops.at("default").dumpable(0);
}

/** As host root everything is joined before the user namespace; as anybody else only the user namespace gives the right. */
function joinAll(c: Compilation): void {
  const userFirst = c.options.facts.euid !== 0;
  if (userFirst) joinUser(c);
  for (const { slot, nstype, pointer, path } of c.slots.joins) {
    if (nstype === CLONE_NEWUSER) continue;
    c.ops.at(pointer, path).setns(slot, nstype);
    c.ops.close(slot);
  }
  if (!userFirst) joinUser(c);
}

function joinUser(c: Compilation): void {
  const { ops } = c;
  for (const { slot, nstype, pointer, path } of c.slots.joins) {
    if (nstype !== CLONE_NEWUSER) continue;
    ops.at(pointer, path).setns(slot, nstype);
    ops.close(slot);
    ops.set_ids(0, 0);
    ops.at("default").dumpable(0);
  }
}

/** Opened with the credentials of before: afterwards /proc/self belongs to host root. NONE: nothing to write. */
function openTimeOffsets(c: Compilation): number {
  if ((c.namespaces.created & CLONE_NEWTIME) === 0 || c.config.linux.timeOffsets.length === 0) return NONE;
  const slot = c.ops.slot();
  c.ops.at("/linux/timeOffsets", "/proc/self/timens_offsets");
  c.ops.open(slot, NONE, "/proc/self/timens_offsets", O_WRONLY, 0, 0);
  return slot;
}

function writeTimeOffsets(c: Compilation, slot: number): void {
  if (slot === NONE) return;
  let text = "";
  for (const { clock, secs, nanosecs } of c.config.linux.timeOffsets) text += `${clock} ${secs} ${nanosecs}\n`;
  c.ops.at("/linux/timeOffsets").write(slot, text);
  c.ops.close(slot);
}
