import { describe, expect, it } from "vitest";
import type { DeviceRule } from "../config/types.ts";
import { RuntimeError } from "../errors/runtime-error.ts";
import { devicePolicy, printException } from "./device-policy.ts";

const DENY_ALL: DeviceRule = { allow: false, type: "a", access: "rwm" };
const ALLOW_ALL: DeviceRule = { allow: true, type: "a", access: "rwm" };
const DEFAULTS = [
  "c *:* m",
  "b *:* m",
  "c 1:3 rwm",
  "c 1:8 rwm",
  "c 1:7 rwm",
  "c 5:0 rwm",
  "c 1:5 rwm",
  "c 1:9 rwm",
  "c 136:* rwm",
  "c 5:2 rwm",
  "c 10:200 rwm",
];

/** `+c 1:3 rw` allows, `-c 1:* m` denies. */
function rule(text: string): DeviceRule {
  const [type, major, minor, access] = text.slice(1).split(/[ :]/) as ["b" | "c", string, string, string];
  return {
    allow: text.startsWith("+"),
    type,
    access,
    ...(major === "*" ? {} : { major: Number(major) }),
    ...(minor === "*" ? {} : { minor: Number(minor) }),
  };
}

function exceptions(rules: DeviceRule[], devices: { path: string }[] = []): string[] {
  return devicePolicy(rules, devices).exceptions.map(printException);
}

/** Without the default devices, which come after. */
function own(...texts: string[]): string[] {
  return exceptions([DENY_ALL, ...texts.map(rule)]).filter((text) => !DEFAULTS.includes(text));
}

function problem(rules: DeviceRule[]): string {
  try {
    devicePolicy(rules, []);
  } catch (error) {
    if (error instanceof RuntimeError) return `${error.facts.pointer}: ${error.facts.message}`;
  }
  return "none";
}

describe("devicePolicy", () => {
  it("denies everything but the default devices when there are no rules", () => {
    expect(devicePolicy([], []).defaultAllow).toBe(false);
    expect(exceptions([])).toEqual(DEFAULTS);
    expect(exceptions([DENY_ALL])).toEqual(DEFAULTS);
  });

  it("leaves the rule of a default device out when linux.devices has its path, as runc does", () => {
    expect(exceptions([], [{ path: "/dev/null" }, { path: "/dev/sda" }])).toEqual(
      DEFAULTS.filter((text) => text !== "c 1:3 rwm"),
    );
  });

  it("takes a rule of type a as everything, whatever numbers and access it has", () => {
    const all: DeviceRule = { allow: true, type: "a", major: 1, minor: 3, access: "r" };
    expect(devicePolicy([all], [])).toEqual({ defaultAllow: true, exceptions: [] });
  });

  it("forgets what came before a rule of type a", () => {
    expect(exceptions([rule("+c 9:9 rwm"), DENY_ALL])).toEqual(DEFAULTS);
    expect(exceptions([ALLOW_ALL, rule("-c 9:9 rwm"), ALLOW_ALL])).toEqual([]);
  });

  it("joins rules for the same numbers and keeps others apart", () => {
    expect(own("+c 9:9 r", "+c 9:9 w", "+c 9:* m")).toEqual(["c 9:9 rw", "c 9:* m"]);
  });

  it("takes -1 as every number, as engines write it", () => {
    expect(exceptions([{ allow: true, type: "c", major: 9, minor: -1, access: "r" }])[0]).toBe("c 9:* r");
  });

  it("takes away the access that a later denial names", () => {
    expect(own("+c 9:9 rwm", "-c 9:9 wm")).toEqual(["c 9:9 r"]);
    expect(own("+c 9:9 rw", "-c 9:9 rw")).toEqual([]);
    expect(own("+c 9:9 rw", "-b 9:9 rw")).toEqual(["c 9:9 rw"]);
  });

  it("takes away narrower exceptions with a denial that covers them", () => {
    expect(own("+c 9:9 rw", "+c 9:8 rw", "-c 9:* w")).toEqual(["c 9:9 r", "c 9:8 r"]);
    expect(own("+c 9:9 rw", "+c 8:* rw", "-c *:* rwm")).toEqual([]);
  });

  it("refuses a denial that would leave part of an exception, and names both", () => {
    expect(problem([DENY_ALL, rule("+c 9:* rw"), rule("-c 9:9 w")])).toBe(
      "/linux/resources/devices/2: cannot punch a hole into c 9:* rw: cgroups know no exception from an exception",
    );
    expect(problem([rule("+c 9:* rw"), rule("-c *:9 w")])).toContain("punch a hole into c 9:* rw");
    expect(problem([rule("+c 9:* r"), rule("-c 9:9 w")])).toBe("none");
  });

  it("keeps denials as exceptions when everything else is allowed", () => {
    const policy = devicePolicy([ALLOW_ALL, rule("-c 1:11 rwm"), rule("-b *:* w")], []);
    expect(policy.defaultAllow).toBe(true);
    expect(policy.exceptions.map(printException)).toEqual(["c 1:11 rwm", "b *:* w"]);
  });

  it("gives back a denied device only by its very numbers: the default devices are allowed last", () => {
    expect(exceptions([ALLOW_ALL, rule("-c 1:3 rwm")])).toEqual([]);
    expect(exceptions([ALLOW_ALL, rule("-c *:* m"), rule("-c 9:9 rw"), rule("+c 9:9 w")])).toEqual(["c 9:9 r"]);
    expect(exceptions([ALLOW_ALL, rule("-c 1:11 rwm"), rule("+c 1:* rwm")])).toEqual(["c 1:11 rwm"]);
  });

  it("refuses to allow part of what a wider denial covers, as runc does", () => {
    expect(problem([ALLOW_ALL, rule("-c 9:* rw"), rule("+c 9:9 r")])).toContain("/linux/resources/devices/2: cannot");
    expect(problem([ALLOW_ALL, rule("-c *:* rwm")])).toContain("/linux/resources/devices: cannot punch");
  });

  it("refuses numbers that no device can have, and access that is not r, w or m", () => {
    expect(problem([{ allow: true, type: "c", major: 2 ** 32, access: "r" }])).toContain("/devices/0/major: must be");
    expect(problem([{ allow: true, type: "c", minor: -2, access: "r" }])).toContain("/devices/0/minor: must be");
    expect(problem([{ allow: true, type: "c", access: "rx" }])).toContain("/devices/0/access: must be made of");
    expect(problem([{ allow: true, type: "c", access: "" }])).toContain("/devices/0/access: must not be empty");
  });
});
