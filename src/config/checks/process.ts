// process: rules between its fields.

import { rlimitName } from "../../tables/rlimits.ts";
import type { Config, Rlimit } from "../types.ts";
import type { Add, Check } from "./check.ts";

function checkArgs(config: Config, add: Add): void {
  if (config.process.args.length === 0) add("/process/args", "must not be empty");
}

function checkRlimits(config: Config, add: Add): void {
  const { rlimits } = config.process;
  for (let i = 0; i < rlimits.length; i++) {
    const { resource, soft, hard } = rlimits[i] as Rlimit;
    if (soft > hard)
      add(`/process/rlimits/${i}/soft`, `must not exceed hard (${hard}) of ${rlimitName(resource)}, got ${soft}`);
  }
}

/** sched_setattr(2): which attribute goes with which policy. */
function checkScheduler(config: Config, add: Add): void {
  const { scheduler } = config.process;
  if (scheduler === undefined) return;
  const { policy, nice, priority } = scheduler;
  const pointer = "/process/scheduler";
  if ((policy === "SCHED_OTHER" || policy === "SCHED_BATCH") && (nice < -20 || nice > 19)) {
    add(`${pointer}/nice`, `must be from -20 to 19 for ${policy}, got ${nice}`);
  }
  if (priority !== 0 && policy !== "SCHED_FIFO" && policy !== "SCHED_RR") {
    add(`${pointer}/priority`, `must not be given for ${policy}: only for SCHED_FIFO and SCHED_RR`);
  }
  if (policy === "SCHED_DEADLINE") return;
  for (const field of ["runtime", "deadline", "period"] as const) {
    if (scheduler[field] !== 0n) add(`${pointer}/${field}`, `must not be given for ${policy}: only for SCHED_DEADLINE`);
  }
}

export const PROCESS_CHECKS: readonly Check[] = [
  { reads: ["/process/args"], run: checkArgs },
  { reads: ["/process/rlimits"], each: true, run: checkRlimits },
  { reads: ["/process/scheduler"], run: checkScheduler },
];
