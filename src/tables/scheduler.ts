// Scheduling policies and flags of sched_setattr(2) under the names of config.json (process.scheduler).

import type { SchedulerPolicy } from "../config/types.ts";

/** By number (linux/sched.h); 4 is reserved: the kernel answers EINVAL. */
const POLICIES: readonly SchedulerPolicy[] = [
  "SCHED_OTHER",
  "SCHED_FIFO",
  "SCHED_RR",
  "SCHED_BATCH",
  "SCHED_ISO",
  "SCHED_IDLE",
  "SCHED_DEADLINE",
];

/** Bit n is the flag at index n. */
const FLAGS: readonly string[] = [
  "SCHED_FLAG_RESET_ON_FORK",
  "SCHED_FLAG_RECLAIM",
  "SCHED_FLAG_DL_OVERRUN",
  "SCHED_FLAG_KEEP_POLICY",
  "SCHED_FLAG_KEEP_PARAMS",
  "SCHED_FLAG_UTIL_CLAMP_MIN",
  "SCHED_FLAG_UTIL_CLAMP_MAX",
];

/** Number of a policy name, or -1. */
export function schedulerPolicyNumber(name: string): number {
  return POLICIES.indexOf(name as SchedulerPolicy);
}

/** Name of a policy number, or undefined. */
export function schedulerPolicyName(number: number): SchedulerPolicy | undefined {
  return POLICIES[number];
}

/** Every policy name, in the order of the numbers. */
export function schedulerPolicies(): readonly SchedulerPolicy[] {
  return POLICIES;
}

/** Bit of a SCHED_FLAG_ name, or 0. */
export function schedulerFlag(name: string): number {
  const index = FLAGS.indexOf(name);
  return index < 0 ? 0 : 1 << index;
}

/** Names in a mask of SCHED_FLAG_ bits. */
export function schedulerFlagsOf(mask: number): string[] {
  return FLAGS.filter((_, index) => mask & (1 << index));
}

/** Every SCHED_FLAG_ name, in the order of the bits. */
export function schedulerFlagNames(): readonly string[] {
  return FLAGS;
}
