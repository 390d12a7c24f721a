// Kills every process in a cgroup and below it, or sends them another signal.

import type { Native } from "../host/native.gen.ts";
import { nameOf, openAbove, openFolder } from "./cgroup-folder.ts";
import { readPids, walkCgroup } from "./cgroup-walk.ts";
import { type Freezer, freeze, openFreezer, thawFreezer } from "./freeze.ts";
import { O_WRONLY } from "./open-flags.ts";

const SIGKILL = 9;
/** Descriptors held at a time. */
const BATCH = 64;
const LIMIT_MAX = 64;
/** How long a cgroup may take to freeze. After that its processes are killed as they run. */
const FREEZE_MS = 2000;

/** Sends SIGKILL to all that is in the cgroups; whether any of them exists. Does not wait for the processes' end. */
export function killCgroups(native: Native, paths: readonly string[]): boolean {
  let found = false;
  for (const path of paths) {
    const parent = openAbove(native, path);
    if (parent < 0) continue;
    if (killBelow(native, parent, nameOf(path))) found = true;
    native.close(parent);
  }
  return found;
}

/**
 * v2: one write to cgroup.kill, from which no fork escapes. v1: a cgroup of the freezer is frozen first, so that nothing
 * forks away; then what cgroup.procs names is killed and thawed, as a frozen process does not die. Without a freezer the
 * pids controller forbids forks. False when there is no such cgroup.
 */
export function killBelow(native: Native, parent: number, name: string): boolean {
  if (native.write_file(parent, `${name}/cgroup.kill`, O_WRONLY, 0, "1") >= 0) return true;
  const folder = openFolder(native, parent, name);
  if (folder < 0) return false;
  const freezer: Freezer = { kind: "v1", folder, path: name };
  const frozen = freeze(native, freezer, FREEZE_MS, -1) >= 0;
  const limit = frozen ? -1 : forbidForks(native, folder);
  signalBelow(native, parent, name, SIGKILL);
  // What was frozen by itself, too.
  if (frozen) walkCgroup(native, parent, name, (below) => thawFreezer(native, { ...freezer, folder: below }));
  // The cgroup may be somebody else's, in which a create that is undone has put its own.
  if (typeof limit === "string") native.write_file(folder, "pids.max", O_WRONLY, 0, limit);
  native.close(folder);
  return true;
}

/** The limit that was there before; a number where there is none. */
function forbidForks(native: Native, folder: number): string | number {
  const limit = native.read_file(folder, "pids.max", LIMIT_MAX);
  if (typeof limit === "string") native.write_file(folder, "pids.max", O_WRONLY, 0, "0");
  return limit;
}

/**
 * Sends a signal to every process of a container; whether there was one. `cgroups` are the recorded leaves. They are
 * frozen meanwhile, so that nobody is missed who is just being forked; `paused`: they are frozen already and stay it.
 */
export function signalCgroups(native: Native, cgroups: readonly string[], signal: number, paused: boolean): boolean {
  const freezer = paused ? undefined : openFreezer(native, cgroups);
  try {
    if (freezer !== undefined) freeze(native, freezer, FREEZE_MS, -1);
    return signalFirst(native, cgroups, signal);
  } finally {
    if (freezer !== undefined) {
      thawFreezer(native, freezer);
      native.close(freezer.folder);
    }
  }
}

/** Every process is in each hierarchy: the first cgroup that is there has all of them. */
function signalFirst(native: Native, cgroups: readonly string[], signal: number): boolean {
  for (const path of cgroups) {
    const parent = openAbove(native, path);
    if (parent < 0) continue;
    const folder = openFolder(native, parent, nameOf(path));
    const reached = folder >= 0 && signalBelow(native, parent, nameOf(path), signal);
    if (folder >= 0) native.close(folder);
    native.close(parent);
    if (folder >= 0) return reached;
  }
  return false;
}

function signalBelow(native: Native, parent: number, name: string, signal: number): boolean {
  let reached = false;
  walkCgroup(native, parent, name, (folder) => {
    const pids = readPids(native, folder);
    for (let from = 0; from < pids.length; from += BATCH) {
      if (signalBatch(native, folder, pids.slice(from, from + BATCH), signal)) reached = true;
    }
  });
  return reached;
}

/** A number that is in cgroup.procs before and after the pidfd was opened is the process that the pidfd holds. */
function signalBatch(native: Native, folder: number, pids: readonly number[], signal: number): boolean {
  const self = native.getpid();
  const held = pids.filter((pid) => pid !== self).map((pid) => ({ pid, pidfd: native.pidfd_open(pid) }));
  const still = new Set(readPids(native, folder));
  let reached = false;
  for (const { pid, pidfd } of held) {
    if (pidfd < 0) continue;
    if (still.has(pid) && native.pidfd_kill(pidfd, signal) >= 0) reached = true;
    native.close(pidfd);
  }
  return reached;
}
