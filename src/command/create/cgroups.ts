// The cgroups of a new container: looked at, made, unmade.

import { frozenAbove } from "../../container/freezer.ts";
import { RuntimeError } from "../../errors/runtime-error.ts";
import { must, nativeError } from "../../host/must.ts";
import type { Native } from "../../host/native.gen.ts";
import { loaded } from "../../lazy.ts";
import type { Plan, RuntimeStep } from "../../plan/plan.ts";
import type { Step } from "./steps.ts";

const AT_FDCWD = -100;
const O_WRONLY = 1;
const ENOENT = 2;

export interface Cgroups {
  /** Empty ones that were there before. */
  readonly old: ReadonlySet<string>;
  /** Those that this command has made. */
  readonly made: string[];
}

/**
 * Runs the plan's "check cgroup empty" steps: ahead of all others, because a cgroup that fails is somebody else's. The
 * cgroups that are there already.
 */
export function checkCgroups(native: Native, plan: Plan): Set<string> {
  const old = new Set<string>();
  for (const step of plan.runtime) {
    if (step.step !== "check cgroup empty") continue;
    const pointer = step.origin.pointer;
    if (step.controllers === "" || step.controllers.split(",").includes("freezer")) {
      const path = frozenAbove(native, step.path, step.mountpoint);
      if (path !== undefined)
        throw new RuntimeError({ message: "container's cgroup is below a frozen one", path, pointer });
    }
    const found = native.statfs_type(AT_FDCWD, step.path);
    if (found === -ENOENT) continue; // to be made
    must(found, { operation: "statfs", path: step.path, pointer });
    const { checkOldCgroup } = loaded(import("./old-cgroup.ts"));
    checkOldCgroup(native, step.path, pointer);
    old.add(step.path);
  }
  return old;
}

/** A cgroup that was not there when we looked and is now may have somebody else's processes: it is not taken. */
export function makeCgroup(native: Native, cgroups: Cgroups, step: Step<"mkdir cgroup">): void {
  if (cgroups.old.has(step.path)) return;
  let result = native.mkdir(AT_FDCWD, step.path, 0o755);
  if (result === -ENOENT) {
    makeParents(native, step.path);
    result = native.mkdir(AT_FDCWD, step.path, 0o755);
  }
  if (result < 0) throw nativeError(result, { operation: "mkdir", path: step.path, pointer: step.origin.pointer });
  cgroups.made.push(step.path);
}

function makeParents(native: Native, path: string): void {
  for (let end = path.indexOf("/", 1); end > 0; end = path.indexOf("/", end + 1)) {
    native.mkdir(AT_FDCWD, path.slice(0, end), 0o755); // the last mkdir tells what is wrong
  }
}

/** v1 cpuset: a new cgroup has no CPUs and no memory nodes until they are copied from its parent. */
export function inheritFile(native: Native, step: Step<"inherit cgroup file">): void {
  const own = `${step.path}/${step.file}`;
  const facts = { operation: "read", path: own, pointer: step.origin.pointer };
  if ((must(native.read_file(AT_FDCWD, own, 65536), facts) as string).trim() !== "") return;
  const parent = step.path.slice(0, step.path.lastIndexOf("/"));
  let value = (must(native.read_file(AT_FDCWD, `${parent}/${step.file}`, 65536), facts) as string).trim();
  if (value === "") {
    inheritFile(native, { ...step, path: parent });
    value = (must(native.read_file(AT_FDCWD, `${parent}/${step.file}`, 65536), facts) as string).trim();
  }
  must(native.write_file(AT_FDCWD, own, O_WRONLY, 0, value), { ...facts, operation: "write" });
}

/**
 * Writes the file of steps[first], and goes on with the steps after it for as long as they write the same one, which is
 * opened once: a file of device rules takes one rule a write. The index of the last step that was done.
 */
export function writeCgroupFile(native: Native, steps: readonly RuntimeStep[], first: number): number {
  const { path, file } = steps[first] as Step<"write cgroup file">;
  const name = `${path}/${file}`;
  const fd = native.open(AT_FDCWD, name, O_WRONLY, 0);
  for (let i = first; ; i++) {
    const { data, origin } = steps[i] as Step<"write cgroup file">;
    const written = fd < 0 ? fd : native.write(fd, data);
    if (written < 0) {
      if (fd >= 0) native.close(fd);
      const message = `cannot write ${JSON.stringify(data)}`;
      throw nativeError(written, { message, operation: "write", path: name, pointer: origin.pointer });
    }
    const next = steps[i + 1];
    if (next?.step === "write cgroup file" && next.path === path && next.file === file) continue;
    native.close(fd);
    return i;
  }
}

/** The undo of every cgroup step: what was there before stays, without what we have put into it. */
export function undoCgroups(native: Native, cgroups: Cgroups, spawned: boolean): void {
  if (spawned) loaded(import("../../container/cgroup-kill.ts")).killCgroups(native, [...cgroups.old]);
  loaded(import("../../container/cgroup-remove.ts")).removeCgroups(native, cgroups.made, true);
}
