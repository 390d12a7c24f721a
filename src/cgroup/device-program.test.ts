import { describe, expect, it } from "vitest";
import { runProgram } from "../bpf/ebpf-vm.ts";
import type { DeviceRule } from "../config/types.ts";
import { RuntimeError } from "../errors/runtime-error.ts";
import { ACCESS, ANY, DEFAULT_DEVICES, devicePolicy } from "./device-policy.ts";
import { deviceProgram } from "./device-program.ts";

interface Request {
  type: "b" | "c";
  major: number;
  minor: number;
  access: number;
}

function allows(program: Uint32Array, { type, major, minor, access }: Request): boolean {
  const word = (access << 16) | (type === "b" ? 1 : 2);
  return runProgram(program, Uint32Array.of(word, major, minor)) === 1;
}

/** What runc's list and its rules say, decided rule by rule for one request; no policy is made. */
function naive(rules: readonly DeviceRule[], request: Request): boolean {
  const all = [
    ...rules,
    ...DEFAULT_DEVICES.map(({ access, ...device }) => ({ ...device, allow: true, access: letters(access) })),
  ];
  let last = all.length - 1;
  while (last >= 0 && all[last]?.type !== "a") last--;
  const allow = last >= 0 && all[last]?.allow === true;
  // Access that single exceptions hold for the device in question, by the numbers they name.
  const held = new Map<string, number>();
  for (const rule of all.slice(last + 1)) {
    const [major, minor] = [rule.major ?? ANY, rule.minor ?? ANY];
    if (rule.type !== request.type) continue;
    if ((major !== ANY && major !== request.major) || (minor !== ANY && minor !== request.minor)) continue;
    const key = `${major}:${minor}`;
    if (rule.allow !== allow) held.set(key, (held.get(key) ?? 0) | bits(rule.access));
    else if (allow) held.set(key, (held.get(key) ?? 0) & ~bits(rule.access));
    else for (const [name, access] of held) held.set(name, access & ~bits(rule.access));
  }
  const masks = [...held.values()].filter((mask) => mask !== 0);
  if (allow) return !masks.some((mask) => (mask & request.access) !== 0);
  return masks.some((mask) => (request.access & ~mask) === 0);
}

function letters(access: number): string {
  return (["r", "w", "m"] as const).filter((letter) => (access & ACCESS[letter]) !== 0).join("");
}

function bits(access: string): number {
  return [...access].reduce((mask, letter) => mask | ACCESS[letter as "r" | "w" | "m"], 0);
}

/** mulberry32: the same rules at every run. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const NUMBERS = [0, 1, 3, 5, 9, 136, 200, 0x7fffffff, 0xffffffff];

describe("deviceProgram", () => {
  it("decides as the rules do, one after the other, for random rules and requests", () => {
    const random = generator(20220);
    const pick = <T>(list: readonly T[]): T => list[random(list.length)] as T;
    const randomRule = (): DeviceRule => ({
      allow: random(2) === 0,
      type: random(8) === 0 ? "a" : pick(["b", "c"]),
      access: letters(1 + random(7)),
      ...(random(3) === 0 ? {} : { major: pick(NUMBERS) }),
      ...(random(3) === 0 ? {} : { minor: pick(NUMBERS) }),
    });
    let tried = 0;
    for (let round = 0; round < 2000; round++) {
      const rules = Array.from({ length: random(7) }, randomRule);
      let program: Uint32Array;
      try {
        program = deviceProgram(devicePolicy(rules, []));
      } catch (error) {
        if (error instanceof RuntimeError) continue;
        throw error;
      }
      tried++;
      for (let i = 0; i < 25; i++) {
        const request: Request = {
          type: pick(["b", "c"]),
          major: pick(NUMBERS),
          minor: pick(NUMBERS),
          access: random(8),
        };
        const wanted = naive(rules, request);
        if (allows(program, request) !== wanted) expect.fail(JSON.stringify({ rules, request, wanted }));
      }
    }
    expect(tried).toBeGreaterThan(500);
  });

  it("needs one exception that covers all that is asked for", () => {
    const rules: DeviceRule[] = [
      { allow: true, type: "c", major: 9, minor: 9, access: "r" },
      { allow: true, type: "c", major: 9, access: "w" },
    ];
    const program = deviceProgram(devicePolicy(rules, []));
    const device = { type: "c", major: 9, minor: 9 } as const;
    expect(allows(program, { ...device, access: ACCESS.r })).toBe(true);
    expect(allows(program, { ...device, access: ACCESS.w })).toBe(true);
    expect(allows(program, { ...device, access: ACCESS.r | ACCESS.w })).toBe(false);
  });

  it("refuses an access of several kinds when one of them is denied", () => {
    const rules: DeviceRule[] = [
      { allow: true, type: "a", access: "rwm" },
      { allow: false, type: "c", major: 9, minor: 9, access: "w" },
    ];
    const program = deviceProgram(devicePolicy(rules, []));
    const device = { type: "c", major: 9, minor: 9 } as const;
    expect(allows(program, { ...device, access: ACCESS.r | ACCESS.w })).toBe(false);
    expect(allows(program, { ...device, access: ACCESS.r })).toBe(true);
  });

  it("lets every device be made and none be opened that is not listed", () => {
    const program = deviceProgram(devicePolicy([], []));
    expect(allows(program, { type: "b", major: 8, minor: 0, access: ACCESS.m })).toBe(true);
    expect(allows(program, { type: "b", major: 8, minor: 0, access: ACCESS.r })).toBe(false);
    expect(allows(program, { type: "c", major: 1, minor: 11, access: ACCESS.r })).toBe(false);
    expect(allows(program, { type: "c", major: 1, minor: 3, access: ACCESS.r | ACCESS.w })).toBe(true);
  });

  it("holds no instruction that cannot be reached: the verifier would refuse it", () => {
    const any = (access: string): DeviceRule => ({ allow: true, type: "c", access });
    const policies = [
      devicePolicy([{ allow: true, type: "a", access: "rwm" }], []),
      devicePolicy([any("rwm"), { ...any("rwm"), major: 9 }, { ...any("rwm"), major: 9, minor: 9 }], []),
      devicePolicy(
        [
          { ...any("rw"), major: 9 },
          { ...any("rw"), major: 9, minor: 9 },
        ],
        [],
      ),
    ];
    for (const policy of policies) {
      const program = deviceProgram(policy);
      expect([...reached(program)].length).toBe(program.length / 2);
    }
  });
});

/** Instructions that some path leads to. */
function reached(program: Uint32Array): Set<number> {
  const seen = new Set<number>();
  const open = [0];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (seen.has(at)) continue;
    seen.add(at);
    const word = program[at * 2] as number;
    const code = word & 0xff;
    if (code !== 0x95 && code !== 0x05) open.push(at + 1);
    if ((code & 0x07) === 0x06 || code === 0x05) open.push(at + 1 + (word >> 16));
  }
  return seen;
}
