// linux: everything that is not a section of its own.

import { loaded } from "../lazy.ts";
import {
  type Context,
  enter,
  type JsonObject,
  leave,
  oneOf,
  readMap,
  readObject,
  readPaths,
  readTexts,
  readWord,
  report,
  wrong,
} from "./context.ts";
import { decodeDevices } from "./devices.ts";
import { decodeIdMappings } from "./id-mappings.ts";
import { checkLater } from "./later.ts";
import { decodeNamespaces, decodeTimeOffsets } from "./namespaces.ts";
import { decodeResources } from "./resources.ts";
import type { Linux, RootfsPropagation } from "./types.ts";

const PROPAGATIONS: readonly RootfsPropagation[] = [
  "shared",
  "slave",
  "private",
  "unbindable",
  "rshared",
  "rslave",
  "rprivate",
  "runbindable",
];

function readPropagation(c: Context, value: unknown): RootfsPropagation | undefined {
  const word = readWord(c, value, "rootfsPropagation");
  if (word === undefined || PROPAGATIONS.includes(word as RootfsPropagation))
    return word as RootfsPropagation | undefined;
  wrong(c, "rootfsPropagation", `one of ${oneOf(PROPAGATIONS)}`, word);
  return undefined;
}

/** A cgroup path is written to files line by line and joined to the hierarchy: no newline, no way up. */
function readCgroupsPath(c: Context, value: unknown): string | undefined {
  const path = readWord(c, value, "cgroupsPath");
  if (path === undefined) return undefined;
  if (path.includes("\n")) wrong(c, "cgroupsPath", "free of newlines", path);
  if (path.includes("..") && path.split("/").includes("..")) wrong(c, "cgroupsPath", 'a path without ".."', path);
  return path;
}

function decodePersonality(c: Context, value: unknown): Linux["personality"] {
  const object = readObject(c, value, "personality");
  if (object === undefined) return undefined;
  enter(c, "personality");
  const domain = readWord(c, object.domain, "domain");
  if (domain !== "LINUX" && domain !== "LINUX32" && (domain !== undefined || !isReported(object.domain))) {
    wrong(c, "domain", '"LINUX" or "LINUX32"', object.domain);
  }
  // The spec defines no flag yet, and runc takes any with a warning.
  const flags = readTexts(c, object.flags, "flags");
  if (flags.length > 0) report(c, "warning", "flags", "is ignored: the runtime-spec has no flags yet");
  leave(c);
  return domain as Linux["personality"];
}

/** Whether readWord has already said what is wrong with the value. */
function isReported(value: unknown): boolean {
  return value !== undefined && value !== null && value !== "";
}

function decodeAt(c: Context, value: unknown, key: string): Linux["resources"] {
  enter(c, key);
  const resources = decodeResources(c, value);
  leave(c);
  return resources;
}

function decodeProfile(c: Context, value: unknown, linux: Linux): void {
  const { decodeSeccomp } = loaded(import("../seccomp/decode.ts"));
  enter(c, "seccomp");
  const seccomp = decodeSeccomp(c, value);
  if (seccomp !== undefined) linux.seccomp = seccomp;
  leave(c);
}

const LATER = ["memoryPolicy"] as const;

export function decodeLinux(c: Context, value: unknown): Linux {
  const object: JsonObject = readObject(c, value, "linux") ?? {};
  enter(c, "linux");
  const linux: Linux = {
    namespaces: decodeNamespaces(c, object.namespaces),
    uidMappings: decodeIdMappings(c, object.uidMappings, "uidMappings"),
    gidMappings: decodeIdMappings(c, object.gidMappings, "gidMappings"),
    timeOffsets: decodeTimeOffsets(c, object.timeOffsets),
    devices: decodeDevices(c, object.devices),
    resources: decodeAt(c, object.resources, "resources"),
    maskedPaths: readPaths(c, object.maskedPaths, "maskedPaths"),
    readonlyPaths: readPaths(c, object.readonlyPaths, "readonlyPaths"),
    sysctl: readMap(c, object.sysctl, "sysctl"),
  };
  const cgroupsPath = readCgroupsPath(c, object.cgroupsPath);
  if (cgroupsPath !== undefined) linux.cgroupsPath = cgroupsPath;
  const rootfsPropagation = readPropagation(c, object.rootfsPropagation);
  if (rootfsPropagation !== undefined) linux.rootfsPropagation = rootfsPropagation;
  const mountLabel = readWord(c, object.mountLabel, "mountLabel");
  if (mountLabel !== undefined) linux.mountLabel = mountLabel;
  const personality = decodePersonality(c, object.personality);
  if (personality !== undefined) linux.personality = personality;
  if (object.seccomp !== undefined && object.seccomp !== null) decodeProfile(c, object.seccomp, linux);
  for (let i = 0; i < LATER.length; i++) {
    const name = LATER[i] as string;
    if (object[name] !== undefined) checkLater(c, object[name], name);
  }
  if (object.netDevices !== undefined && object.netDevices !== null) {
    const netDevices = loaded(import("./net-devices.ts")).decodeNetDevices(c, object.netDevices);
    if (netDevices !== undefined) linux.netDevices = netDevices;
  }
  if (object.intelRdt !== undefined && object.intelRdt !== null) {
    const intelRdt = loaded(import("./intel-rdt.ts")).decodeIntelRdt(c, object.intelRdt);
    if (intelRdt !== undefined) linux.intelRdt = intelRdt;
  }
  leave(c);
  return linux;
}
