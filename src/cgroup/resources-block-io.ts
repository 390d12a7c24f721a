// blkio of v1, io of v2.

import type { BlockIOResources, Resources, ThrottleDevice } from "../config/types.ts";
import type { LimitWriter } from "./resources-write.ts";

type Throttle =
  | "throttleReadBpsDevice"
  | "throttleWriteBpsDevice"
  | "throttleReadIOPSDevice"
  | "throttleWriteIOPSDevice";

/** Field, file of v1, key in io.max. */
const THROTTLES: readonly [Throttle, string, string][] = [
  ["throttleReadBpsDevice", "blkio.throttle.read_bps_device", "rbps"],
  ["throttleWriteBpsDevice", "blkio.throttle.write_bps_device", "wbps"],
  ["throttleReadIOPSDevice", "blkio.throttle.read_iops_device", "riops"],
  ["throttleWriteIOPSDevice", "blkio.throttle.write_iops_device", "wiops"],
];

/** Weights are of the BFQ scheduler where the kernel's own (CFQ) are gone. One line a write. */
export function blockIOV1(w: LimitWriter, resources: Resources): void {
  const blockIO = resources.blockIO as BlockIOResources;
  const { weight, leafWeight, weightDevice } = blockIO;
  if (weight !== undefined) {
    const otherwise = { file: "blkio.bfq.weight", data: String(weight) };
    w.write("blkio.weight", weight, "/blockIO/weight", { otherwise });
  }
  if (leafWeight !== undefined) w.write("blkio.leaf_weight", leafWeight, "/blockIO/leafWeight");
  for (const [i, { major, minor, weight: value }] of weightDevice.entries()) {
    if (value === undefined) continue;
    const data = `${major}:${minor} ${value}`;
    const otherwise = { file: "blkio.bfq.weight_device", data };
    w.write("blkio.weight_device", data, `/blockIO/weightDevice/${i}/weight`, { otherwise });
  }
  for (const [i, { major, minor, leafWeight: value }] of weightDevice.entries()) {
    if (value === undefined) continue;
    w.write("blkio.leaf_weight_device", `${major}:${minor} ${value}`, `/blockIO/weightDevice/${i}/leafWeight`);
  }
  for (const [field, file] of THROTTLES) {
    for (const [i, { major, minor, rate }] of blockIO[field].entries()) {
      w.write(file, `${major}:${minor} ${rate}`, `/blockIO/${field}/${i}`);
    }
  }
}

/** 10 to 1000 becomes 1 to 10000, in a line: runc's formula. */
export function ioWeight(weight: number): number {
  return 1 + Math.floor(((weight - 10) * 9999) / 990);
}

/** BFQ's weights where that scheduler is built in, else those of iocost. */
export function blockIOV2(w: LimitWriter, resources: Resources): void {
  const blockIO = resources.blockIO as BlockIOResources;
  const { weight, leafWeight, weightDevice } = blockIO;
  if (leafWeight !== undefined) w.ignore("/blockIO/leafWeight", "cgroup v2 has no leaf weight");
  if (weight !== undefined) {
    const otherwise = { file: "io.weight", data: String(ioWeight(weight)) };
    w.write("io.bfq.weight", weight, "/blockIO/weight", { otherwise });
  }
  for (const [i, { major, minor, weight: value, leafWeight: leaf }] of weightDevice.entries()) {
    if (leaf !== undefined) w.ignore(`/blockIO/weightDevice/${i}/leafWeight`, "cgroup v2 has no leaf weight");
    if (value === undefined) continue;
    const device = `${major}:${minor}`;
    const otherwise = { file: "io.weight", data: `${device} ${ioWeight(value)}` };
    w.write("io.bfq.weight", `${device} ${value}`, `/blockIO/weightDevice/${i}/weight`, { otherwise });
  }
  throttleV2(w, blockIO);
}

/** One line a device, the last of each kind counts; a rate of 0 is none, as on v1, where the kernel takes it so. */
function throttleV2(w: LimitWriter, blockIO: BlockIOResources): void {
  const devices = new Map<string, { rates: Map<string, bigint>; field: string }>();
  for (const [field, , key] of THROTTLES) {
    for (const [i, { major, minor, rate }] of (blockIO[field] as ThrottleDevice[]).entries()) {
      const name = `${major}:${minor}`;
      const device = devices.get(name) ?? { rates: new Map<string, bigint>(), field: `/blockIO/${field}/${i}` };
      device.rates.set(key, rate);
      devices.set(name, device);
    }
  }
  for (const [name, { rates, field }] of devices) {
    const words = [...rates].map(([key, rate]) => `${key}=${rate === 0n ? "max" : rate}`);
    w.write("io.max", `${name} ${words.join(" ")}`, field);
  }
}
