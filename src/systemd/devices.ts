// linux.resources.devices as DevicePolicy and DeviceAllow. Berth keeps the rules itself (cgroup/devices.ts); systemd must
// know them because on v1 it writes devices.allow and devices.deny anew at every daemon-reload.
//
// systemd knows lists of what is allowed only, and none of "minor 3 of every major". What it cannot say it is not told on v2,
// where its rules would stand beside Berth's: the policy is "auto" then, which is no rule. On v1 it would open everything
// at daemon-reload: there the policy is "strict" with what can be said, as in runc.

import { ACCESS, ANY, type DeviceException, type DevicePolicy } from "../cgroup/device-policy.ts";
import type { CgroupFacts } from "../host/facts.ts";
import { text, type UnitProperty } from "./property.ts";

/**
 * In the order that systemd needs: an empty list first takes away what is there. `exact`: they allow what the policy
 * allows, neither more nor less.
 */
export function deviceProperties(
  policy: DevicePolicy,
  mode: CgroupFacts["mode"],
): { properties: UnitProperty[]; exact: boolean } {
  const none: UnitProperty = { name: "DeviceAllow", signature: "a(ss)", value: [] };
  const said = policy.defaultAllow ? [] : policy.exceptions.filter(canBeSaid);
  const exact = policy.exceptions.length === said.length;
  if (exact ? policy.defaultAllow : mode === "v2") return { properties: [none, text("DevicePolicy", "auto")], exact };
  const properties = [none, text("DevicePolicy", "strict")];
  if (said.length > 0) {
    const value = said.map((rule) => [nodeOf(rule), letters(rule)]);
    properties.push({ name: "DeviceAllow", signature: "a(ss)", value });
  }
  return { properties, exact };
}

function canBeSaid({ major, minor }: DeviceException): boolean {
  return major !== ANY || minor === ANY;
}

function nodeOf({ type, major, minor }: DeviceException): string {
  const kind = type === "b" ? "block" : "char";
  if (major === ANY) return `${kind}-*`;
  return minor === ANY ? `${kind}-${major}` : `/dev/${kind}/${major}:${minor}`;
}

function letters({ access }: DeviceException): string {
  return (access & ACCESS.r ? "r" : "") + (access & ACCESS.w ? "w" : "") + (access & ACCESS.m ? "m" : "");
}
