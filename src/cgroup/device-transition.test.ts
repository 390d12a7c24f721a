import { describe, expect, it } from "vitest";
import { DeviceCgroup } from "./devcgroup-support.ts";
import { ANY, type DeviceException, type DevicePolicy } from "./device-policy.ts";
import { allRequests, exceptionsAllow, policyOf, RandomRules } from "./device-rules-support.ts";
import { type DeviceWrite, deviceTransition, parseDeviceList, showsPolicy } from "./device-transition.ts";
import { v1Lines } from "./devices.ts";

const NONE: DevicePolicy = { defaultAllow: false, exceptions: [] };
const ALL: DevicePolicy = { defaultAllow: true, exceptions: [] };

/** "deny everything but": `c 1:3 rw, b *:* m`. */
function only(text: string): DevicePolicy {
  const policy = parseDeviceList(text === "" ? "" : `${text.split(", ").join("\n")}\n`);
  if (policy === undefined) throw new RangeError(text);
  return policy;
}

/** `+` for devices.allow. */
const lines = (writes: readonly DeviceWrite[]): string =>
  writes.map(({ file, data }) => (file === "devices.allow" ? "+" : "-") + data).join(", ");
const between = (from: string, to: string): string => lines(deviceTransition(only(from), only(to)).writes);

/** A cgroup that has the policy. */
function holding(policy: DevicePolicy): DeviceCgroup {
  const cgroup = new DeviceCgroup();
  for (const { file, data } of deviceTransition(ALL, policy).writes) expect(cgroup.write(file, data)).toBe(true);
  return cgroup;
}

describe("the v1 lines of random rules", () => {
  it("make the kernel decide as runc's reading of the rules does", () => {
    const random = new RandomRules(9);
    for (let round = 0; round < 1500; round++) {
      const { rules } = random.kept();
      const { defaultAllow, exceptions } = v1Lines(rules, []);
      const cgroup = new DeviceCgroup();
      expect(cgroup.write(defaultAllow ? "devices.allow" : "devices.deny", "a")).toBe(true);
      for (const line of exceptions) {
        expect(cgroup.write(defaultAllow ? "devices.deny" : "devices.allow", line)).toBe(true);
      }
      for (let i = 0; i < 25; i++) {
        const request = random.request();
        const wanted = exceptionsAllow(rules, request);
        if (cgroup.allows(request) !== wanted) expect.fail(JSON.stringify({ rules, request, wanted }));
      }
    }
  });
});

describe("deviceTransition", () => {
  it("writes nothing where nothing changes, and no more than what differs", () => {
    expect(between("c 1:3 rwm, b *:* m", "b *:* m, c 1:3 rwm")).toBe("");
    expect(between("c 1:3 rw, c 1:5 r", "c 1:3 rwm, c 1:5 r, c 1:7 r")).toBe("+c 1:3 m, +c 1:7 r");
    expect(between("c 1:3 rwm, c 1:5 r", "c 1:3 r")).toBe("-c 1:3 wm, -c 1:5 r");
  });

  it("widens before it takes away", () => {
    expect(between("c *:* r", "c 1:3 r")).toBe("+c 1:3 r, -c *:* r");
  });

  it("takes from one exception before it gives it something else", () => {
    expect(between("c 1:3 r", "c 1:3 w")).toBe("-c 1:3 r, +c 1:3 w");
  });

  it("takes from it only when another one has taken over", () => {
    expect(between("c 1:3 r", "c 1:3 w, c 1:* r")).toBe("+c 1:* r, -c 1:3 r, +c 1:3 w");
    expect(between("c 1:3 r, c 1:* m", "c 1:3 w, c 1:* r")).toBe("-c 1:* m, +c 1:* r, -c 1:3 r, +c 1:3 w");
  });

  it("is a single write to allow everything, else a gap with the default changed", () => {
    expect(deviceTransition(only("c 1:3 r"), ALL)).toEqual({ writes: [{ file: "devices.allow", data: "a" }] });
    expect(deviceTransition(ALL, NONE)).toEqual({ writes: [{ file: "devices.deny", data: "a" }] });
    const opened = deviceTransition(NONE, { defaultAllow: true, exceptions: only("c 1:11 w").exceptions });
    expect(lines(opened.writes)).toBe("+a, -c 1:11 w");
    expect(opened.gap).toBe("open");
    const closed = deviceTransition(ALL, only("c 1:3 rw"));
    expect(lines(closed.writes)).toBe("-a, +c 1:3 rw");
    expect(closed.gap).toBe("closed");
  });

  it("forgets denials that cannot be read back", () => {
    const policy = { defaultAllow: true, exceptions: only("c 1:11 w").exceptions };
    expect(lines(deviceTransition(ALL, policy).writes)).toBe("+a, -c 1:11 w");
  });

  it("opens nothing on the way that old and new rules refuse, and keeps what both allow", () => {
    const random = new RandomRules(2016, [1, 2, 3]);
    const requests = allRequests([1, 2, 3, 4]);
    let interrupted = 0;
    let steps = 0;
    for (let round = 0; round < 1500; round++) {
      const [before, after] = [randomExceptions(random), randomExceptions(random)];
      const cgroup = holding(before);
      const [old, wanted] = [holding(before), holding(after)];
      const { writes, gap } = deviceTransition(before, after);
      expect(gap).toBeUndefined();
      expect(writes.length).toBeLessThanOrEqual(2 * (before.exceptions.length + after.exceptions.length));
      let refused = false;
      for (const { file, data } of writes) {
        expect(cgroup.write(file, data)).toBe(true);
        steps++;
        for (const request of requests) {
          const [now, was, willBe] = [cgroup, old, wanted].map((one) => one.allows(request));
          if (now && !was && !willBe) expect.fail(JSON.stringify({ before, after, writes, data, request }));
          if (!now && was && willBe) refused = true;
        }
      }
      if (refused) {
        interrupted++;
        // No order of writes could do better: each one that begins with taking something away interrupts it.
        expect(swaps(before, after)).toBeGreaterThan(1);
      }
      expect(cgroup.list().split("\n").sort()).toEqual(wanted.list().split("\n").sort());
    }
    expect(steps).toBeGreaterThan(5000);
    expect(interrupted).toBeLessThan(15);
  });
});

/** Exceptions that lose some access and gain other. */
function swaps(before: DevicePolicy, after: DevicePolicy): number {
  return after.exceptions.filter((one) => {
    const old = before.exceptions.find(
      (other) => other.type === one.type && other.major === one.major && other.minor === one.minor,
    );
    return old !== undefined && (old.access & ~one.access) !== 0 && (one.access & ~old.access) !== 0;
  }).length;
}

function randomExceptions(random: RandomRules): DevicePolicy {
  const exceptions: DeviceException[] = [];
  for (let left = random.below(6); left > 0; left--) {
    const one: DeviceException = {
      type: random.below(4) === 0 ? "b" : "c",
      major: random.pick([ANY, 1, 2, 3]),
      minor: random.pick([ANY, 1, 2, 3]),
      access: 1 + random.below(7),
    };
    if (exceptions.some(({ type, major, minor }) => type === one.type && major === one.major && minor === one.minor))
      continue;
    exceptions.push(one);
  }
  return { defaultAllow: false, exceptions };
}

describe("parseDeviceList", () => {
  it("reads what the kernel prints", () => {
    expect(parseDeviceList("c 1:3 rwm\nb *:7 m\n")).toEqual({
      defaultAllow: false,
      exceptions: [
        { type: "c", major: 1, minor: 3, access: 7 },
        { type: "b", major: ANY, minor: 7, access: 1 },
      ],
    });
    expect(parseDeviceList("a *:* rwm\n")).toEqual(ALL);
    expect(parseDeviceList("")).toEqual(NONE);
  });

  it.each(["x 1:3 rwm\n", "c 1 rwm\n", "c 1:3\n", "c 1:3 \n", "c 1:3 rx\n", "c 01:3 r\n", "c 1:3 r x\n", "a 1:3 r\n"])(
    "refuses %j",
    (text) => expect(parseDeviceList(text)).toBeUndefined(),
  );
});

describe("showsPolicy", () => {
  it("compares exceptions in any order, and defaults alone where exceptions cannot be seen", () => {
    expect(showsPolicy(only("c 1:3 r, b 7:* m"), only("b 7:* m, c 1:3 r"))).toBe(true);
    expect(showsPolicy(only("c 1:3 r"), only("c 1:3 rw"))).toBe(false);
    expect(showsPolicy(only("c 1:3 r"), NONE)).toBe(false);
    expect(showsPolicy(ALL, NONE)).toBe(false);
    expect(showsPolicy(ALL, { defaultAllow: true, exceptions: only("c 1:3 r").exceptions })).toBe(true);
  });

  it("holds after every transition between random rules", () => {
    const random = new RandomRules(5);
    for (let round = 0; round < 300; round++) {
      const [before, after] = [random.kept().policy, random.kept().policy];
      const cgroup = holding(before);
      const shown = parseDeviceList(cgroup.list()) as DevicePolicy;
      for (const { file, data } of deviceTransition(shown, after).writes) expect(cgroup.write(file, data)).toBe(true);
      expect(showsPolicy(parseDeviceList(cgroup.list()) as DevicePolicy, after)).toBe(true);
      const wanted = holding(after);
      for (let i = 0; i < 25; i++) {
        const request = random.request();
        expect(cgroup.allows(request)).toBe(wanted.allows(request));
      }
    }
  });
});

it("policyOf knows what cannot be kept", () => {
  expect(
    policyOf([
      { allow: true, type: "c", access: "r" },
      { allow: false, type: "c", major: 1, access: "r" },
    ]),
  ).toBeUndefined();
});
