// linux.devices: nodes to make. linux.resources.devices: who may use which.

import {
  type Context,
  type JsonObject,
  missing,
  readEach,
  readElement,
  readFlag,
  readId,
  readInteger,
  readPath,
  readWord,
  wrong,
} from "./context.ts";
import type { Device, DeviceRule } from "./types.ts";

// A dev_t of Linux has 12 bits of major and 20 bits of minor number.
const MAJOR_MAX = 0xfff;
const MINOR_MAX = 0xfffff;
const UINT32_MAX = 0xffffffff;

const PERMISSIONS = 0o7777;
/** Engines copy st_mode, type bits included. */
const MODE_MAX = 0o177777;

function readNumber(
  c: Context,
  object: JsonObject,
  key: "major" | "minor",
  type: string | undefined,
  max: number,
): number {
  const value = object[key];
  // Documented as required unless the device is a FIFO.
  if ((value === undefined || value === null) && type !== "p") missing(c, key);
  const number = readInteger(c, value, key, 0, max) ?? 0;
  return type === "p" ? 0 : number;
}

function decodeDevice(c: Context, value: unknown): Device | undefined {
  const object = readElement(c, value);
  if (object === undefined) return undefined;
  const type = readWord(c, object.type, "type");
  if (type === undefined) {
    if (object.type === undefined || object.type === null || object.type === "") missing(c, "type");
  } else if (type !== "c" && type !== "b" && type !== "u" && type !== "p") {
    wrong(c, "type", '"c", "b", "u" or "p"', type);
  }
  if (object.path === undefined || object.path === null) missing(c, "path");
  const device: Device = {
    type: type as Device["type"],
    path: readPath(c, object.path, "path") ?? "",
    major: readNumber(c, object, "major", type, MAJOR_MAX),
    minor: readNumber(c, object, "minor", type, MINOR_MAX),
    uid: readId(c, object.uid, "uid") ?? 0,
    gid: readId(c, object.gid, "gid") ?? 0,
  };
  const mode = readInteger(c, object.fileMode, "fileMode", 0, MODE_MAX);
  if (mode !== undefined) device.fileMode = mode & PERMISSIONS;
  return device;
}

export function decodeDevices(c: Context, value: unknown): Device[] {
  return readEach(c, value, "devices", decodeDevice);
}

function isAccess(access: string): boolean {
  for (let i = 0; i < access.length; i++) {
    const letter = access[i];
    if (letter !== "r" && letter !== "w" && letter !== "m") return false;
  }
  return true;
}

/** A number, or undefined for "every": absent, or -1 as engines write it. */
function readRuleNumber(c: Context, value: unknown, key: "major" | "minor"): number | undefined {
  const number = readInteger(c, value, key, -1, UINT32_MAX);
  return number === -1 ? undefined : number;
}

function decodeRule(c: Context, value: unknown): DeviceRule | undefined {
  const object = readElement(c, value);
  if (object === undefined) return undefined;
  if (object.allow === undefined || object.allow === null) missing(c, "allow");
  const allow = readFlag(c, object.allow, "allow");
  const type = readWord(c, object.type, "type") ?? "a";
  if (type !== "a" && type !== "c" && type !== "b") wrong(c, "type", '"a", "c" or "b"', type);
  const access = readWord(c, object.access, "access");
  if (access === undefined) {
    if (object.access === undefined || object.access === null || object.access === "") missing(c, "access");
  } else if (!isAccess(access)) {
    wrong(c, "access", 'made of the letters "r", "w" and "m"', access);
  }
  const rule: DeviceRule = { allow, type: type as DeviceRule["type"], access: access ?? "rwm" };
  const major = readRuleNumber(c, object.major, "major");
  if (major !== undefined) rule.major = major;
  const minor = readRuleNumber(c, object.minor, "minor");
  if (minor !== undefined) rule.minor = minor;
  return rule;
}

export function decodeDeviceRules(c: Context, value: unknown): DeviceRule[] {
  return readEach(c, value, "devices", decodeRule);
}
