// linux.resources.blockIO.

import {
  type Context,
  enter,
  type JsonObject,
  leave,
  missing,
  readBig,
  readEach,
  readElement,
  readInteger,
  readObject,
  report,
  UINT64_MAX,
} from "./context.ts";
import type { BlockIOResources, ThrottleDevice } from "./types.ts";

// A dev_t of Linux has 12 bits of major and 20 bits of minor number.
const MAJOR_MAX = 0xfff;
const MINOR_MAX = 0xfffff;

const THROTTLES = [
  "throttleReadBpsDevice",
  "throttleWriteBpsDevice",
  "throttleReadIOPSDevice",
  "throttleWriteIOPSDevice",
] as const;
type Throttle = (typeof THROTTLES)[number];

/** 10 to 1000, the range of the blkio controller; 0 is "not set". */
function readWeight(c: Context, object: JsonObject, key: "weight" | "leafWeight"): number | undefined {
  const weight = readInteger(c, object[key], key, 0, 0xffff);
  if (weight === undefined || weight === 0) return undefined;
  if (weight < 10 || weight > 1000) report(c, "invalid", key, `must be from 10 to 1000, got ${weight}`);
  return weight;
}

function readNumber(c: Context, object: JsonObject, key: "major" | "minor", max: number): number {
  if (object[key] === undefined || object[key] === null) missing(c, key);
  return readInteger(c, object[key], key, 0, max) ?? 0;
}

/** The elements of an array that has a major and a minor number in each. */
function decodeDevices<T>(
  c: Context,
  value: unknown,
  key: string,
  decode: (object: JsonObject) => T,
): (T & { major: number; minor: number })[] {
  return readEach(c, value, key, (_c, element) => {
    const object = readElement(c, element);
    if (object === undefined) return undefined;
    const major = readNumber(c, object, "major", MAJOR_MAX);
    const minor = readNumber(c, object, "minor", MINOR_MAX);
    return { major, minor, ...decode(object) };
  });
}

/** The spec asks for one of the two; one of 0 asks for nothing and is let pass as in runc. */
function decodeWeights(c: Context, object: JsonObject): { weight?: number; leafWeight?: number } {
  const isGiven = (key: "weight" | "leafWeight"): boolean => object[key] !== undefined && object[key] !== null;
  if (!isGiven("weight") && !isGiven("leafWeight")) {
    report(c, "invalid", undefined, "must have weight or leafWeight");
  }
  const weight = readWeight(c, object, "weight");
  const leafWeight = readWeight(c, object, "leafWeight");
  return { ...(weight === undefined ? {} : { weight }), ...(leafWeight === undefined ? {} : { leafWeight }) };
}

/** Undefined when nothing is asked. */
export function decodeBlockIO(c: Context, value: unknown): BlockIOResources | undefined {
  const object = readObject(c, value, "blockIO");
  if (object === undefined) return undefined;
  enter(c, "blockIO");
  const weight = readWeight(c, object, "weight");
  const leafWeight = readWeight(c, object, "leafWeight");
  const throttle = (device: JsonObject): { rate: bigint } => {
    if (device.rate === undefined || device.rate === null) missing(c, "rate");
    return { rate: readBig(c, device.rate, "rate", 0n, UINT64_MAX) ?? 0n };
  };
  const weightDevice = decodeDevices(c, object.weightDevice, "weightDevice", (device) => decodeWeights(c, device));
  const decodeThrottle = (key: Throttle): ThrottleDevice[] => decodeDevices(c, object[key], key, throttle);
  const blockIO: BlockIOResources = {
    ...(weight === undefined ? {} : { weight }),
    ...(leafWeight === undefined ? {} : { leafWeight }),
    weightDevice,
    throttleReadBpsDevice: decodeThrottle("throttleReadBpsDevice"),
    throttleWriteBpsDevice: decodeThrottle("throttleWriteBpsDevice"),
    throttleReadIOPSDevice: decodeThrottle("throttleReadIOPSDevice"),
    throttleWriteIOPSDevice: decodeThrottle("throttleWriteIOPSDevice"),
  };
  leave(c);
  const asks = weight ?? leafWeight ?? (weightDevice.length || THROTTLES.some((key) => blockIO[key].length > 0));
  return asks ? blockIO : undefined;
}
