// --systemd-cgroup: systemd makes the container's cgroups, as a transient scope, and moves init into it.
//
// init is cloned in berth's own cgroup and stops at the `cgroup` barrier, before it makes or joins any other namespace:
// only then can its new cgroup namespace begin at the scope. The child of a joiner is born in the scope.

import { cgroupChecks, enableAll, inheritCpuset, isEarly, lateLimits } from "../cgroup/create.ts";
import { DEFAULT_DEVICES, devicePolicy } from "../cgroup/device-policy.ts";
import { type CgroupPaths, hasController } from "../cgroup/path.ts";
import { unitCgroups, unitPlace } from "../cgroup/systemd-path.ts";
import type { Config, Resources } from "../config/types.ts";
import { RuntimeError } from "../errors/runtime-error.ts";
import type { CgroupFacts } from "../host/facts.ts";
import { withRoundedQuota } from "../systemd/cpu-quota.ts";
import { deviceProperties } from "../systemd/devices.ts";
import type { UnitProperty } from "../systemd/property.ts";
import { scopeProperties } from "../systemd/scope.ts";
import type { CreateOptions, RuntimeStep, SystemdFacts } from "./plan.ts";
import { BARRIER } from "./protocol.ts";

const ORIGIN = { pointer: "/linux/cgroupsPath" };
const RESOURCES = { pointer: "/linux/resources" };
/** The hierarchy that systemd itself keeps on v1. */
const NAMED = "name=systemd";
/** File systems that need no device: every other one may be on a block device. */
const WITHOUT_DEVICE: ReadonlySet<string> = new Set([
  "bind",
  "none",
  "proc",
  "sysfs",
  "tmpfs",
  "devpts",
  "mqueue",
  "cgroup",
  "cgroup2",
  "overlay",
]);

export interface UnitPlan {
  unit: string;
  user: boolean;
  cgroups: CgroupPaths;
  /** For the files of the cgroups: with the CPU quota that systemd makes of theirs. */
  resources: Resources;
  /** Before the clone. */
  before: RuntimeStep[];
  /** While init waits at the barrier. */
  enter: (limits: readonly RuntimeStep[]) => RuntimeStep[];
  /** While init mounts. */
  late: (limits: readonly RuntimeStep[]) => RuntimeStep[];
  /** Before the device rules. */
  properties: RuntimeStep[];
}

/** Throws RuntimeError for names, limits and annotations that no unit can have. */
export function planUnit(config: Config, options: CreateOptions, joiner: boolean): UnitPlan {
  const { user, version, controlGroup } = options.systemd as SystemdFacts;
  const { mode } = options.facts.cgroup;
  const { linux, annotations } = config;
  const place = unitPlace(linux.cgroupsPath, options.id, user);
  const cgroups = unitCgroups(place, controlGroup, options.facts.cgroup);
  const { first, later } = scopeProperties(place, linux.resources, annotations, { mode, version }, joiner);
  const devices = deviceProperties(devicePolicy(linux.resources.devices, linux.devices), mode);
  (devices.exact && !opensDevices(config) ? first : later).push(...devices.properties);
  const { unit } = place;
  return {
    unit,
    user,
    cgroups,
    resources: withRoundedQuota(linux.resources),
    before: cgroupChecks(cgroups),
    enter: (limits) => enterSteps(unit, first, cgroups, limits),
    late: (limits) => lateSteps(mode, cgroups, limits),
    properties: later.length === 0 ? [] : [{ step: "set unit properties", unit, properties: later, origin: RESOURCES }],
  };
}

/**
 * Whether init, while it mounts and fills /dev, may open a device that the container may not: what a file system is on, or
 * a default device for which the rule is left out (see deviceSteps).
 */
function opensDevices({ mounts, linux: { devices } }: Config): boolean {
  const redefined = devices.some((device) => DEFAULT_DEVICES.some(({ path }) => path === device.path));
  return redefined || mounts.some(({ type, options }) => !WITHOUT_DEVICE.has(type ?? "") && !isBind(options));
}

function isBind(options: readonly string[]): boolean {
  return options.includes("bind") || options.includes("rbind");
}

/**
 * The unit, and on v1 what systemd does not know: it moves processes in its own hierarchy and those of some controllers,
 * and makes no cpuset. Limits without which nothing can join come first.
 */
function enterSteps(
  unit: string,
  properties: readonly UnitProperty[],
  { v1, unified }: CgroupPaths,
  limits: readonly RuntimeStep[],
): RuntimeStep[] {
  const named = v1.find(({ name }) => name === NAMED);
  const own = named ?? unified;
  if (own === undefined || (named === undefined && v1.length > 0)) {
    throw new RuntimeError({ message: "systemd's own cgroup hierarchy is not mounted", ...ORIGIN });
  }
  const cgroup = { name: named === undefined ? "" : NAMED, path: own.path.slice(own.mountpoint.length) };
  const steps: RuntimeStep[] = [
    { step: "await barrier", barrier: BARRIER.cgroup, origin: ORIGIN },
    { step: "start unit", unit, properties, cgroup, origin: ORIGIN },
  ];
  const others = v1.filter(({ name }) => name !== NAMED);
  for (const { name, path, mountpoint } of others) {
    steps.push({ step: "mkdir cgroup", path, mountpoint, controllers: name, shared: true, origin: ORIGIN });
  }
  const cpuset = others.find(({ name }) => hasController(name, "cpuset"));
  if (cpuset !== undefined) inheritCpuset(steps, cpuset, limits);
  if (others.length > 0) steps.push(...limits.filter(isEarly));
  for (const { name, path } of others) steps.push({ step: "join cgroup", path, controllers: name, origin: ORIGIN });
  steps.push({ step: "release barrier", barrier: BARRIER.cgroup, origin: ORIGIN });
  return steps;
}

/** v2: controllers that systemd does not know are enabled, as without it, once the unit is there. */
function lateSteps(mode: CgroupFacts["mode"], { unified }: CgroupPaths, limits: readonly RuntimeStep[]): RuntimeStep[] {
  if (mode !== "v2" || unified === undefined) return lateLimits(limits);
  return limits[0]?.step === "enable controllers" ? [...limits] : [enableAll(unified), ...limits];
}
