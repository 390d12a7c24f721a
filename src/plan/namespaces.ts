// Ops from init's start to the point where it is in all its namespaces: see namespace-set.ts for the two ways there.

import { CLONE_NEWTIME, CLONE_NEWUSER, O_WRONLY } from "../tables/linux.ts";
import type { PlanBuilder } from "./builder.ts";
import type { Compilation } from "./compilation.ts";
import { BARRIER, NONE } from "./protocol.ts";
import { raiseLimits } from "./rlimits.ts";

const POINTER = "/linux/namespaces";

/** Afterwards init is in all its namespaces, and non-dumpable. */
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
  // A joiner's child is born in them; and as root of a user namespace nobody may move.
  if (namespaces.joiner || inNewUser) joinCgroups(c);
  // Whoever asks for it moves this process, and with a joiner its child is born there.
  if (c.unit !== undefined) ops.at("/linux/cgroupsPath", c.unit.unit).sync(BARRIER.cgroup);
  if (c.cgroupFiles.length === 0) ops.at("default").reset_affinity();
  if (inNewUser) becomeRoot(ops, true);
  if (!namespaces.joiner) {
    if (joined !== 0) joinAll(c);
    if (c.cgroupFiles.length === 0) unshareLate(c);
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

export function writeOomScore(c: Compilation): void {
  const { oomScoreAdj } = c.config.process;
  if (oomScoreAdj === undefined) return;
  c.ops.at("/process/oomScoreAdj", "/proc/self/oom_score_adj");
  c.ops.write_file(NONE, "/proc/self/oom_score_adj", 0, String(oomScoreAdj));
}

function unshareLate({ ops, namespaces }: Compilation): void {
  if (namespaces.unshared !== 0) ops.at(POINTER).unshare(namespaces.unshared);
}

/**
 * v1: before anything that needs init in its cgroups, and as late as that, for the runtime makes them meanwhile. A cgroup
 * namespace begins where init is then.
 */
export function enterCgroups(c: Compilation): void {
  if (c.cgroupFiles.length === 0) return;
  joinCgroups(c);
  // A cpuset that is joined may narrow it.
  c.ops.at("default").reset_affinity();
  unshareLate(c);
}

function joinCgroups(c: Compilation): void {
  if (c.cgroupFiles.length === 0) return;
  c.ops.at("/linux/cgroupsPath").join_cgroups(c.cgroupFiles);
  c.cgroupFiles = [];
}

/** v1: a thread that moves itself through `tasks` takes no lock of the whole process and waits for no grace period. */
export function joinTasks({ ops, slots }: Compilation): void {
  for (let i = 0; i < slots.tasks.length; i++) {
    const { slot, path } = slots.tasks[i] as (typeof slots.tasks)[number];
    ops.at("/linux/cgroupsPath", path).write(slot, "0");
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
