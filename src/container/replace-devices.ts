// Other device rules for a container that is there, perhaps running (`update`).

import { type DevicePolicy, devicePolicy } from "../cgroup/device-policy.ts";
import { deviceProgram } from "../cgroup/device-program.ts";
import { type DeviceTransition, deviceTransition, parseDeviceList, showsPolicy } from "../cgroup/device-transition.ts";
import type { DeviceRule } from "../config/types.ts";
import { type ErrorFacts, RuntimeError } from "../errors/runtime-error.ts";
import { warn } from "../errors/warning.ts";
import { must, nativeError } from "../host/must.ts";
import type { Native } from "../host/native.gen.ts";
import { openRecorded } from "./cgroup-folder.ts";
import { type DeviceFacts, loadProgram, replacePrograms } from "./device-programs.ts";
import { freeze, openFreezer, thawFreezer } from "./freeze.ts";
import { isFrozen } from "./freezer.ts";
import { O_WRONLY } from "./open-flags.ts";

const CGROUP2_SUPER_MAGIC = 0x63677270;
const MAX_LIST = 1 << 20;
const FREEZE_MS = 2000;
const EINVAL = 22;
/** The default cannot change while there are cgroups below; removed ones linger for some milliseconds. */
const LINGERING_TRIES = 20;
const LINGERING_MS = 5;

/**
 * Puts `rules`, followed by the default devices as at create, in place of the container's. `cgroups` are the recorded
 * leaves; `base` is the JSON pointer of the resources object, "" or "/linux/resources".
 *
 * Until this returns nothing is allowed that neither the old nor the new rules allow, and (but for what
 * device-transition.ts says of v1) what both allow is not interrupted: on v2 a program takes the place of another in one
 * step; on v1 the writes are ordered so, and where the default changes the container is frozen for the time. Throws
 * RuntimeError: the rules from before are in force again, or nothing is allowed where they could not be known.
 */
export function replaceDevices(
  native: Native,
  rules: readonly DeviceRule[],
  cgroups: readonly string[],
  base = "/linux/resources",
): void {
  const policy = compilePolicy(rules, base);
  let unified: { folder: number; path: string } | undefined;
  for (const path of cgroups) {
    const folder = openRecorded(native, path);
    if (folder < 0) continue;
    const facts = { path, pointer: `${base}/devices` };
    const list = native.read_file(folder, "devices.list", MAX_LIST);
    if (typeof list === "string") {
      replaceV1(native, folder, list, policy, facts, cgroups);
      native.close(folder);
      return;
    }
    if (native.statfs_type(folder, "") === CGROUP2_SUPER_MAGIC) unified = { folder, path };
    else native.close(folder);
  }
  if (unified === undefined) {
    throw new RuntimeError({ message: "the container has no devices cgroup", pointer: `${base}/devices` });
  }
  replaceV2(native, unified.folder, policy, { path: unified.path, pointer: `${base}/devices` });
  native.close(unified.folder);
}

/** The compiler names the rules where config.json has them. */
function compilePolicy(rules: readonly DeviceRule[], base: string): DevicePolicy {
  try {
    return devicePolicy(rules, []);
  } catch (error) {
    if (!(error instanceof RuntimeError) || error.facts.pointer === undefined) throw error;
    throw new RuntimeError({ ...error.facts, pointer: base + error.facts.pointer.slice("/linux/resources".length) });
  }
}

function replaceV2(native: Native, cgroup: number, policy: DevicePolicy, facts: DeviceFacts): void {
  const program = loadProgram(native, deviceProgram(policy), facts);
  try {
    replacePrograms(native, cgroup, program, facts);
  } finally {
    native.close(program);
  }
}

function replaceV1(
  native: Native,
  folder: number,
  list: string,
  policy: DevicePolicy,
  facts: DeviceFacts,
  cgroups: readonly string[],
): void {
  const old = parsed(list, facts);
  const transition = deviceTransition(old, policy);
  if (transition.writes.length === 0) return;
  const replace = (): void => {
    try {
      applyWrites(native, folder, transition, facts, old.defaultAllow && policy.defaultAllow);
      const text = must(native.read_file(folder, "devices.list", MAX_LIST), { ...facts, operation: "read" }) as string;
      if (showsPolicy(parsed(text, facts), policy)) return;
      const message = `the kernel shows other device rules than those that were written: ${JSON.stringify(text)}`;
      throw new RuntimeError({ ...facts, message });
    } catch (error) {
      throw putBack(native, folder, old, facts, error);
    }
  };
  if (transition.gap === undefined) replace();
  else whileFrozen(native, cgroups, transition.gap, facts, replace);
}

function parsed(list: string, facts: DeviceFacts): DevicePolicy {
  const policy = parseDeviceList(list);
  if (policy !== undefined) return policy;
  throw new RuntimeError({ ...facts, message: `cannot read devices.list: ${JSON.stringify(list)}` });
}

/**
 * `mayKeep`: everything but exceptions is and will be allowed. With cgroups below, the kernel then refuses to forget the old
 * exceptions (EINVAL), and they stay: engines send the unchanged rules with every update.
 */
function applyWrites(
  native: Native,
  folder: number,
  { writes }: DeviceTransition,
  facts: DeviceFacts,
  mayKeep = false,
): void {
  for (const { file, data } of writes) {
    let written = native.write_file(folder, file, O_WRONLY, 0, data);
    for (let i = 0; written === -EINVAL && data === "a" && i < LINGERING_TRIES; i++) {
      native.poll(new Uint32Array(0), new Uint32Array(0), LINGERING_MS);
      written = native.write_file(folder, file, O_WRONLY, 0, data);
    }
    if (written >= 0) continue;
    if (written === -EINVAL && data === "a" && mayKeep) {
      warn("devices that were denied stay denied: the container has made cgroups below its own");
      continue;
    }
    const message = `cannot write ${JSON.stringify(data)}`;
    throw nativeError(written, { ...facts, message, operation: "write", path: `${facts.path}/${file}` });
  }
}

/** The rules from before; where those were "everything" with unknown exceptions, and some may be lost by now, nothing. */
function putBack(native: Native, folder: number, old: DevicePolicy, facts: DeviceFacts, error: unknown): unknown {
  const suppressed: unknown[] = [];
  try {
    const text = must(native.read_file(folder, "devices.list", MAX_LIST), { ...facts, operation: "read" }) as string;
    const now = parsed(text, facts);
    // "deny a" was refused: all is as it was.
    const untouched = old.defaultAllow && now.defaultAllow && isFirstWrite(error);
    const wanted: DevicePolicy = old.defaultAllow ? { defaultAllow: false, exceptions: [] } : old;
    if (!untouched) applyWrites(native, folder, deviceTransition(now, wanted), facts);
  } catch (failure) {
    suppressed.push(failure);
  }
  if (!(error instanceof RuntimeError) || suppressed.length === 0) return error;
  return new RuntimeError({ ...(error.facts as ErrorFacts), suppressed });
}

/** Whether it was the write of the default that failed. */
function isFirstWrite(error: unknown): boolean {
  return error instanceof RuntimeError && error.facts.message === 'cannot write "a"';
}

/** A paused container stays paused. */
function whileFrozen(
  native: Native,
  cgroups: readonly string[],
  gap: "open" | "closed",
  facts: DeviceFacts,
  work: () => void,
): void {
  const paused = isFrozen(native, cgroups);
  const freezer = openFreezer(native, cgroups);
  try {
    const frozen = freezer !== undefined && freeze(native, freezer, FREEZE_MS, -1) === 1;
    if (!frozen && gap === "open") {
      const message =
        "cannot freeze the container while its devices are all open for a moment: its rules stay as they were";
      throw new RuntimeError({ ...facts, message });
    }
    work();
  } finally {
    if (freezer !== undefined) {
      if (!paused) thawFreezer(native, freezer);
      native.close(freezer.folder);
    }
  }
}
