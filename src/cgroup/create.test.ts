import { describe, expect, it } from "vitest";
import type { CgroupFacts } from "../host/facts.ts";
import type { RuntimeStep } from "../plan/plan.ts";
import { cgroupLeaves, cgroupSteps } from "./create.ts";
import type { CgroupPaths } from "./path.ts";

const V1: CgroupFacts = { mode: "v1", hierarchies: [] };
const cpuset = { name: "cpuset", mountpoint: "/c/cpuset", path: "/c/cpuset/a/b" };
const freezer = { name: "freezer", mountpoint: "/c/freezer", path: "/c/freezer/a/b" };
const unified = { mountpoint: "/c/unified", path: "/c/unified/a/b" };

describe("cgroupSteps", () => {
  it("makes every leaf and refuses one in use", () => {
    const paths: CgroupPaths = { v1: [freezer], unified };
    const line = (step: RuntimeStep): string => `${step.step} ${"path" in step ? step.path : ""}`;
    const { unified: before, v1 } = cgroupSteps(paths, V1, []);
    expect(before.map(line)).toEqual(["mkdir cgroup /c/unified/a/b", "check cgroup empty /c/unified/a/b"]);
    expect(v1.map(line)).toEqual(["mkdir cgroup /c/freezer/a/b", "check cgroup empty /c/freezer/a/b"]);
  });

  it("hands cpus and mems down from the first folder below the mount point", () => {
    const steps = cgroupSteps({ v1: [cpuset] }, V1, []).v1.slice(2);
    expect(steps.map((step) => ("file" in step && "path" in step ? `${step.path} ${step.file}` : step.step))).toEqual([
      "/c/cpuset/a cpuset.cpus",
      "/c/cpuset/a cpuset.mems",
      "/c/cpuset/a/b cpuset.cpus",
      "/c/cpuset/a/b cpuset.mems",
    ]);
  });
});

describe("cgroupLeaves", () => {
  it("names the freezer first and the unified cgroup last", () => {
    expect(cgroupLeaves({ v1: [cpuset, freezer], unified })).toEqual([freezer.path, cpuset.path, unified.path]);
  });
});
