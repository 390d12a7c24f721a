import { expect, test } from "vitest";
import { configWith } from "../plan/golden-support.ts";
import { seccompIssues } from "./validate-seccomp.ts";

const refused = (defaultAction: string, names: string[], action: string, more: object = {}) =>
  seccompIssues(configWith({ linux: { seccomp: { defaultAction, syscalls: [{ names, action }] } }, ...more })).map(
    ({ message }) => message.split(" ")[1],
  );
const hooks = { hooks: { startContainer: [{ path: "/bin/true" }] } };
const privileges = { process: { noNewPrivileges: false } };

test("a profile that refuses what init needs once it is loaded is warned of", () => {
  expect(refused("SCMP_ACT_ERRNO", ["read"], "SCMP_ACT_ALLOW")).toEqual(["write", "execve"]);
  expect(refused("SCMP_ACT_ERRNO", ["read"], "SCMP_ACT_ALLOW", privileges)).toEqual(["write", "execve", "capset"]);
  expect(refused("SCMP_ACT_ALLOW", ["write"], "SCMP_ACT_KILL")).toEqual(["write"]);
  expect(refused("SCMP_ACT_ALLOW", ["execve"], "SCMP_ACT_TRACE")).toEqual(["execve"]);
  expect(refused("SCMP_ACT_ALLOW", ["clone", "capset"], "SCMP_ACT_TRAP", hooks)).toEqual(["clone"]);
});

test("one that lets it pass, logs it or asks an agent is not", () => {
  expect(refused("SCMP_ACT_ERRNO", ["write", "execve"], "SCMP_ACT_ALLOW")).toEqual([]);
  expect(refused("SCMP_ACT_LOG", ["mkdir"], "SCMP_ACT_ERRNO", { ...hooks, ...privileges })).toEqual([]);
  const seccomp = {
    defaultAction: "SCMP_ACT_ALLOW",
    listenerPath: "/agent",
    syscalls: [{ names: ["execve"], action: "SCMP_ACT_NOTIFY" }],
  };
  expect(seccompIssues(configWith({ linux: { seccomp } }))).toEqual([]);
});

test("no profile, no warning", () => expect(seccompIssues(configWith({}))).toEqual([]));

test("a profile that makes no filter is an error, at the place that create would name", () => {
  const args = [{ index: 0, value: 1, op: "SCMP_CMP_EQ" }];
  const contradiction = [
    { names: ["read"], action: "SCMP_ACT_TRAP", args },
    { names: ["read"], action: "SCMP_ACT_KILL", args },
  ];
  const issues = (seccomp: object, more: object = {}) =>
    seccompIssues(configWith({ linux: { seccomp: { defaultAction: "SCMP_ACT_ALLOW", ...seccomp } }, ...more })).map(
      ({ kind, pointer }) => `${kind} ${pointer}`,
    );
  expect(issues({ syscalls: contradiction })).toEqual(["invalid /linux/seccomp/syscalls/1"]);
  expect(issues({ architectures: ["SCMP_ARCH_S390"] })).toEqual(["invalid /linux/seccomp/architectures/0"]);
  const unknown = { syscalls: [{ names: ["no_such"], action: "SCMP_ACT_TRAP" }] };
  expect(issues(unknown)).toEqual([]);
  const annotations = { "run.oci.seccomp_fail_unknown_syscall": "1" };
  expect(issues(unknown, { annotations })).toEqual(["invalid /linux/seccomp/syscalls/0/names/0"]);
});
