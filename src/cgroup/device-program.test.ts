import { describe, expect, it } from "vitest";
import type { DeviceRule } from "../config/types.ts";
import { ACCESS, devicePolicy } from "./device-policy.ts";
import { deviceProgram } from "./device-program.ts";
import {
  allRequests,
  exceptionsAllow,
  lastMatch,
  NUMBERS,
  programAllows,
  RandomRules,
} from "./device-rules-support.ts";

const allows = programAllows;

describe("deviceProgram", () => {
  it("decides as runc's reading of the rules does, for random rules and accesses", () => {
    const random = new RandomRules(20220);
    for (let round = 0; round < 1500; round++) {
      const { rules, policy } = random.kept();
      const program = deviceProgram(policy);
      for (let i = 0; i < 25; i++) {
        const request = random.request();
        const wanted = exceptionsAllow(rules, request);
        if (allows(program, request) !== wanted) expect.fail(JSON.stringify({ rules, request, wanted }));
      }
    }
  });

  it("decides every access to every number that a rule can name as runc's reading does", () => {
    const random = new RandomRules(4711);
    const requests = allRequests([...NUMBERS, 2, 0xfffffffe]);
    for (let round = 0; round < 60; round++) {
      const { rules, policy } = random.kept(4);
      const program = deviceProgram(policy);
      for (const request of requests) {
        const wanted = exceptionsAllow(rules, request);
        if (allows(program, request) !== wanted) expect.fail(JSON.stringify({ rules, request, wanted }));
      }
    }
  });

  it("allows nothing that the last matching rule denies, and all that it allows where the default is to deny", () => {
    const random = new RandomRules(136);
    for (let round = 0; round < 1500; round++) {
      const { rules, policy } = random.kept();
      const program = deviceProgram(policy);
      for (let i = 0; i < 25; i++) {
        const request = random.request();
        const kinds = [1, 2, 4].filter((bit) => (request.access & bit) !== 0);
        const allowed = kinds.map((access) => lastMatch(rules, { ...request, access }));
        const got = allows(program, request);
        if (got && allowed.includes(false)) expect.fail(JSON.stringify({ rules, request, got }));
        const exact = kinds.length === 1 && !policy.defaultAllow;
        if (exact && got !== allowed[0]) expect.fail(JSON.stringify({ rules, request, got }));
      }
    }
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
