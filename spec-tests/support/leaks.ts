// What a container could leave behind: processes, mounts, cgroups, state folders. The tests run in their own pid and
// mount namespaces (private.sh), so everything that is new there comes from the runtime.

import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmdirSync } from "node:fs";
import { type Kind, tag } from "./runtime.ts";

export interface Snapshot {
  processes: Map<number, string>;
  mounts: Set<string>;
}

function processes(): Map<number, string> {
  const found = new Map<number, string>();
  for (const name of readdirSync("/proc")) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      const rest = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      const words = readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " ").trim();
      const comm = stat.slice(stat.indexOf("("), stat.lastIndexOf(")") + 1);
      found.set(pid, `${pid} ${comm} state ${rest[0]} parent ${rest[1]} ${words}`);
    } catch {
      // It ended while we were looking.
    }
  }
  return found;
}

function mounts(): Set<string> {
  return new Set(readFileSync("/proc/self/mountinfo", "utf8").trim().split("\n"));
}

/**
 * Folders in any cgroup hierarchy whose name begins with this run's tag. crun 1.8 makes plain folders where the unified
 * hierarchy would be when there is none, and leaves them: they go here, the test of another runtime must not see them.
 */
export function cgroups(crunLeaves = false): string[] {
  // Not its exit status: other cgroups of the machine come and go while it looks.
  const text = spawnSync("find", ["/sys/fs/cgroup", "-type", "d", "-name", `${tag()}*`], { encoding: "utf8" }).stdout;
  const found = text.split("\n").filter((line) => line !== "");
  if (!crunLeaves) return found;
  return found.filter((line) => {
    if (!line.startsWith("/sys/fs/cgroup/unified/")) return true;
    rmdirSync(line);
    return false;
  });
}

/**
 * Removes the test's own empty cgroups of that name. Not by find's exit status, which tells of other cgroups of the machine
 * that went while it looked: what stays is found by the leak check.
 */
export function removeOwnCgroups(name: string): void {
  spawnSync("find", ["/sys/fs/cgroup", "-depth", "-type", "d", "-name", name, "-exec", "rmdir", "{}", ";"]);
}

export function snapshot(): Snapshot {
  return { processes: processes(), mounts: mounts() };
}

/** Everything that is there now and was not before, in words; empty when all is clean. */
export function leaks(before: Snapshot, stateRoot: string, kind: Kind): string[] {
  const found: string[] = [];
  for (const [pid, text] of processes()) {
    const known = before.processes.get(pid);
    // vitest's own helpers may come and go; they are children of processes that we know.
    if (known === undefined && !/\((esbuild|find)\)/.test(text)) found.push(`process ${text}`);
  }
  for (const line of mounts()) if (!before.mounts.has(line)) found.push(`mount ${line}`);
  for (const folder of cgroups(kind === "crun" && process.env.BERTH_VIEW === "v1")) found.push(`cgroup ${folder}`);
  if (existsSync(stateRoot)) for (const name of readdirSync(stateRoot)) found.push(`state folder ${name}`);
  return found;
}

/** As `leaks`, but gives processes up to `patience` ms to end: a killed one needs a moment. */
export async function lastingLeaks(
  before: Snapshot,
  stateRoot: string,
  kind: Kind,
  patience = 2000,
): Promise<string[]> {
  const end = Date.now() + patience;
  for (;;) {
    const found = leaks(before, stateRoot, kind);
    if (found.length === 0 || Date.now() > end) return found;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
