// Profiles and labels that the kernel does not have; what is done with those that it has: goldens/labels.md.

import { expect, test } from "vitest";
import { hostFacts, opsOf, planOf } from "./golden-support.ts";

const without = { facts: { ...hostFacts("v2"), apparmor: false, selinux: false } };

test.each([
  [
    { process: { apparmorProfile: "x" } },
    "apparmor: config provided but apparmor not supported",
    "/process/apparmorProfile",
  ],
  [
    { process: { selinuxLabel: "x" } },
    "selinux label is specified in config, but selinux is disabled or not supported",
    "/process/selinuxLabel",
  ],
])("%j is refused where the kernel has no such module", (patch, message, pointer) => {
  expect(() => planOf(patch, without)).toThrow(
    expect.objectContaining({ message, facts: expect.objectContaining({ pointer }) }),
  );
});

test("a label for mounts is left out with a warning where SELinux is not there", () => {
  const mounts = [{ destination: "/tmp", type: "tmpfs", source: "tmpfs" }];
  const { runtime } = planOf({ mounts, linux: { mountLabel: "x" } }, without);
  expect(runtime.filter(({ step }) => step === "ignore field")).toEqual([
    {
      step: "ignore field",
      reason: "SELinux is disabled or not supported",
      origin: { pointer: "/linux/mountLabel" },
    },
  ]);
  expect(opsOf({ mounts, linux: { mountLabel: "x" } }, without).filter((op) => op.includes("context="))).toEqual([]);
});

test("a label for mounts does not matter where nothing is labelled", () => {
  const mounts = [
    { destination: "/proc", type: "proc", source: "proc" },
    { destination: "/dev", source: "/dev", options: ["rbind"] },
    { destination: "/dev/mqueue", type: "mqueue", source: "mqueue" },
  ];
  const ops = opsOf({ mounts, linux: { mountLabel: "x", maskedPaths: null } }, without);
  expect(ops.filter((op) => op.startsWith("label"))).toEqual([]);
});

test("the label of a bind mount is the source's", () => {
  const mounts = [{ destination: "/a", source: "/b", options: ["rbind"] }];
  const ops = opsOf({ mounts, linux: { mountLabel: "LABEL", maskedPaths: null } });
  expect(ops.filter((op) => op.includes("LABEL"))).toEqual([]);
});
