// linux.resources.unified: those files of cgroup v2 that systemd writes itself, as unit properties.

import { RuntimeError } from "../errors/runtime-error.ts";
import { bitsOf } from "./bits.ts";
import { quotaProperties } from "./cpu-quota.ts";
import { INFINITY, number, SINCE, text, type UnitProperty } from "./property.ts";

const MEMORY: ReadonlyMap<string, string> = new Map([
  ["memory.high", "MemoryHigh"],
  ["memory.low", "MemoryLow"],
  ["memory.max", "MemoryMax"],
  ["memory.min", "MemoryMin"],
  ["memory.swap.max", "MemorySwapMax"],
]);
const CPUSET: ReadonlyMap<string, string> = new Map([
  ["cpuset.cpus", "AllowedCPUs"],
  ["cpuset.mems", "AllowedMemoryNodes"],
]);
const UINT64_MAX = (1n << 64n) - 1n;

/** Files without a property are left out. Throws RuntimeError for a value that is none; `base` points to the map. */
export function unifiedProperties(map: ReadonlyMap<string, string>, version: number, base: string): UnitProperty[] {
  const properties: UnitProperty[] = [];
  const idle = map.get("cpu.idle")?.trim() === "1" && version >= SINCE.idle;
  for (const [file, given] of map) {
    const pointer = `${base}/${file}`;
    const value = given.trim();
    const memory = MEMORY.get(file);
    const cpuset = CPUSET.get(file);
    if (memory !== undefined) properties.push(number(memory, numberOrMax(value, pointer)));
    else if (cpuset !== undefined && version >= SINCE.cpuset) {
      properties.push({ name: cpuset, signature: "ay", value: bitsOf(value, pointer) });
    } else if (file === "pids.max") properties.push(number("TasksMax", numberOrMax(value, pointer) || 1n));
    else if (file === "cpu.max") properties.push(...cpuMax(value, version, pointer));
    else if (file === "cpu.idle" && idle) properties.push(number("CPUWeight", 0n));
    else if (file === "cpu.weight" && !idle) properties.push(number("CPUWeight", numberOf(value, pointer)));
  }
  return properties;
}

/** What can only be said when the unit is made: memory.oom.group. */
export function oomPolicy(map: ReadonlyMap<string, string> | undefined, version: number): UnitProperty[] {
  const group = map?.get("memory.oom.group")?.trim();
  if (version < SINCE.oomPolicy || (group !== "0" && group !== "1")) return [];
  return [text("OOMPolicy", group === "1" ? "kill" : "continue")];
}

/** "max", "20000", "20000 100000". */
function cpuMax(value: string, version: number, pointer: string): UnitProperty[] {
  const [quota, period, ...more] = value.split(" ").filter((word) => word !== "");
  if (quota === undefined || more.length > 0) throw wrong(value, pointer);
  const microseconds = quota === "max" ? -1n : numberOf(quota, pointer);
  return quotaProperties(microseconds, period === undefined ? 100_000n : numberOf(period, pointer), version);
}

function numberOrMax(value: string, pointer: string): bigint {
  return value === "max" ? INFINITY : numberOf(value, pointer);
}

function numberOf(value: string, pointer: string): bigint {
  let digits = value !== "" && value.length <= 20;
  for (const c of value) digits &&= c >= "0" && c <= "9";
  if (!digits || BigInt(value) > UINT64_MAX) throw wrong(value, pointer);
  return BigInt(value);
}

function wrong(value: string, pointer: string): RuntimeError {
  return new RuntimeError({ message: `systemd cannot take ${JSON.stringify(value)}`, pointer });
}
