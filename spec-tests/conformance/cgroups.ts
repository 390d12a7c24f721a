// The cgroups that a program which broke off leaves behind.

import { readdirSync, rmdirSync, statSync } from "node:fs";
import { join } from "node:path";

const TOP = "/sys/fs/cgroup";

/** Names that several programs give their cgroups. */
export const SHARED = /^(cgrouptest|testdir)$/;
/** What the containers of the suite are called, and their cgroups. */
export const OWN = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The cgroups of that name in every hierarchy. */
export function cgroups(name: RegExp): Set<string> {
  const found = new Set<string>();
  for (const root of [TOP, ...readdirSync(TOP).map((entry) => join(TOP, entry))]) {
    if (!statSync(root).isDirectory()) continue;
    for (const entry of readdirSync(root)) if (name.test(entry)) found.add(join(root, entry));
  }
  return found;
}

/** Removes those of that name that were not there before. */
export function removeCgroups(name: RegExp, before: ReadonlySet<string>): void {
  for (const folder of cgroups(name)) if (!before.has(folder)) remove(folder);
}

function remove(folder: string): void {
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true }))
      if (entry.isDirectory()) remove(join(folder, entry.name));
    rmdirSync(folder);
  } catch {
    // Still in use, or gone meanwhile: the next program would say so.
  }
}
