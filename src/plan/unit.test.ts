import { describe, expect, test } from "vitest";
import type { UnitProperty } from "../systemd/property.ts";
import { configWith, hostFacts, linesOf, opsOf, optionsWith, planOf } from "./golden-support.ts";
import type { CreateOptions, RuntimeStep } from "./plan.ts";
import { planUnit } from "./unit.ts";

const SYSTEM = { user: false, version: 252, controlGroup: "" };
const on = (mode: "v1" | "hybrid" | "v2"): Partial<CreateOptions> => ({ facts: hostFacts(mode), systemd: SYSTEM });

/** Steps up to the release of the `cgroup` barrier, by name and place. */
function entering(mode: "v1" | "hybrid" | "v2", patch: unknown = {}): string[] {
  const lines = linesOf(patch, on(mode)).filter((line) => line.startsWith("berth"));
  const end = lines.findIndex((line) => line.includes("release barrier cgroup"));
  return lines.slice(0, end + 1).map((line) => line.slice(6).replace(/ {3}\S*$/, ""));
}

function propertiesOf(step: RuntimeStep | undefined): Map<string, UnitProperty["value"]> {
  if (step?.step !== "start unit" && step?.step !== "set unit properties") throw new Error(`${step?.step}`);
  return new Map(step.properties.map(({ name, value }) => [name, value]));
}

const unitOf = (patch: unknown, joiner = false) => planUnit(configWith(patch), optionsWith(on("v2")), joiner);
const started = (patch: unknown, joiner = false) =>
  propertiesOf(
    unitOf(patch, joiner)
      .enter([])
      .find(({ step }) => step === "start unit"),
  );

describe("v2", () => {
  test("systemd makes the cgroup while init waits: berth makes none", () => {
    expect(entering("v2").filter((line) => !/^(check|spawn|send|await clone)/.test(line))).toEqual([
      "await barrier cgroup",
      "start unit berth-box.scope, which is at /system.slice/berth-box.scope, with init in it",
      "release barrier cgroup",
    ]);
    const plan = planOf({}, on("v2"));
    expect(plan.unit).toBe("berth-box.scope");
    expect(plan.cgroups).toEqual(["/sys/fs/cgroup/system.slice/berth-box.scope"]);
    expect(plan.runtime.some((step) => step.step === "spawn" && step.cgroup !== undefined)).toBe(false);
  });

  test("the cgroup namespace begins after the barrier, for a joiner's child, too", () => {
    const patch = { linux: { namespaces: ["mount", "pid", "uts", "cgroup"].map((type) => ({ type })) } };
    const ops = opsOf(patch, on("v2"));
    expect(ops.findIndex((op) => op.startsWith("sync cgroup"))).toBeGreaterThan(0);
    const wanted = ops.findIndex((op) => op.includes("unshare") && op.includes("CLONE_NEWCGROUP"));
    expect(wanted).toBeGreaterThan(ops.findIndex((op) => op.startsWith("sync cgroup")));
    const time = { linux: { namespaces: ["mount", "pid", "uts", "cgroup", "time"].map((type) => ({ type })) } };
    const joiner = opsOf(time, on("v2"));
    const clone = joiner.findIndex((op) => op.startsWith("sibling"));
    expect(clone).toBeGreaterThan(joiner.findIndex((op) => op.startsWith("sync cgroup")));
  });

  test("limits and device rules are given with the unit", () => {
    const properties = started({
      linux: { resources: { pids: { limit: 7 }, devices: [{ allow: false, access: "rwm" }] } },
    });
    expect(properties.get("TasksMax")).toBe(7n);
    expect(properties.get("DevicePolicy")).toBe("strict");
    expect(unitOf({}).properties).toEqual([]);
  });

  test("beside a joiner one process is too many: the limit of tasks comes later", () => {
    const patch = { linux: { resources: { pids: { limit: 1 } } } };
    expect(started(patch, true).has("TasksMax")).toBe(false);
    expect(propertiesOf(unitOf(patch, true).properties[0]).get("TasksMax")).toBe(1n);
  });

  test.each([
    ["a file system that may be on a device", { mounts: [{ destination: "/d", type: "ext4", source: "/dev/sda1" }] }],
    [
      "a default device without its rule",
      { linux: { devices: [{ path: "/dev/null", type: "c", major: 1, minor: 3 }] } },
    ],
  ])("%s: device rules come once init has mounted", (_, patch) => {
    expect(started(patch).has("DevicePolicy")).toBe(false);
    expect(propertiesOf(unitOf(patch).properties[0]).get("DevicePolicy")).toBe("strict");
  });

  test("a bind mount needs no device", () => {
    const patch = { mounts: [{ destination: "/d", type: "x", source: "/s", options: ["rbind"] }] };
    expect(started(patch).has("DevicePolicy")).toBe(true);
  });

  test("the file has the quota that systemd makes of it", () => {
    const steps = planOf({ linux: { resources: { cpu: { quota: 12345, period: 100000 } } } }, on("v2")).runtime;
    expect(steps.find((step) => step.step === "write cgroup file" && step.file === "cpu.max")).toMatchObject({
      data: "13000 100000",
    });
  });

  test("the user's units are below the user's manager", () => {
    const own = "/user.slice/user-1000.slice/user@1000.service";
    const plan = planOf({}, { facts: hostFacts("v2"), systemd: { user: true, version: 252, controlGroup: own } });
    expect(plan.cgroups).toEqual([`/sys/fs/cgroup${own}/user.slice/berth-box.scope`]);
  });
});

test("v1 and hybrid: init is moved in every hierarchy but systemd's own, which a new cpuset is filled for", () => {
  for (const mode of ["v1", "hybrid"] as const) {
    const steps = entering(mode, { linux: { resources: { cpu: { cpus: "0" } } } });
    const at = (part: string): number => steps.findIndex((step) => step.includes(part));
    const moves = steps.filter((step) => step.startsWith("move init"));
    expect(moves.some((step) => step.includes("/sys/fs/cgroup/systemd/"))).toBe(false);
    expect(moves).toHaveLength(6);
    expect(at("start unit")).toBeLessThan(at("mkdir cgroup"));
    expect(at('write cgroup file "0"')).toBeLessThan(at("move init into /sys/fs/cgroup/cpuset"));
    expect(at('write cgroup file "0"')).toBeGreaterThan(at("mkdir cgroup /sys/fs/cgroup/cpuset"));
    expect(opsOf({}, on(mode)).some((op) => op.includes("/tasks"))).toBe(false);
  }
});

test("without systemd's own hierarchy there is no unit", () => {
  const facts = hostFacts("v1");
  const hierarchies = facts.cgroup.hierarchies.filter(({ name }) => name !== "name=systemd");
  const without = { ...facts, cgroup: { ...facts.cgroup, hierarchies } };
  expect(() => planOf({}, { facts: without, systemd: SYSTEM })).toThrow(/not mounted/);
});
