// linux.resources.cpu.

import {
  type Context,
  enter,
  INT64_MAX,
  INT64_MIN,
  leave,
  readBig,
  readObject,
  readWord,
  report,
  UINT64_MAX,
} from "./context.ts";
import type { CpuResources } from "./types.ts";

/** Where 0 is "not set". A burst or idle of 0 is a value. */
type Signed = "quota" | "realtimeRuntime";
const SIGNED: readonly Signed[] = ["quota", "realtimeRuntime"];
type Unsigned = "shares" | "period" | "realtimePeriod";
const UNSIGNED: readonly Unsigned[] = ["shares", "period", "realtimePeriod"];

/** Undefined when nothing is asked. */
export function decodeCpu(c: Context, value: unknown): CpuResources | undefined {
  const object = readObject(c, value, "cpu");
  if (object === undefined) return undefined;
  enter(c, "cpu");
  const cpu: CpuResources = {};
  for (let i = 0; i < UNSIGNED.length; i++) {
    const key = UNSIGNED[i] as Unsigned;
    const number = readBig(c, object[key], key, 0n, UINT64_MAX);
    if (number) cpu[key] = number;
  }
  for (let i = 0; i < SIGNED.length; i++) {
    const key = SIGNED[i] as Signed;
    const number = readBig(c, object[key], key, INT64_MIN, INT64_MAX);
    if (number) cpu[key] = number;
  }
  const burst = readBig(c, object.burst, "burst", 0n, UINT64_MAX);
  if (burst !== undefined) cpu.burst = burst;
  if (burst !== undefined && cpu.quota !== undefined && cpu.quota > 0n && burst > cpu.quota) {
    report(c, "invalid", "burst", `must be no larger than the quota ${cpu.quota}, got ${burst}`);
  }
  const idle = readBig(c, object.idle, "idle", INT64_MIN, INT64_MAX);
  if (idle !== undefined) cpu.idle = idle;
  if (idle !== undefined && idle !== 0n && idle !== 1n) report(c, "invalid", "idle", `must be 0 or 1, got ${idle}`);
  const cpus = readWord(c, object.cpus, "cpus");
  if (cpus !== undefined) cpu.cpus = cpus;
  const mems = readWord(c, object.mems, "mems");
  if (mems !== undefined) cpu.mems = mems;
  leave(c);
  for (const _ in cpu) return cpu;
  return undefined;
}
