import { expect, test } from "vitest";
import { devicePolicy } from "../cgroup/device-policy.ts";
import type { DeviceRule } from "../config/types.ts";
import { deviceProperties } from "./devices.ts";
import { propertyLines } from "./print.ts";

const CLEAR = "DeviceAllow a(ss) 0";

function said(rules: DeviceRule[], mode: "v1" | "v2" = "v2"): { lines: string[]; exact: boolean } {
  const { properties, exact } = deviceProperties(devicePolicy(rules, []), mode);
  return { lines: propertyLines(properties), exact };
}

test("what is allowed is a list of nodes, kinds and majors", () => {
  const { lines, exact } = said([
    { allow: true, type: "c", major: 4, access: "rw" },
    { allow: true, type: "b", major: 8, minor: 1, access: "r" },
  ]);
  expect(exact).toBe(true);
  expect(lines.slice(0, 2)).toEqual([CLEAR, 'DevicePolicy s "strict"']);
  for (const part of ['2 "char-4" "rw"', '2 "/dev/block/8:1" "r"', '2 "char-*" "m"', '2 "char-136" "rwm"']) {
    expect(lines[2]).toContain(part);
  }
});

test("everything is allowed: systemd has no rule", () => {
  const all: DeviceRule = { allow: true, type: "a", access: "rwm" };
  expect(said([all])).toEqual({ lines: [CLEAR, 'DevicePolicy s "auto"'], exact: true });
});

const MINOR: DeviceRule = { allow: true, type: "c", minor: 3, access: "r" };
const EXCEPT: DeviceRule[] = [
  { allow: true, type: "a", access: "rwm" },
  { allow: false, type: "b", access: "rwm" },
];

test("what systemd cannot say it is not told on v2", () => {
  for (const rules of [[MINOR], EXCEPT]) expect(said(rules).lines).toEqual([CLEAR, 'DevicePolicy s "auto"']);
  expect(said([MINOR]).exact).toBe(false);
});

test("on v1 systemd, which writes the files itself, is told what can be said, and is strict", () => {
  const { lines, exact } = said([MINOR], "v1");
  expect(exact).toBe(false);
  expect(lines[1]).toBe('DevicePolicy s "strict"');
  expect(lines[2]).toContain('"char-136"');
  expect(said(EXCEPT, "v1").lines).toEqual([CLEAR, 'DevicePolicy s "strict"']);
});
