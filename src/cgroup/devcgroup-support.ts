// For tests: cgroup v1's devices controller as the kernel has it (security/device_cgroup.c), for one cgroup and its parent.
// devices-kernel.test.ts compares it with the kernel.

import { ACCESS, ALL_ACCESS, ANY, type DeviceException, printException } from "./device-policy.ts";

export class DeviceCgroup {
  defaultAllow: boolean;
  exceptions: DeviceException[];
  readonly #parent: DeviceCgroup | undefined;

  /** A new cgroup is a copy of its parent; the root allows everything. */
  constructor(parent?: DeviceCgroup) {
    this.#parent = parent;
    this.defaultAllow = parent?.defaultAllow ?? true;
    this.exceptions = copy(parent?.exceptions ?? []);
  }

  /** What a write to the file does; false is EPERM. */
  write(file: string, data: string): boolean {
    const allow = file === "devices.allow";
    if (data === "a") return this.#writeAll(allow);
    const rule = parse(data);
    if (!allow) {
      if (this.defaultAllow) this.#add(rule);
      else this.#remove(rule);
      return true;
    }
    if (this.defaultAllow) {
      if (!this.#parentAllowsRemoval(rule)) return false;
      this.#remove(rule);
      return true;
    }
    if (!this.#parentHas(rule)) return false;
    this.#add(rule);
    return true;
  }

  /** devices.list. */
  list(): string {
    return this.defaultAllow ? "a *:* rwm\n" : this.exceptions.map((one) => `${printException(one)}\n`).join("");
  }

  /** Whether the kernel lets pass an access of several kinds at once. */
  allows(request: DeviceException): boolean {
    return this.defaultAllow
      ? !this.exceptions.some((one) => meets(one, request))
      : this.exceptions.some((one) => covers(one, request));
  }

  #writeAll(allow: boolean): boolean {
    if (!allow) {
      this.defaultAllow = false;
      this.exceptions = [];
      return true;
    }
    if (this.#parent?.defaultAllow === false) return false;
    this.defaultAllow = true;
    this.exceptions = copy(this.#parent?.exceptions ?? []);
    return true;
  }

  #parentHas(rule: DeviceException): boolean {
    const parent = this.#parent;
    if (parent === undefined) return true;
    // The cgroup denies by default: its exception must lie in the parent's.
    return parent.defaultAllow
      ? !parent.exceptions.some((one) => meets(one, rule))
      : parent.exceptions.some((one) => covers(one, rule));
  }

  #parentAllowsRemoval(rule: DeviceException): boolean {
    const parent = this.#parent;
    return !parent?.defaultAllow || !parent.exceptions.some((one) => meets(one, rule));
  }

  #add(rule: DeviceException): void {
    const known = this.exceptions.find((one) => same(one, rule));
    if (known === undefined) this.exceptions.push({ ...rule });
    else known.access |= rule.access;
  }

  #remove(rule: DeviceException): void {
    for (const one of this.exceptions) if (same(one, rule)) one.access &= ~rule.access;
    this.exceptions = this.exceptions.filter((one) => one.access !== 0);
  }
}

function copy(exceptions: readonly DeviceException[]): DeviceException[] {
  return exceptions.map((one) => ({ ...one }));
}

function parse(line: string): DeviceException {
  const [type, numbers, letters] = line.split(" ") as ["b" | "c", string, string];
  const [major, minor] = numbers.split(":").map((digits) => (digits === "*" ? ANY : Number(digits)));
  const access = [...letters].reduce((bits, letter) => bits | ACCESS[letter as "r" | "w" | "m"], 0);
  return { type, major: major as number, minor: minor as number, access: access & ALL_ACCESS };
}

function same(a: DeviceException, b: DeviceException): boolean {
  return a.type === b.type && a.major === b.major && a.minor === b.minor;
}

/** match_exception: one exception has all that is asked for. */
function covers(one: DeviceException, { type, major, minor, access }: DeviceException): boolean {
  if (one.type !== type || (one.major !== ANY && one.major !== major)) return false;
  return (one.minor === ANY || one.minor === minor) && (access & ~one.access) === 0;
}

/** match_exception_partial: something of it is asked for. */
function meets(one: DeviceException, { type, major, minor, access }: DeviceException): boolean {
  const overlap = (a: number, b: number): boolean => a === ANY || b === ANY || a === b;
  return one.type === type && overlap(one.major, major) && overlap(one.minor, minor) && (access & one.access) !== 0;
}
