// New limits for a running container's unit.

import type { DevicePolicy } from "../../cgroup/device-policy.ts";
import type { Resources } from "../../config/types.ts";
import type { CgroupFacts } from "../../host/facts.ts";
import type { Native } from "../../host/native.gen.ts";
import { withRoundedQuota } from "../../systemd/cpu-quota.ts";
import { deviceProperties } from "../../systemd/devices.ts";
import { limitProperties } from "../../systemd/limits.ts";
import type { SystemdUnit } from "../state.ts";
import { Manager } from "./manager.ts";

/**
 * Tells systemd the limits, until the unit ends; the resources to write to the files of the cgroups afterwards. `base` is
 * the JSON pointer of the resources, `devices` the new rules when there are any. Throws RuntimeError.
 */
export function updateUnit(
  native: Native,
  { unit, user }: SystemdUnit,
  resources: Resources,
  mode: CgroupFacts["mode"],
  base: string,
  devices?: DevicePolicy,
): Resources {
  const manager = new Manager(native, user);
  try {
    const properties = limitProperties(resources, mode, manager.version, base);
    if (devices !== undefined) properties.push(...deviceProperties(devices, mode).properties);
    if (properties.length > 0) manager.set(unit, properties, base);
  } finally {
    manager.close();
  }
  return withRoundedQuota(resources);
}
