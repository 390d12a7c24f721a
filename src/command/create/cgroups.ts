// The cgroups of a new container: looked at, made, unmade.

import { frozenAbove } from "../../container/freezer.ts";
import { RuntimeError } from "../../errors/runtime-error.ts";
import { warn } from "../../errors/warning.ts";
import { must, nativeError } from "../../host/must.ts";
import type { Native } from "../../host/native.gen.ts";
import { loaded } from "../../lazy.ts";
import type { Beginning } from "../../plan/create.ts";
import type { RuntimeStep } from "../../plan/plan.ts";
import type { Step } from "./creation.ts";

const AT_FDCWD = -100;
const O_RDONLY = 0;
const O_WRONLY = 1;
const O_DIRECTORY = 0o200000;
const ENOENT = 2;
const EEXIST = 17;

export interface Cgroups {
  /** Empty ones that were there before. */
  readonly old: ReadonlySet<string>;
  /** Those that this command has made. */
  readonly made: string[];
  /** The unified one, open from when it is first needed until all steps are done. */
  unified?: { path: string; fd: number };
}

/** Where a file of a cgroup is opened: directory descriptor and name. */
export type Place = (path: string, file: string) => [dir: number, name: string];
const byPath: Place = (path, file) => [AT_FDCWD, `${path}/${file}`];

/** Files of the unified cgroup are opened in the folder that init was put into, even if its name has another meanwhile. */
export function placeOf(cgroups: Cgroups): Place {
  const { unified } = cgroups;
  if (unified === undefined) return byPath;
  return (path, file) => (path === unified.path ? [unified.fd, file] : byPath(path, file));
}

/** The descriptor of a unified cgroup, opened once. */
export function openUnified(native: Native, cgroups: Cgroups, path: string, pointer: string): number {
  if (cgroups.unified?.path === path) return cgroups.unified.fd;
  const fd = must(native.open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0), { operation: "open", path, pointer });
  cgroups.unified = { path, fd };
  return fd;
}

export function closeUnified(native: Native, cgroups: Cgroups): void {
  if (cgroups.unified === undefined) return;
  native.close(cgroups.unified.fd);
  delete cgroups.unified;
}

/**
 * Runs the "check cgroup empty" steps: ahead of all others, because a cgroup that fails is somebody else's. The cgroups that
 * are there already.
 */
export function checkCgroups(native: Native, { steps, cgroupSteps }: Beginning): Set<string> {
  const old = new Set<string>();
  for (const step of [...steps, ...cgroupSteps]) {
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
  if (result === -EEXIST && step.shared) return;
  if (result < 0) throw nativeError(result, { operation: "mkdir", path: step.path, pointer: step.origin.pointer });
  cgroups.made.push(step.path);
}

function makeParents(native: Native, path: string): void {
  for (let end = path.indexOf("/", 1); end > 0; end = path.indexOf("/", end + 1)) {
    native.mkdir(AT_FDCWD, path.slice(0, end), 0o755); // the last mkdir tells what is wrong
  }
}

/** v1 cpuset: a new cgroup has no CPUs and no memory nodes until they are copied from its parent. */
export function inheritFile(native: Native, cgroups: Cgroups, step: Step<"inherit cgroup file">): void {
  const { path, file, origin } = step;
  const facts = { operation: "read", path: `${path}/${file}`, pointer: origin.pointer };
  const read = (folder: string): string =>
    (must(native.read_file(AT_FDCWD, `${folder}/${file}`, 65536), facts) as string).trim();
  // One that was there before may have been given its own.
  if (!cgroups.made.includes(path) && read(path) !== "") return;
  const parent = path.slice(0, path.lastIndexOf("/"));
  let value = read(parent);
  if (value === "") {
    inheritFile(native, cgroups, { ...step, path: parent });
    value = read(parent);
  }
  must(native.write_file(AT_FDCWD, facts.path, O_WRONLY, 0, value), { ...facts, operation: "write" });
}

export function warnIgnored({ reason, origin }: Step<"ignore field">): void {
  warn(`${origin.pointer}: is ignored: ${reason}`);
}

const LIST_MAX = 4096;

/**
 * v2: the cgroup gets the controllers that its limits need, and with `others` all that the top has. Six system calls when
 * it has them. Throws RuntimeError, with the field, for one that it needs and cannot have.
 */
export function enableControllers(native: Native, cgroups: Cgroups, step: Step<"enable controllers">): void {
  const present = readControllers(native, openUnified(native, cgroups, step.path, step.origin.pointer), "");
  const names = present.trim().split(" ");
  const complete = !step.others || present === readControllers(native, AT_FDCWD, `${step.mountpoint}/`);
  if (complete && step.controllers.every((name) => names.includes(name))) return;
  loaded(import("./controllers.ts")).enableMissing(native, step);
}

function readControllers(native: Native, dir: number, folder: string): string {
  const fd = native.open(dir, `${folder}cgroup.controllers`, O_RDONLY, 0);
  if (fd < 0) return "";
  const text = native.read(fd, LIST_MAX);
  native.close(fd);
  return typeof text === "string" ? text : "";
}

/**
 * Writes the file of steps[first], and goes on with the steps after it for as long as they write the same one, which is
 * opened once: a file of device rules takes one rule a write. The index of the last step that was done. `place` says
 * where files are opened. Throws one RuntimeError with file, value and field.
 */
export function writeCgroupFile(
  native: Native,
  steps: readonly RuntimeStep[],
  first: number,
  place: Place = byPath,
): number {
  if (isConditional(steps[first])) {
    return loaded(import("./conditional-write.ts")).writeConditionally(native, steps, first, place);
  }
  const { path, file } = steps[first] as Step<"write cgroup file">;
  const [dir, name] = place(path, file);
  const fd = native.open(dir, name, O_WRONLY, 0);
  for (let i = first; ; i++) {
    const step = steps[i] as Step<"write cgroup file">;
    const written = fd < 0 ? fd : native.write(fd, step.data);
    if (written < 0) {
      if (fd >= 0) native.close(fd);
      throw loaded(import("./write-failure.ts")).writeFailure(native, step, written, place);
    }
    const next = steps[i + 1];
    if (next?.step === "write cgroup file" && next.path === path && next.file === file && !isConditional(next))
      continue;
    native.close(fd);
    return i;
  }
}

function isConditional(step: RuntimeStep | undefined): boolean {
  if (step?.step !== "write cgroup file") return false;
  const { otherwise, optional, retry, patient, above } = step;
  return (optional ?? retry ?? patient) === true || otherwise !== undefined || above !== undefined;
}

/** The undo of every cgroup step: what was there before stays, without what we have put into it. */
export function undoCgroups(native: Native, cgroups: Cgroups, spawned: boolean): void {
  if (spawned) loaded(import("../../container/cgroup-kill.ts")).killCgroups(native, [...cgroups.old]);
  loaded(import("../../container/cgroup-remove.ts")).removeCgroups(native, cgroups.made, true);
}
