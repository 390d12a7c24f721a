// Removes a container's cgroups, what is below them first, and on request kills what still runs in them.

import { RuntimeError } from "../errors/runtime-error.ts";
import { nativeError } from "../host/must.ts";
import type { Native } from "../host/native.gen.ts";
import { loaded } from "../lazy.ts";
import { nameOf, openAbove, openFolder } from "./cgroup-folder.ts";
import { namesIn } from "./cgroup-walk.ts";

const AT_REMOVEDIR = 0x200;
const ENOENT = 2;
const EBUSY = 16;
/** The waits between attempts double from 1 ms: 2 s altogether. A killed process leaves its cgroup within milliseconds. */
const ATTEMPTS = 12;
/** How long killed processes may take to end: runc's patience with init. A fork bomb's are many. */
const KILL_MS = 10_000;
/** After so long what is left is killed again. */
const KILL_AGAIN_MS = 1000;
const NO_FDS = new Uint32Array(0);

/**
 * Removes every cgroup of the list and its children. One that is gone already is fine. `kill` first kills what is left
 * in those that are not empty. Every path is tried, then the first failure is thrown: EBUSY means that processes are
 * left. A path that is not below the top of a mounted cgroup hierarchy, or leads through a symlink, is refused.
 */
export function removeCgroups(native: Native, paths: readonly string[], kill = false): void {
  let failure: unknown;
  for (const path of paths) {
    try {
      // Processes that did not end in one hierarchy are those of the others: they are not waited for again.
      removeCgroup(native, path, kill, isBusy(failure) ? 0 : KILL_MS);
    } catch (error) {
      failure ??= error;
    }
  }
  if (failure !== undefined) throw failure;
}

function isBusy(failure: unknown): boolean {
  return failure instanceof RuntimeError && failure.facts.errno === EBUSY;
}

/** Four system calls when nothing is left in the cgroup. */
function removeCgroup(native: Native, path: string, kill: boolean, patience: number): void {
  const parent = openAbove(native, path);
  if (parent < 0) return;
  try {
    const name = nameOf(path);
    let result = native.unlink(parent, name, AT_REMOVEDIR);
    if (result === -EBUSY && kill) killAll(native, parent, name, patience);
    for (let attempt = 0; result === -EBUSY && attempt < (patience === 0 ? 1 : ATTEMPTS); attempt++) {
      if (attempt > 0) native.poll(NO_FDS, NO_FDS, 1 << (attempt - 1));
      removeBelow(native, parent, name);
      result = native.unlink(parent, name, AT_REMOVEDIR);
    }
    if (result < 0 && result !== -ENOENT) {
      throw nativeError(result, { message: "cannot remove the cgroup", operation: "rmdir", path });
    }
  } finally {
    native.close(parent);
  }
}

/** Kills what is in the cgroup and below until nothing is there, for a while. */
function killAll(native: Native, parent: number, name: string, patience: number): void {
  const { killBelow } = loaded(import("./cgroup-kill.ts"));
  const { awaitEmpty } = loaded(import("./cgroup-empty.ts"));
  const deadline = native.monotonic() + patience;
  for (let left = patience; left > 0; left = deadline - native.monotonic()) {
    if (!killBelow(native, parent, name)) return;
    if (awaitEmpty(native, parent, name, Math.min(left, KILL_AGAIN_MS))) return;
  }
}

/**
 * Removes the children of `name`, deepest first, until one is busy: it has processes. Lists each folder once, as a container
 * may have made many; holds one descriptor at a time, as it may have nested them deeper than there are descriptors; goes up by
 * `..` no further than it came down.
 */
function removeBelow(native: Native, parent: number, name: string): void {
  const trail: string[] = [];
  let folder = openFolder(native, parent, name);
  const ahead = [namesIn(native, folder)];
  while (folder >= 0) {
    const child = busyChild(native, folder, ahead[ahead.length - 1] as string[]);
    const next = child === undefined ? goUp(native, folder, trail.pop()) : openFolder(native, folder, child);
    native.close(folder);
    folder = next;
    if (child === undefined) ahead.pop();
    else {
      trail.push(child);
      ahead.push(namesIn(native, folder));
    }
  }
}

/** The folder above, with `done` removed from it; -1 at the end, or when `done` is still busy. */
function goUp(native: Native, folder: number, done: string | undefined): number {
  if (done === undefined) return -1;
  const above = openFolder(native, folder, "..");
  if (above < 0 || native.unlink(above, done, AT_REMOVEDIR) !== -EBUSY) return above;
  native.close(above);
  return -1;
}

/** Removes what can be removed of the names, and takes them off the list; the first that has processes or children. */
function busyChild(native: Native, folder: number, names: string[]): string | undefined {
  for (let name = names.pop(); name !== undefined; name = names.pop()) {
    // A cgroup's files answer ENOTDIR; that is one call instead of a stat and a rmdir.
    if (name !== "" && native.unlink(folder, name, AT_REMOVEDIR) === -EBUSY) return name;
  }
  return undefined;
}
