// A property of a systemd unit as it goes over D-Bus (org.freedesktop.systemd1(5)).

import type { Value } from "../dbus/value.ts";

export interface UnitProperty {
  name: string;
  /** One complete D-Bus type, and the value of that type. */
  signature: string;
  value: Value;
}

/** "infinity" of limits and times. */
export const INFINITY = (1n << 64n) - 1n;

export function text(name: string, value: string): UnitProperty {
  return { name, signature: "s", value };
}

export function flag(name: string, value: boolean): UnitProperty {
  return { name, signature: "b", value };
}

export function number(name: string, value: bigint): UnitProperty {
  return { name, signature: "t", value };
}

/**
 * The versions of systemd from which on a unit has CPUQuotaPeriodUSec, AllowedCPUs and AllowedMemoryNodes, "idle" as
 * CPUWeight 0, and a scope OOMPolicy: those of runc.
 */
export const SINCE = { quotaPeriod: 242, cpuset: 244, idle: 252, oomPolicy: 253 } as const;

/** "252.39-1~deb12u1", "v245", "256~rc3" as a number. 0 for what does not begin with one. */
export function versionNumber(version: string): number {
  const number = Number.parseInt(version.startsWith("v") ? version.slice(1) : version, 10);
  return Number.isNaN(number) ? 0 : number;
}
