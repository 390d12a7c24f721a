// cpu and cpuset.

import type { CpuResources, Resources } from "../config/types.ts";
import { cpuWeight } from "./cpu-weight.ts";
import type { LimitWriter } from "./resources-write.ts";

const DEFAULT_PERIOD = 100_000n;
const SHARES_MIN = 2n;
const SHARES_MAX = 262_144n;

const CPU = ["shares", "quota", "burst", "period", "realtimeRuntime", "realtimePeriod", "idle"] as const;

export function asksCpu({ cpu }: Resources): boolean {
  return cpu !== undefined && CPU.some((key) => cpu[key] !== undefined);
}

export function asksCpuset({ cpu }: Resources): boolean {
  return cpu?.cpus !== undefined || cpu?.mems !== undefined;
}

/** The same files on v1 and v2. */
export function cpuset(w: LimitWriter, { cpu }: Resources): void {
  if (cpu?.cpus !== undefined) w.write("cpuset.cpus", cpu.cpus, "/cpu/cpus");
  if (cpu?.mems !== undefined) w.write("cpuset.mems", cpu.mems, "/cpu/mems");
}

/** An idle cgroup has the least weight of all, and the kernel refuses another (EINVAL): then none is written. */
function writeIdle(w: LimitWriter, { idle }: CpuResources): void {
  if (idle !== undefined) w.write("cpu.idle", idle, "/cpu/idle");
}

/** Period, burst and quota must fit each other and what the parent has: EINVAL before the quota is there is not the end. */
export function cpuV1(w: LimitWriter, resources: Resources): void {
  const cpu = resources.cpu as CpuResources;
  const { shares, period, burst, quota, idle } = cpu;
  writeIdle(w, cpu);
  if (shares !== undefined && idle !== 1n) {
    // The kernel would take the nearest: an error as in runc.
    if (shares < SHARES_MIN || shares > SHARES_MAX) {
      w.refuse("/cpu/shares", `must be from ${SHARES_MIN} to ${SHARES_MAX} with cgroup v1, got ${shares}`);
    }
    w.write("cpu.shares", shares, "/cpu/shares");
  }
  const retry = quota === undefined ? {} : { retry: true as const };
  if (period !== undefined) w.write("cpu.cfs_period_us", period, "/cpu/period", retry);
  if (burst !== undefined) w.write("cpu.cfs_burst_us", burst, "/cpu/burst", retry);
  if (quota !== undefined) w.write("cpu.cfs_quota_us", quota, "/cpu/quota");
  realtime(w, cpu);
}

/** The siblings' shares must not exceed the parent's, and removed ones count until an RCU grace period is over. */
function realtime(w: LimitWriter, { realtimePeriod: period, realtimeRuntime: runtime }: CpuResources): void {
  const retry = runtime === undefined ? {} : { retry: true as const };
  if (period !== undefined) w.write("cpu.rt_period_us", period, "/cpu/realtimePeriod", retry);
  if (runtime !== undefined) w.write("cpu.rt_runtime_us", runtime, "/cpu/realtimeRuntime", { patient: true });
}

/** Quota and period are one file. */
export function cpuV2(w: LimitWriter, resources: Resources): void {
  const cpu = resources.cpu as CpuResources;
  const { shares, period, burst, quota, idle } = cpu;
  if (cpu.realtimePeriod !== undefined) w.ignore("/cpu/realtimePeriod", "cgroup v2 has no real-time bandwidth");
  if (cpu.realtimeRuntime !== undefined) w.ignore("/cpu/realtimeRuntime", "cgroup v2 has no real-time bandwidth");
  writeIdle(w, cpu);
  if (shares !== undefined && idle !== 1n) w.write("cpu.weight", cpuWeight(shares), "/cpu/shares");
  const limited = quota !== undefined || period !== undefined;
  if (burst !== undefined) w.write("cpu.max.burst", burst, "/cpu/burst", limited ? { retry: true } : {});
  if (!limited) return;
  const max = quota !== undefined && quota > 0n ? String(quota) : "max";
  w.write("cpu.max", `${max} ${period ?? DEFAULT_PERIOD}`, quota === undefined ? "/cpu/period" : "/cpu/quota");
}
