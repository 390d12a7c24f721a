import { describe, expect, it } from "vitest";
import type { DeviceRule } from "../config/types.ts";
import { type DecodedRule, decodeDeviceProgram, deviceProgramLines } from "./device-decode.ts";
import { defaultProgram } from "./device-default.ts";
import { ANY, type DeviceException, devicePolicy } from "./device-policy.ts";
import { deviceProgram } from "./device-program.ts";
import { allRequests, NUMBERS, programAllows, RandomRules } from "./device-rules-support.ts";

/** As the lines are meant: the first that applies decides. */
function decide(rules: readonly DecodedRule[], { type, major, minor, access }: DeviceException): boolean {
  const applies = (rule: DecodedRule): boolean => {
    if (rule.type === "every") return true;
    if (rule.type !== (type === "b" ? "block" : "char")) return false;
    if ((rule.major !== ANY && rule.major !== major) || (rule.minor !== ANY && rule.minor !== minor)) return false;
    return rule.verdict === "allow" ? (access & ~rule.access) === 0 : (access & rule.access) !== 0;
  };
  return rules.find(applies)?.verdict === "allow";
}

describe("deviceProgramLines", () => {
  it("shows the program as rules", () => {
    expect(deviceProgramLines(defaultProgram())).toEqual([
      "char *:* m -> allow",
      "char 1:3 rwm -> allow",
      "char 1:8 rwm -> allow",
      "char 1:7 rwm -> allow",
      "char 1:5 rwm -> allow",
      "char 1:9 rwm -> allow",
      "char 5:0 rwm -> allow",
      "char 5:2 rwm -> allow",
      "char 10:200 rwm -> allow",
      "char 136:* rwm -> allow",
      "block *:* m -> allow",
      "everything else -> deny",
    ]);
  });

  it("shows denials, and a program without exceptions", () => {
    const all: DeviceRule = { allow: true, type: "a", access: "rwm" };
    const lines = (...rules: DeviceRule[]): string[] => deviceProgramLines(deviceProgram(devicePolicy(rules, [])));
    expect(lines(all, { allow: false, type: "b", major: 8, access: "w" })).toEqual([
      "block 8:* w -> deny",
      "everything else -> allow",
    ]);
    expect(lines(all)).toEqual(["everything else -> allow"]);
  });

  it("says what the program does, for random rules", () => {
    const random = new RandomRules(1003);
    const requests = allRequests([...NUMBERS, 2]);
    for (let round = 0; round < 150; round++) {
      const { rules, policy } = random.kept(8);
      const program = deviceProgram(policy);
      const decoded = decodeDeviceProgram(program);
      if (decoded === undefined) expect.fail(`not decoded: ${JSON.stringify(rules)}`);
      for (let i = 0; i < 120; i++) {
        const request = random.pick(requests);
        if (decide(decoded, request) === programAllows(program, request)) continue;
        expect.fail(JSON.stringify({ rules, request, decoded }));
      }
    }
  });

  it("shows the instructions of any other program, and never says what a changed one does not do", () => {
    expect(deviceProgramLines(Uint32Array.of(0xb4, 1, 0x95, 0))).toEqual(["0: w0 = 1", "1: exit"]);
    const random = new RandomRules(77);
    const requests = allRequests([...NUMBERS, 2]);
    let decodedOnes = 0;
    for (let round = 0; round < 4000; round++) {
      const program = Uint32Array.from(deviceProgram(random.kept().policy));
      const word = random.below(program.length);
      program[word] = (program[word] as number) ^ (1 << random.below(32));
      const decoded = decodeDeviceProgram(program);
      if (decoded === undefined) continue;
      decodedOnes++;
      for (let i = 0; i < 40; i++) {
        const request = random.pick(requests);
        let answer: boolean;
        try {
          answer = programAllows(program, request);
        } catch {
          break; // the kernel would not take it
        }
        if (decide(decoded, request) !== answer) expect.fail(JSON.stringify({ program: [...program], request }));
      }
    }
    expect(decodedOnes).toBeGreaterThan(100);
  });
});
