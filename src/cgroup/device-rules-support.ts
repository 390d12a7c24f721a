// For tests: random device rules and accesses, and what the rules say of an access, without making a policy.

import { runProgram } from "../bpf/ebpf-vm.ts";
import type { DeviceRule } from "../config/types.ts";
import { RuntimeError } from "../errors/runtime-error.ts";
import {
  ACCESS,
  ANY,
  DEFAULT_DEVICES,
  type DeviceException,
  type DevicePolicy,
  devicePolicy,
} from "./device-policy.ts";

/** Boundaries of what a rule can name. */
export const NUMBERS = [0, 1, 3, 5, 9, 136, 200, 0x7fffffff, 0xffffffff];
/** What a device node can have: 12 and 20 bits. */
export const NODE_NUMBERS = [0, 1, 3, 5, 9, 136, 200, 0xfff];

export class RandomRules {
  #state: number;
  readonly #numbers: readonly number[];

  /** The same seed makes the same rules. */
  constructor(seed: number, numbers: readonly number[] = NUMBERS) {
    this.#state = seed;
    this.#numbers = numbers;
  }

  /** A number from 0 to `end`, which is excluded (mulberry32). */
  below(end: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % end;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }

  rule(): DeviceRule {
    return {
      allow: this.below(2) === 0,
      type: this.below(8) === 0 ? "a" : this.pick(["b", "c"]),
      access: letters(1 + this.below(7)),
      ...(this.below(3) === 0 ? {} : { major: this.pick(this.#numbers) }),
      ...(this.below(3) === 0 ? {} : { minor: this.pick(this.#numbers) }),
    };
  }

  rules(most = 6): DeviceRule[] {
    return Array.from({ length: this.below(most + 1) }, () => this.rule());
  }

  /** Rules that can be kept, and their policy. */
  kept(most = 6): { rules: DeviceRule[]; policy: DevicePolicy } {
    for (;;) {
      const rules = this.rules(most);
      const policy = policyOf(rules);
      if (policy !== undefined) return { rules, policy };
    }
  }

  /** An access to a device; `access` may be empty or more than one. */
  request(): DeviceException {
    const [major, minor] = [this.pick(this.#numbers), this.pick(this.#numbers)];
    return { type: this.pick(["b", "c"]), major, minor, access: this.below(8) };
  }
}

/** Undefined for rules that cgroups cannot keep. */
export function policyOf(rules: readonly DeviceRule[]): DevicePolicy | undefined {
  try {
    return devicePolicy(rules, []);
  } catch (error) {
    if (error instanceof RuntimeError) return undefined;
    throw error;
  }
}

/** Every access to every device whose numbers are among the given ones. */
export function allRequests(numbers: readonly number[]): DeviceException[] {
  const requests: DeviceException[] = [];
  for (const type of ["b", "c"] as const) {
    for (const major of numbers) {
      for (const minor of numbers) {
        for (let access = 1; access < 8; access++) requests.push({ type, major, minor, access });
      }
    }
  }
  return requests;
}

/** The program's answer. */
export function programAllows(program: Uint32Array, { type, major, minor, access }: DeviceException): boolean {
  const word = (access << 16) | (type === "b" ? 1 : 2);
  return runProgram(program, Uint32Array.of(word, major, minor)) === 1;
}

const DEFAULT_RULES = DEFAULT_DEVICES.map(({ access, ...device }) => ({
  ...device,
  allow: true,
  access: letters(access),
}));

/** The runtime-spec's reading for one kind of access: everything is denied, then the last rule that matches decides. */
export function lastMatch(rules: readonly DeviceRule[], request: DeviceException): boolean {
  let allowed = false;
  for (const rule of [...rules, ...DEFAULT_RULES]) {
    if (rule.type === "a" || (matches(rule, request) && (bits(rule.access) & request.access) !== 0))
      allowed = rule.allow;
  }
  return allowed;
}

/**
 * runc's reading: single exceptions from a default hold access for the numbers that they name. Decided rule by rule for
 * one request.
 */
export function exceptionsAllow(rules: readonly DeviceRule[], request: DeviceException): boolean {
  const all = [...rules, ...DEFAULT_RULES];
  let last = all.length - 1;
  while (last >= 0 && all[last]?.type !== "a") last--;
  const allow = last >= 0 && all[last]?.allow === true;
  const held = new Map<string, number>();
  for (const rule of all.slice(last + 1)) {
    if (!matches(rule, request)) continue;
    const key = `${rule.major ?? ANY}:${rule.minor ?? ANY}`;
    if (rule.allow !== allow) held.set(key, (held.get(key) ?? 0) | bits(rule.access));
    else if (allow) held.set(key, (held.get(key) ?? 0) & ~bits(rule.access));
    else for (const [name, access] of held) held.set(name, access & ~bits(rule.access));
  }
  const masks = [...held.values()].filter((mask) => mask !== 0);
  if (allow) return !masks.some((mask) => (mask & request.access) !== 0);
  return masks.some((mask) => (request.access & ~mask) === 0);
}

function matches(rule: Pick<DeviceRule, "type" | "major" | "minor">, request: DeviceException): boolean {
  const [major, minor] = [rule.major ?? ANY, rule.minor ?? ANY];
  if (rule.type !== request.type) return false;
  return (major === ANY || major === request.major) && (minor === ANY || minor === request.minor);
}

export function letters(access: number): string {
  return (["r", "w", "m"] as const).filter((letter) => (access & ACCESS[letter]) !== 0).join("");
}

export function bits(access: string): number {
  return [...access].reduce((mask, letter) => mask | ACCESS[letter as "r" | "w" | "m"], 0);
}
