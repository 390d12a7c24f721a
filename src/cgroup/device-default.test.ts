import { expect, it } from "vitest";
import { DEFAULT_LINES, defaultProgram } from "./device-default.ts";
import { devicePolicy } from "./device-policy.ts";
import { deviceProgram } from "./device-program.ts";
import { v1Lines } from "./devices.ts";

const SPEC = [{ allow: false, type: "a", access: "rwm" }] as const;

it("the precompiled program is what the compiler makes of no rules and of `deny all`", () => {
  expect([...defaultProgram()]).toEqual([...deviceProgram(devicePolicy([], []))]);
  expect([...defaultProgram()]).toEqual([...deviceProgram(devicePolicy(SPEC, []))]);
});

it("the precompiled v1 lines are what the compiler makes of no rules and of `deny all`", () => {
  expect(DEFAULT_LINES).toEqual(v1Lines([], []));
  expect(DEFAULT_LINES).toEqual(v1Lines(SPEC, []));
});
