// linux.resources.devices as the runtime's steps: writes to devices.allow and devices.deny where the v1 controller is
// mounted, else an eBPF program on the unified cgroup.

import type { Device, DeviceRule } from "../config/types.ts";
import { RuntimeError } from "../errors/runtime-error.ts";
import type { CgroupFacts } from "../host/facts.ts";
import { loaded } from "../lazy.ts";
import type { RuntimeStep } from "../plan/plan.ts";
import { DEFAULT_LINES, defaultProgram } from "./device-default.ts";
import { type CgroupPaths, hasController } from "./path.ts";

const ORIGIN = { pointer: "/linux/resources/devices" };

/**
 * `devices` is linux.devices: a default device that it redefines loses its default rule, as in runc. Throws
 * RuntimeError for rules that cgroups cannot keep, and when the host has no cgroup to keep them.
 */
export function deviceSteps(
  rules: readonly DeviceRule[],
  paths: CgroupPaths,
  facts: CgroupFacts,
  devices: readonly Pick<Device, "path">[] = [],
): RuntimeStep[] {
  const v1 = paths.v1.find(({ name }) => hasController(name, "devices"));
  const plain = devices.length === 0 && (rules.length === 0 || (rules.length === 1 && deniesAll(rules[0])));
  if (v1 !== undefined) return v1Steps(v1.path, plain ? DEFAULT_LINES : v1Lines(rules, devices));
  if (paths.unified !== undefined) {
    const program = plain ? defaultProgram() : compile(rules, devices);
    return [{ step: "attach device program", path: paths.unified.path, program, origin: ORIGIN }];
  }
  if (isClosed(facts)) return [];
  throw new RuntimeError({
    message: `no devices cgroup is mounted (cgroup ${facts.mode}): containers would have every device of the host`,
    ...ORIGIN,
  });
}

/** Rootless without a cgroup: the user opens what the host's permissions let him open, and makes no nodes. */
function isClosed({ hierarchies, unified }: CgroupFacts): boolean {
  const v1 = hierarchies.find(({ name }) => hasController(name, "devices"));
  return (v1 ?? unified)?.closed === true;
}

/** What `runc spec` writes. */
function deniesAll(rule: DeviceRule | undefined): boolean {
  return rule !== undefined && !rule.allow && rule.type === "a";
}

/** The writes in order: the first sets the default and goes to the one file, the others are its exceptions in the other. */
export interface DeviceLines {
  defaultAllow: boolean;
  exceptions: readonly string[];
}

function compile(rules: readonly DeviceRule[], devices: readonly Pick<Device, "path">[]): Uint32Array {
  const { devicePolicy } = loaded(import("./device-policy.ts"));
  const { deviceProgram } = loaded(import("./device-program.ts"));
  return deviceProgram(devicePolicy(rules, devices));
}

/** For cgroup v1. */
export function v1Lines(rules: readonly DeviceRule[], devices: readonly Pick<Device, "path">[]): DeviceLines {
  const { devicePolicy, printException } = loaded(import("./device-policy.ts"));
  const { defaultAllow, exceptions } = devicePolicy(rules, devices);
  return { defaultAllow, exceptions: exceptions.map(printException) };
}

function v1Steps(path: string, { defaultAllow, exceptions }: DeviceLines): RuntimeStep[] {
  const first = defaultAllow ? "devices.allow" : "devices.deny";
  const others = defaultAllow ? "devices.deny" : "devices.allow";
  const steps: RuntimeStep[] = [{ step: "write cgroup file", path, file: first, data: "a", origin: ORIGIN }];
  for (let i = 0; i < exceptions.length; i++) {
    steps.push({ step: "write cgroup file", path, file: others, data: exceptions[i] as string, origin: ORIGIN });
  }
  return steps;
}
