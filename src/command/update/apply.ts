// Carries out the writes of an update, and takes them back when one fails.

import type { CgroupPaths } from "../../cgroup/path.ts";
import { resourceSteps } from "../../cgroup/resources.ts";
import type { CgroupLeaf } from "../../container/cgroup-leaves.ts";
import { O_WRONLY } from "../../container/open-flags.ts";
import type { SystemdUnit } from "../../container/state.ts";
import { RuntimeError } from "../../errors/runtime-error.ts";
import type { CgroupFacts } from "../../host/facts.ts";
import { nativeError } from "../../host/must.ts";
import type { Native } from "../../host/native.gen.ts";
import { loaded } from "../../lazy.ts";
import type { RuntimeStep } from "../../plan/plan.ts";
import { enableControllers, type Place, warnIgnored, writeCgroupFile } from "../create/cgroups.ts";
import type { Step } from "../create/creation.ts";
import type { UpdateRequest } from "./request.ts";

const AT_FDCWD = -100;
const MAX_SIZE = 4096;

export interface Target {
  paths: CgroupPaths;
  facts: CgroupFacts;
  /** The container's cgroups, open, by path. */
  leaves: ReadonlyMap<string, CgroupLeaf>;
}

/** What a file held before. */
interface Before {
  dir: number;
  file: string;
  data: string;
  path: string;
}

/**
 * Throws one RuntimeError with the flag or field, the file and the value. A unit of systemd is told once the kernel has
 * taken the limits; it writes its own idea of them into the same files, so that they are written again.
 */
export function apply(native: Native, request: UpdateRequest, target: Target, unit?: SystemdUnit): void {
  const before: Before[] = [];
  const systemd = unit === undefined ? undefined : loaded(import("./unit.ts"));
  const resources = systemd === undefined ? request.resources : systemd.withRoundedQuota(request.resources);
  try {
    const steps = resourceSteps(resources, target.paths, target.facts, "");
    for (const step of steps) if (step.step === "ignore field") warnIgnored(step);
    writeLimits(native, steps, target, before);
    if (systemd !== undefined && unit !== undefined) {
      systemd.tellUnit(native, unit, resources, target);
      writeLimits(native, steps, target, before);
    }
    const { devices } = resources;
    if (devices.length === 0) return;
    const { replaceDevices } = loaded(import("../../container/replace-devices.ts"));
    replaceDevices(native, devices, [...target.leaves.keys()], "");
  } catch (error) {
    throw named(error, request, takeBack(native, before));
  }
}

function writeLimits(native: Native, steps: readonly RuntimeStep[], target: Target, before: Before[]): void {
  const place: Place = (path, file) => {
    const leaf = target.leaves.get(path);
    return leaf === undefined ? [AT_FDCWD, `${path}/${file}`] : [leaf.dir, file];
  };
  for (const step of steps) if (step.step === "enable controllers") enable(native, step, target);
  const writes = steps.filter((step) => step.step === "write cgroup file");
  for (const { path, file, otherwise } of writes) {
    remember(native, path, file, place, before);
    if (otherwise !== undefined) remember(native, path, otherwise.file, place, before);
  }
  for (let i = 0; i < writes.length; i++) i = writeCgroupFile(native, writes, i, place);
}

function enable(native: Native, step: Step<"enable controllers">, { leaves }: Target): void {
  const leaf = leaves.get(step.path);
  const unified = leaf === undefined ? {} : { unified: { path: step.path, fd: leaf.dir } };
  enableControllers(native, { old: new Set(), made: [], ...unified }, step);
}

/** A file of one line alone: the others hold a line for each device, and take them one by one. */
function remember(native: Native, path: string, file: string, place: Place, before: Before[]): void {
  if (before.some((known) => known.path === `${path}/${file}`)) return;
  const [dir, name] = place(path, file);
  const text = native.read_file(dir, name, MAX_SIZE);
  if (typeof text !== "string") return;
  const data = text.trimEnd();
  if (data !== "" && !data.includes("\n")) before.push({ dir, file: name, data, path: `${path}/${file}` });
}

/**
 * Puts back what has changed, last first, and once more what another value was in the way of. The failures that are left:
 * the kernel may refuse a limit that is in use by now.
 */
function takeBack(native: Native, before: readonly Before[]): unknown[] {
  let left = before.filter(({ dir, file, data }) => {
    const text = native.read_file(dir, file, MAX_SIZE);
    return typeof text === "string" && text.trimEnd() !== data;
  });
  const failures = new Map<Before, number>();
  for (let round = 0; round < 2; round++) {
    left = left.toReversed().filter((entry) => {
      const result = native.write_file(entry.dir, entry.file, O_WRONLY, 0, entry.data);
      if (result < 0) failures.set(entry, result);
      return result < 0;
    });
  }
  return left.map((entry) => {
    const message = `cannot write ${JSON.stringify(entry.data)}`;
    return nativeError(failures.get(entry) ?? -1, { message, operation: "write", path: entry.path });
  });
}

/** The error with the user's word for the field. */
function named(error: unknown, { nameOf }: UpdateRequest, failures: unknown[]): unknown {
  if (!(error instanceof RuntimeError)) return error;
  const { pointer } = error.facts;
  return new RuntimeError({
    ...error.facts,
    ...(pointer === undefined ? {} : { pointer: nameOf(pointer) }),
    ...(failures.length === 0 ? {} : { suppressed: failures }),
  });
}
