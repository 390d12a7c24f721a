// CPU time: systemd counts hundredths of a CPU.

import type { Resources } from "../config/types.ts";
import { INFINITY, number, SINCE, type UnitProperty } from "./property.ts";

const DEFAULT_PERIOD = 100_000n;
const SECOND = 1_000_000n;
/** CPUQuotaPerSecUSec of one hundredth. */
const STEP = 10_000n;

/** Microseconds; undefined: as it is. A quota that is not above 0 is none. */
export function quotaProperties(
  quota: bigint | undefined,
  period: bigint | undefined,
  version: number,
): UnitProperty[] {
  const properties: UnitProperty[] = [];
  if (period !== undefined && version >= SINCE.quotaPeriod) properties.push(number("CPUQuotaPeriodUSec", period));
  if (quota === undefined && period === undefined) return properties;
  const limited = quota !== undefined && quota > 0n;
  properties.push(number("CPUQuotaPerSecUSec", limited ? perSecond(quota, period ?? DEFAULT_PERIOD) : INFINITY));
  return properties;
}

function perSecond(quota: bigint, period: bigint): bigint {
  const exact = (quota * SECOND) / period;
  return exact % STEP === 0n ? exact : (exact / STEP + 1n) * STEP;
}

/**
 * The resources with the CPU quota that systemd makes of theirs, for the files of the cgroup: as in runc, both say the
 * same, and what is asked for fits.
 */
export function withRoundedQuota(resources: Resources): Resources {
  const { cpu } = resources;
  if (cpu?.quota === undefined || cpu.quota <= 0n) return resources;
  const period = cpu.period ?? DEFAULT_PERIOD;
  const exact = (cpu.quota * SECOND) / period;
  if (exact % STEP === 0n) return resources;
  return { ...resources, cpu: { ...cpu, quota: (perSecond(cpu.quota, period) * period) / SECOND } };
}
