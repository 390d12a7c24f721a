// linux.resources as unit properties (systemd.resource-control(5)), as far as systemd has them; every limit is also written
// to the files of the cgroup (cgroup/resources.ts). What systemd knows it keeps when it writes the files anew: at
// daemon-reload and set-property.

import { cpuWeight } from "../cgroup/cpu-weight.ts";
import { ioWeight } from "../cgroup/resources-block-io.ts";
import type { CpuResources, MemoryResources, Resources } from "../config/types.ts";
import type { CgroupFacts } from "../host/facts.ts";
import { loaded } from "../lazy.ts";
import { bitsOf } from "./bits.ts";
import { quotaProperties } from "./cpu-quota.ts";
import { INFINITY, number, SINCE, type UnitProperty } from "./property.ts";

/** `base` is the JSON pointer of the resources. Throws RuntimeError for what is no number or list. */
export function limitProperties(
  resources: Resources,
  mode: CgroupFacts["mode"],
  version: number,
  base: string,
): UnitProperty[] {
  const properties: UnitProperty[] = [];
  const { memory, cpu, pids, blockIO, unified } = resources;
  if (memory !== undefined) properties.push(...(mode === "v2" ? memoryV2(memory) : memoryV1(memory)));
  if (cpu !== undefined) properties.push(...cpuProperties(cpu, mode, version, base));
  if (blockIO?.weight !== undefined) {
    // runc leaves IOWeight out; systemd then resets the weight when it writes its files anew.
    const { weight } = blockIO;
    properties.push(
      mode === "v2" ? number("IOWeight", BigInt(ioWeight(weight))) : number("BlockIOWeight", BigInt(weight)),
    );
  }
  if (pids?.limit !== undefined) {
    // 0 is no number of tasks that systemd takes.
    properties.push(number("TasksMax", pids.limit < 0n ? INFINITY : pids.limit || 1n));
  }
  if (unified !== undefined && mode === "v2") {
    const { unifiedProperties } = loaded(import("./unified.ts"));
    merge(properties, unifiedProperties(unified, version, `${base}/unified`));
  }
  return properties;
}

/** The unified map is written last, and it counts here, too. */
function merge(properties: UnitProperty[], last: readonly UnitProperty[]): void {
  for (const property of last) {
    const at = properties.findIndex(({ name }) => name === property.name);
    if (at < 0) properties.push(property);
    else properties[at] = property;
  }
}

function limit(value: bigint): bigint {
  return value < 0n ? INFINITY : value;
}

function memoryV1({ limit: bytes }: MemoryResources): UnitProperty[] {
  return bytes === undefined ? [] : [number("MemoryLimit", limit(bytes))];
}

/** Whether swap fits the limit is for cgroup/resources.ts to say. */
function memoryV2({ limit: bytes, reservation, swap }: MemoryResources): UnitProperty[] {
  const properties: UnitProperty[] = [];
  if (bytes !== undefined) properties.push(number("MemoryMax", limit(bytes)));
  if (reservation !== undefined) properties.push(number("MemoryLow", limit(reservation)));
  if (swap !== undefined) {
    const counted = swap >= 0n && bytes !== undefined && bytes >= 0n ? swap - bytes : swap;
    properties.push(number("MemorySwapMax", limit(counted)));
  } else if (bytes === -1n) {
    properties.push(number("MemorySwapMax", INFINITY));
  }
  return properties;
}

function cpuProperties(cpu: CpuResources, mode: string, version: number, base: string): UnitProperty[] {
  const properties: UnitProperty[] = [];
  if (mode !== "v2") {
    if (cpu.shares !== undefined) properties.push(number("CPUShares", cpu.shares));
  } else if (cpu.idle === 1n && version >= SINCE.idle) {
    properties.push(number("CPUWeight", 0n));
  } else if (cpu.shares !== undefined && cpu.idle !== 1n) {
    properties.push(number("CPUWeight", BigInt(cpuWeight(cpu.shares))));
  }
  properties.push(...quotaProperties(cpu.quota, cpu.period, version));
  if (version < SINCE.cpuset) return properties;
  if (cpu.cpus !== undefined) {
    properties.push({ name: "AllowedCPUs", signature: "ay", value: bitsOf(cpu.cpus, `${base}/cpu/cpus`) });
  }
  if (cpu.mems !== undefined) {
    properties.push({ name: "AllowedMemoryNodes", signature: "ay", value: bitsOf(cpu.mems, `${base}/cpu/mems`) });
  }
  return properties;
}
