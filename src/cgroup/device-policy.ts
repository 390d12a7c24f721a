// linux.resources.devices as a policy that cgroup v1 and v2 can both keep: one default and exceptions to it. The rules
// are taken in order, as the spec says, with runc's understanding of them:
//
//   * it begins with "deny everything"; a rule of type "a" sets the default and forgets all rules before it,
//     whatever its numbers and access say
//   * a rule that agrees with the default takes away from the exceptions, any other is added to them
//   * a request is decided by single exceptions: "deny" by default needs one that covers all that is asked for,
//     "allow" by default refuses what overlaps with one
//   * an exception to an exception (`c *:* allowed, c 1:3 denied`) cannot be kept by v1 and is an error on both
//
// Where runc's bookkeeping loses a denial the stricter reading is taken: a denial also takes away every narrower
// exception (runc: only the equal one), and on v2 an access of several kinds is refused when one of them is (runc lets
// read-write pass where only write is denied).

import type { Device, DeviceRule } from "../config/types.ts";
import { RuntimeError } from "../errors/runtime-error.ts";

/** BPF_DEVCG_ACC_ bits. */
export const ACCESS = { m: 1, r: 2, w: 4 } as const;
export const ALL_ACCESS = 7;
/** Every major or minor number. */
export const ANY = -1;

export interface DeviceException {
  type: "b" | "c";
  /** A number or ANY. */
  major: number;
  minor: number;
  /** ACCESS bits, never 0. */
  access: number;
}

export interface DevicePolicy {
  defaultAllow: boolean;
  exceptions: DeviceException[];
}

const MAX_NUMBER = 0xffffffff;

/**
 * What every container may use, whatever config.json says: runc appends the same list (specconv.AllowedDevices). `path`
 * is the node that runc makes with it: when linux.devices has that path, runc leaves the rule out, and so does Berth.
 */
export const DEFAULT_DEVICES: readonly (DeviceException & { path?: string })[] = [
  { type: "c", major: ANY, minor: ANY, access: ACCESS.m },
  { type: "b", major: ANY, minor: ANY, access: ACCESS.m },
  { type: "c", major: 1, minor: 3, access: ALL_ACCESS, path: "/dev/null" },
  { type: "c", major: 1, minor: 8, access: ALL_ACCESS, path: "/dev/random" },
  { type: "c", major: 1, minor: 7, access: ALL_ACCESS, path: "/dev/full" },
  { type: "c", major: 5, minor: 0, access: ALL_ACCESS, path: "/dev/tty" },
  { type: "c", major: 1, minor: 5, access: ALL_ACCESS, path: "/dev/zero" },
  { type: "c", major: 1, minor: 9, access: ALL_ACCESS, path: "/dev/urandom" },
  { type: "c", major: 136, minor: ANY, access: ALL_ACCESS }, // the container's terminals
  { type: "c", major: 5, minor: 2, access: ALL_ACCESS }, // ptmx
  { type: "c", major: 10, minor: 200, access: ALL_ACCESS }, // net/tun
];

/** The policy of config.json's rules followed by the default devices. Throws RuntimeError for a rule that cannot be kept. */
export function devicePolicy(rules: readonly DeviceRule[], devices: readonly Pick<Device, "path">[]): DevicePolicy {
  const policy: DevicePolicy = { defaultAllow: false, exceptions: [] };
  for (let i = 0; i < rules.length; i++) {
    const rule = rules[i] as DeviceRule;
    const pointer = `/linux/resources/devices/${i}`;
    if (rule.type === "a") {
      policy.defaultAllow = rule.allow;
      policy.exceptions = [];
    } else {
      const type = rule.type;
      const major = number(rule.major, `${pointer}/major`);
      const minor = number(rule.minor, `${pointer}/minor`);
      apply(policy, { type, major, minor, access: accessBits(rule.access, `${pointer}/access`) }, rule.allow, pointer);
    }
  }
  for (const { type, major, minor, access, path } of DEFAULT_DEVICES) {
    if (path !== undefined && devices.some((device) => device.path === path)) continue;
    apply(policy, { type, major, minor, access }, true, "/linux/resources/devices");
  }
  return policy;
}

function number(value: number | undefined, pointer: string): number {
  if (value === undefined || value === ANY) return ANY;
  if (Number.isInteger(value) && value >= 0 && value <= MAX_NUMBER) return value;
  throw new RuntimeError({ message: `must be a device number from 0 to ${MAX_NUMBER}, got ${value}`, pointer });
}

function accessBits(letters: string, pointer: string): number {
  let bits = 0;
  for (const letter of letters) {
    const bit = letter === "r" ? ACCESS.r : letter === "w" ? ACCESS.w : letter === "m" ? ACCESS.m : 0;
    if (bit === 0) throw new RuntimeError({ message: `must be made of r, w and m, got "${letters}"`, pointer });
    bits |= bit;
  }
  if (bits === 0) throw new RuntimeError({ message: "must not be empty", pointer });
  return bits;
}

function apply(policy: DevicePolicy, rule: DeviceException, allow: boolean, pointer: string): void {
  if (allow === policy.defaultAllow) takeAway(policy, rule, allow, pointer);
  else add(policy.exceptions, rule);
}

function add(exceptions: DeviceException[], rule: DeviceException): void {
  for (const other of exceptions) {
    if (other.type === rule.type && other.major === rule.major && other.minor === rule.minor) {
      other.access |= rule.access;
      return;
    }
  }
  exceptions.push(rule);
}

function takeAway(policy: DevicePolicy, rule: DeviceException, allow: boolean, pointer: string): void {
  const kept: DeviceException[] = [];
  for (const other of policy.exceptions) {
    if (punches(rule, other, allow)) {
      throw new RuntimeError({
        message: `cannot punch a hole into ${printException(other)}: cgroups know no exception from an exception`,
        pointer,
      });
    }
    if (allow ? equals(rule, other) : covers(rule, other)) other.access &= ~rule.access;
    if (other.access !== 0) kept.push(other);
  }
  policy.exceptions = kept;
}

/**
 * Whether a rule that agrees with the default would have to leave part of an exception standing. A denial must never be
 * lost, so any overlap counts; an allowance that is lost is the safe side, so only what runc refuses counts.
 */
function punches(rule: DeviceException, other: DeviceException, allow: boolean): boolean {
  if (rule.type !== other.type || (rule.access & other.access) === 0) return false;
  if (allow) return covers(other, rule) && !equals(rule, other);
  return overlaps(rule.major, other.major) && overlaps(rule.minor, other.minor) && !covers(rule, other);
}

function overlaps(a: number, b: number): boolean {
  return a === ANY || b === ANY || a === b;
}

function equals(a: DeviceException, b: DeviceException): boolean {
  return a.type === b.type && a.major === b.major && a.minor === b.minor;
}

/** Whether every device of `b` is one of `a`. */
function covers(a: DeviceException, b: DeviceException): boolean {
  const { type, major, minor } = a;
  return type === b.type && (major === ANY || major === b.major) && (minor === ANY || minor === b.minor);
}

/** As the files of cgroup v1 want it: `c 1:3 rwm`. */
export function printException({ type, major, minor, access }: DeviceException): string {
  const letters = (access & ACCESS.r ? "r" : "") + (access & ACCESS.w ? "w" : "") + (access & ACCESS.m ? "m" : "");
  return `${type} ${major === ANY ? "*" : major}:${minor === ANY ? "*" : minor} ${letters}`;
}
