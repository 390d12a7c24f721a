import { describe, expect, test } from "vitest";
import type { Resources } from "../config/types.ts";
import { RuntimeError } from "../errors/runtime-error.ts";
import { bitsOf } from "./bits.ts";
import { withRoundedQuota } from "./cpu-quota.ts";
import { limitProperties } from "./limits.ts";
import { propertyLines } from "./print.ts";
import { INFINITY, versionNumber } from "./property.ts";
import { oomPolicy } from "./unified.ts";

type Limits = Omit<Resources, "devices">;

function lines(limits: Limits, mode: "v1" | "hybrid" | "v2" = "v2", version = 252): string[] {
  return propertyLines(limitProperties({ devices: [], ...limits }, mode, version, "/linux/resources"));
}

const unified = (file: string, value: string): Limits => ({ unified: new Map([[file, value]]) });
const MAX = String(INFINITY);

describe("on v2", () => {
  test.each<[string, Limits, string[]]>([
    ["nothing", {}, []],
    ["a memory limit", { memory: { limit: 1048576n } }, ["MemoryMax t 1048576"]],
    ["no memory limit: swap neither", { memory: { limit: -1n } }, [`MemoryMax t ${MAX}`, `MemorySwapMax t ${MAX}`]],
    ["a reservation", { memory: { reservation: 4096n } }, ["MemoryLow t 4096"]],
    ["memory and swap", { memory: { limit: 100n, swap: 300n } }, ["MemoryMax t 100", "MemorySwapMax t 200"]],
    ["unlimited swap", { memory: { limit: 100n, swap: -1n } }, ["MemoryMax t 100", `MemorySwapMax t ${MAX}`]],
    ["shares", { cpu: { shares: 1024n } }, ["CPUWeight t 100"]],
    ["idle", { cpu: { shares: 512n, idle: 1n } }, ["CPUWeight t 0"]],
    ["not idle", { cpu: { shares: 1024n, idle: 0n } }, ["CPUWeight t 100"]],
    ["a quota", { cpu: { quota: 20000n } }, ["CPUQuotaPerSecUSec t 200000"]],
    ["a quota between hundredths", { cpu: { quota: 12345n } }, ["CPUQuotaPerSecUSec t 130000"]],
    [
      "quota and period",
      { cpu: { quota: 5000n, period: 50000n } },
      ["CPUQuotaPeriodUSec t 50000", "CPUQuotaPerSecUSec t 100000"],
    ],
    ["a period", { cpu: { period: 50000n } }, ["CPUQuotaPeriodUSec t 50000", `CPUQuotaPerSecUSec t ${MAX}`]],
    ["no quota", { cpu: { quota: -1n } }, [`CPUQuotaPerSecUSec t ${MAX}`]],
    ["CPUs", { cpu: { cpus: "0-1,9", mems: "0" } }, ["AllowedCPUs ay 2 3 2", "AllowedMemoryNodes ay 1 1"]],
    ["pids", { pids: { limit: 7n } }, ["TasksMax t 7"]],
    ["no pids at all", { pids: { limit: 0n } }, ["TasksMax t 1"]],
    ["any number of pids", { pids: { limit: -1n } }, [`TasksMax t ${MAX}`]],
    ["unified memory.high", unified("memory.high", " 4096\n"), ["MemoryHigh t 4096"]],
    ["unified memory.swap.max", unified("memory.swap.max", "max"), [`MemorySwapMax t ${MAX}`]],
    ["unified pids.max", unified("pids.max", "0"), ["TasksMax t 1"]],
    [
      "unified cpu.max",
      unified("cpu.max", "20000 50000"),
      ["CPUQuotaPeriodUSec t 50000", "CPUQuotaPerSecUSec t 400000"],
    ],
    ["unified cpu.max max", unified("cpu.max", "max"), ["CPUQuotaPeriodUSec t 100000", `CPUQuotaPerSecUSec t ${MAX}`]],
    ["unified cpu.weight", unified("cpu.weight", "17"), ["CPUWeight t 17"]],
    ["unified cpu.idle", unified("cpu.idle", "1"), ["CPUWeight t 0"]],
    ["unified cpuset.cpus", unified("cpuset.cpus", "2"), ["AllowedCPUs ay 1 4"]],
    ["unified files that systemd has not", unified("hugetlb.2MB.max", "0"), []],
    ["unified counts last", { pids: { limit: 7n }, unified: new Map([["pids.max", "9"]]) }, ["TasksMax t 9"]],
  ])("%s", (_, limits, wanted) => {
    expect(lines(limits)).toEqual(wanted);
  });

  test("idle wins over a weight in the unified map", () => {
    const map = new Map([
      ["cpu.idle", "1"],
      ["cpu.weight", "17"],
    ]);
    expect(lines({ unified: map })).toEqual(["CPUWeight t 0"]);
  });

  test("an older systemd is not asked for what it does not know", () => {
    expect(lines({ cpu: { idle: 1n, cpus: "0", period: 50000n } }, "v2", 241)).toEqual([`CPUQuotaPerSecUSec t ${MAX}`]);
  });

  test.each([
    ["memory.max", "lots"],
    ["memory.max", "-1"],
    ["memory.max", "18446744073709551616"],
    ["cpu.max", ""],
    ["cpu.max", "1 2 3"],
    ["cpuset.cpus", "a"],
  ])("unified %s %j is refused", (file, value) => {
    expect(() => lines(unified(file, value))).toThrow(RuntimeError);
  });
});

test("v1 has its own names, and no unified map", () => {
  const limits: Limits = {
    memory: { limit: 100n, reservation: 50n, swap: 200n },
    cpu: { shares: 512n },
    blockIO: {
      weight: 500,
      weightDevice: [],
      throttleReadBpsDevice: [],
      throttleWriteBpsDevice: [],
      throttleReadIOPSDevice: [],
      throttleWriteIOPSDevice: [],
    },
  };
  const wanted = ["MemoryLimit t 100", "CPUShares t 512", "BlockIOWeight t 500"];
  expect(lines(limits, "v1")).toEqual(wanted);
  expect(lines(limits, "hybrid")).toEqual(wanted);
});

describe("a list of CPUs", () => {
  test.each([
    ["0", [1]],
    ["0-7", [255]],
    ["1,3-5", [0x3a]],
    [" 8 , 0 ,", [1, 1]],
    ["17", [0, 0, 2]],
  ])("%j", (list, bytes) => {
    expect(bitsOf(list, "")).toEqual(bytes);
  });

  test.each(["", ",", "a", "3-1", "1-", "-1", "1-2-3", "0x1", "8192", "0-4294967295"])("%j is none", (list) => {
    expect(() => bitsOf(list, "")).toThrow(RuntimeError);
  });
});

test("the files get the quota that systemd makes of it", () => {
  const rounded = (quota: bigint, period?: bigint): bigint | undefined =>
    withRoundedQuota({ devices: [], cpu: { quota, ...(period === undefined ? {} : { period }) } }).cpu?.quota;
  expect(rounded(12345n)).toBe(13000n);
  expect(rounded(20000n)).toBe(20000n);
  expect(rounded(333n, 1000n)).toBe(340n);
  expect(rounded(-1n)).toBe(-1n);
});

test("OOMPolicy is for systemd 253 and newer", () => {
  const map = new Map([["memory.oom.group", "1"]]);
  expect(propertyLines(oomPolicy(map, 253))).toEqual(['OOMPolicy s "kill"']);
  expect(propertyLines(oomPolicy(new Map([["memory.oom.group", "0"]]), 260))).toEqual(['OOMPolicy s "continue"']);
  expect(oomPolicy(map, 252)).toEqual([]);
  expect(oomPolicy(undefined, 253)).toEqual([]);
});

test.each([
  ["252.39-1~deb12u1", 252],
  ["v245.4-1.fc32", 245],
  ["256~rc3", 256],
  ["", 0],
  ["systemd", 0],
])("version %j is %d", (text, number) => {
  expect(versionNumber(text)).toBe(number);
});
