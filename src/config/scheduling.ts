// process.scheduler, process.ioPriority and process.execCPUAffinity.

import { ioPriorityClasses, ioPriorityClassNumber } from "../tables/io-priority.ts";
import { schedulerFlag, schedulerPolicies, schedulerPolicyNumber } from "../tables/scheduler.ts";
import {
  type Context,
  enter,
  leave,
  missing,
  oneOf,
  readBig,
  readInteger,
  readObject,
  readTexts,
  readWord,
  UINT64_MAX,
  wrong,
} from "./context.ts";
import type { IoPriorityClass, Process, Scheduler, SchedulerPolicy } from "./types.ts";

const INT32_MIN = -0x80000000;
const INT32_MAX = 0x7fffffff;

function decodeFlags(c: Context, value: unknown): number {
  const names = readTexts(c, value, "flags");
  let flags = 0;
  for (let i = 0; i < names.length; i++) {
    const bit = schedulerFlag(names[i] as string);
    if (bit === 0 && typeof (value as unknown[])[i] === "string") {
      enter(c, "flags");
      wrong(c, i, "a SCHED_FLAG_ name", names[i]);
      leave(c);
    }
    flags |= bit;
  }
  return flags;
}

export function decodeScheduler(c: Context, value: unknown): Scheduler | undefined {
  const object = readObject(c, value, "scheduler");
  if (object === undefined) return undefined;
  enter(c, "scheduler");
  const policy = readWord(c, object.policy, "policy");
  if (policy === undefined) {
    if (typeof object.policy !== "object" && typeof object.policy !== "number") missing(c, "policy");
  } else if (schedulerPolicyNumber(policy) < 0) {
    wrong(c, "policy", `one of ${oneOf(schedulerPolicies())}`, policy);
  }
  const scheduler: Scheduler = {
    policy: policy as SchedulerPolicy,
    nice: readInteger(c, object.nice, "nice", INT32_MIN, INT32_MAX) ?? 0,
    priority: readInteger(c, object.priority, "priority", INT32_MIN, INT32_MAX) ?? 0,
    flags: decodeFlags(c, object.flags),
    runtime: readBig(c, object.runtime, "runtime", 0n, UINT64_MAX) ?? 0n,
    deadline: readBig(c, object.deadline, "deadline", 0n, UINT64_MAX) ?? 0n,
    period: readBig(c, object.period, "period", 0n, UINT64_MAX) ?? 0n,
  };
  leave(c);
  return scheduler;
}

export function decodeIoPriority(c: Context, value: unknown): Process["ioPriority"] {
  const object = readObject(c, value, "ioPriority");
  if (object === undefined) return undefined;
  enter(c, "ioPriority");
  const name = readWord(c, object.class, "class");
  if (name === undefined) {
    if (typeof object.class !== "object" && typeof object.class !== "number") missing(c, "class");
  } else if (ioPriorityClassNumber(name) < 0) {
    wrong(c, "class", `one of ${oneOf(ioPriorityClasses())}`, name);
  }
  const priority = readInteger(c, object.priority, "priority", 0, 7) ?? 0;
  leave(c);
  return { class: name as IoPriorityClass, priority };
}

/** Whether a text is a list of CPU numbers as the kernel writes it: `0-3,7`. */
function isCpuList(text: string): boolean {
  const ranges = text.split(",");
  for (let i = 0; i < ranges.length; i++) {
    const ends = (ranges[i] as string).trim().split("-");
    if (ends.length > 2) return false;
    for (let e = 0; e < ends.length; e++) {
      const digits = ends[e] as string;
      if (digits === "" || digits.length > 5) return false;
      for (let d = 0; d < digits.length; d++) {
        const code = digits.charCodeAt(d);
        if (code < 0x30 || code > 0x39) return false;
      }
    }
    if (ends.length === 2 && Number(ends[0]) > Number(ends[1])) return false;
  }
  return true;
}

export function decodeAffinity(c: Context, value: unknown): Process["execCPUAffinity"] {
  const object = readObject(c, value, "execCPUAffinity");
  if (object === undefined) return undefined;
  enter(c, "execCPUAffinity");
  const affinity: { initial?: string; final?: string } = {};
  const initial = readWord(c, object.initial, "initial");
  if (initial !== undefined) {
    if (!isCpuList(initial)) wrong(c, "initial", 'a list of CPUs such as "0-3,7"', initial);
    affinity.initial = initial;
  }
  const final = readWord(c, object.final, "final");
  if (final !== undefined) {
    if (!isCpuList(final)) wrong(c, "final", 'a list of CPUs such as "0-3,7"', final);
    affinity.final = final;
  }
  leave(c);
  return affinity;
}
