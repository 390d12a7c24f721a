// v1 device rules of a rootless container: only a runtime with CAP_SYS_ADMIN over the host's users may write them, others
// get EPERM, and go on without them as runc does (and see device-program.ts for v2).

import { RuntimeError } from "../../errors/runtime-error.ts";
import type { Native } from "../../host/native.gen.ts";
import type { RuntimeStep } from "../../plan/plan.ts";
import { type Place, writeCgroupFile } from "./cgroups.ts";

const EPERM = 1;

/** As writeCgroupFile; when the rules are refused, their steps are passed over. */
export function writeDeviceRules(native: Native, steps: readonly RuntimeStep[], first: number, place: Place): number {
  try {
    return writeCgroupFile(native, steps, first, place);
  } catch (error) {
    if (!(error instanceof RuntimeError) || error.facts.errno !== EPERM) throw error;
    let last = first;
    while (isDeviceRule(steps[last + 1])) last++;
    return last;
  }
}

function isDeviceRule(step: RuntimeStep | undefined): boolean {
  return step?.step === "write cgroup file" && step.file.startsWith("devices.");
}
