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
  [
    { linux: { mountLabel: "x" } },
    "selinux label is specified in config, but selinux is disabled or not supported",
    "/linux/mountLabel",
  ],
])("%j is refused where the kernel has no such module", (patch, message, pointer) => {
  expect(() => planOf(patch, without)).toThrow(
    expect.objectContaining({ message, facts: expect.objectContaining({ pointer }) }),
  );
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
