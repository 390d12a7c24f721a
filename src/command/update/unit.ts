// The limits of a container whose cgroups systemd keeps.

import { devicePolicy } from "../../cgroup/device-policy.ts";
import type { Resources } from "../../config/types.ts";
import type { SystemdUnit } from "../../container/state.ts";
import { updateUnit } from "../../container/systemd/update.ts";
import type { Native } from "../../host/native.gen.ts";
import type { Target } from "./apply.ts";

export { withRoundedQuota } from "../../systemd/cpu-quota.ts";

/** Tells systemd what has been written. Throws RuntimeError. */
export function tellUnit(native: Native, unit: SystemdUnit, resources: Resources, { facts }: Target): void {
  const devices = resources.devices.length === 0 ? undefined : devicePolicy(resources.devices, []);
  updateUnit(native, unit, resources, facts.mode, "", devices);
}
