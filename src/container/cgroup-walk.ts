// Goes through a cgroup and everything below it.

import type { Native } from "../host/native.gen.ts";
import { nameOf, openAbove, openFolder } from "./cgroup-folder.ts";

const MAX_PROCS = 1 << 24;

/**
 * Calls `visit` with a descriptor of the folder `name` of `parent`, then of each below it. Holds one descriptor at a time,
 * as a container may have nested its cgroups deeper than there are descriptors; goes up by `..` no further than it came
 * down. False when there is no such folder.
 */
export function walkCgroup(native: Native, parent: number, name: string, visit: (folder: number) => void): boolean {
  let folder = openFolder(native, parent, name);
  if (folder < 0) return false;
  visit(folder);
  const ahead = [namesIn(native, folder)];
  while (folder >= 0) {
    const names = ahead[ahead.length - 1] as string[];
    const child = names.pop();
    if (child === undefined) {
      ahead.pop();
      const above = ahead.length === 0 ? -1 : openFolder(native, folder, "..");
      native.close(folder);
      folder = above;
      continue;
    }
    // A cgroup's files answer ENOTDIR.
    const below = child === "" ? -1 : openFolder(native, folder, child);
    if (below < 0) continue;
    native.close(folder);
    folder = below;
    visit(folder);
    ahead.push(namesIn(native, folder));
  }
  return true;
}

/** What is in a folder; nothing when it cannot be listed. */
export function namesIn(native: Native, folder: number): string[] {
  const names = native.list_dir(folder, ".");
  return typeof names === "string" ? names.split("\0") : [];
}

/** The pids in one folder. A process of another pid namespace reads as 0 and is left out. */
export function readPids(native: Native, folder: number): number[] {
  const text = native.read_file(folder, "cgroup.procs", MAX_PROCS);
  if (typeof text === "number") return [];
  const pids: number[] = [];
  for (const line of text.split("\n")) {
    const pid = Number(line);
    if (pid > 0) pids.push(pid);
  }
  return pids;
}

/**
 * All processes of a container, ascending; undefined when none of its cgroups is there. `cgroups` are the recorded leaves;
 * every process is in each hierarchy, so the first that is there tells (v1: the freezer's).
 */
export function containerPids(native: Native, cgroups: readonly string[]): number[] | undefined {
  const pids: number[] = [];
  for (const path of cgroups) {
    const parent = openAbove(native, path);
    if (parent < 0) continue;
    const found = walkCgroup(native, parent, nameOf(path), (folder) => {
      // One by one: there may be more than a call can have arguments.
      for (const pid of readPids(native, folder)) pids.push(pid);
    });
    native.close(parent);
    if (found) return pids.sort((a, b) => a - b);
  }
  return undefined;
}
