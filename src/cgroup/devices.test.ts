import { describe, expect, it } from "vitest";
import type { CgroupFacts } from "../host/facts.ts";
import { devicePolicy } from "./device-policy.ts";
import { deviceProgram } from "./device-program.ts";
import { deviceSteps } from "./devices.ts";
import type { CgroupPaths } from "./path.ts";

const V1: CgroupFacts = { mode: "v1", hierarchies: [] };
const V2: CgroupFacts = { mode: "v2", hierarchies: [], unified: { mountpoint: "/sys/fs/cgroup", own: "/" } };
const devices = { name: "devices", mountpoint: "/sys/fs/cgroup/devices", path: "/sys/fs/cgroup/devices/id" };
const unified = { mountpoint: "/sys/fs/cgroup", path: "/sys/fs/cgroup/id" };

const writes = (paths: CgroupPaths, ...rest: [Parameters<typeof deviceSteps>[0]]): string[] =>
  deviceSteps(rest[0], paths, V1).map((step) =>
    step.step === "write cgroup file" ? `${step.path}/${step.file} ${step.data}` : step.step,
  );

describe("deviceSteps", () => {
  it("writes the default first and then each exception on v1", () => {
    const lines = writes({ v1: [devices] }, [{ allow: true, type: "b", major: 8, access: "r" }]);
    expect(lines.slice(0, 3)).toEqual([
      "/sys/fs/cgroup/devices/id/devices.deny a",
      "/sys/fs/cgroup/devices/id/devices.allow b 8:* r",
      "/sys/fs/cgroup/devices/id/devices.allow c *:* m",
    ]);
    expect(lines).toHaveLength(13);
  });

  it("allows everything and denies the exceptions on v1 when the default is to allow", () => {
    const lines = writes({ v1: [devices] }, [
      { allow: true, type: "a", access: "rwm" },
      { allow: false, type: "c", major: 1, minor: 11, access: "rw" },
    ]);
    expect(lines).toEqual([
      "/sys/fs/cgroup/devices/id/devices.allow a",
      "/sys/fs/cgroup/devices/id/devices.deny c 1:11 rw",
    ]);
  });

  it("uses the v1 controller of a merged hierarchy, and of a hybrid host", () => {
    const merged = { name: "cpu,devices", mountpoint: "/m", path: "/m/id" };
    expect(writes({ v1: [merged], unified }, [])[0]).toBe("/m/id/devices.deny a");
  });

  it("attaches the program to the unified cgroup when there is no v1 controller", () => {
    const rules = [{ allow: true, type: "c", major: 9, access: "r" }] as const;
    const program = deviceProgram(devicePolicy(rules, [{ path: "/dev/null" }]));
    expect(deviceSteps(rules, { v1: [], unified }, V2, [{ path: "/dev/null" }])).toEqual([
      { step: "attach device program", path: unified.path, program, origin: { pointer: "/linux/resources/devices" } },
    ]);
  });

  it("takes linux.devices into account also when the rules are the default ones", () => {
    const [step] = deviceSteps([], { v1: [], unified }, V2, [{ path: "/dev/null" }]);
    const program = deviceProgram(devicePolicy([], [{ path: "/dev/null" }]));
    expect(step).toMatchObject({ program });
  });

  it("is nothing where a rootless runtime can have no cgroup", () => {
    const closed: CgroupFacts = { ...V2, unified: { mountpoint: "/sys/fs/cgroup", own: "/", closed: true } };
    expect(deviceSteps([], { v1: [] }, closed)).toEqual([]);
    const hierarchy = { name: "devices", mountpoint: "/sys/fs/cgroup/devices", own: "/", closed: true } as const;
    expect(deviceSteps([], { v1: [] }, { mode: "v1", hierarchies: [hierarchy] })).toEqual([]);
  });

  it("refuses a host without any devices cgroup", () => {
    expect(() => deviceSteps([], { v1: [] }, V1)).toThrow(/no devices cgroup is mounted/);
  });
});
