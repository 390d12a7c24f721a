import { expect, test } from "vitest";
import { configWith } from "../plan/golden-support.ts";
import { seccompWarnings } from "./validate-seccomp.ts";

const refused = (defaultAction: string, names: string[], action: string, more: object = {}) =>
  seccompWarnings(configWith({ linux: { seccomp: { defaultAction, syscalls: [{ names, action }] } }, ...more })).map(
    ({ message }) => message.split(" ")[1],
  );
const hooks = { hooks: { startContainer: [{ path: "/bin/true" }] } };
const privileges = { process: { noNewPrivileges: false } };

test("a profile that refuses what init needs once it is loaded is warned of", () => {
  expect(refused("SCMP_ACT_ERRNO", ["read"], "SCMP_ACT_ALLOW")).toEqual(["write", "execve"]);
  expect(refused("SCMP_ACT_ERRNO", ["read"], "SCMP_ACT_ALLOW", privileges)).toEqual(["write", "execve", "capset"]);
  expect(refused("SCMP_ACT_ALLOW", ["write"], "SCMP_ACT_KILL")).toEqual(["write"]);
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
  expect(seccompWarnings(configWith({ linux: { seccomp } }))).toEqual([]);
});

test("no profile, no warning", () => expect(seccompWarnings(configWith({}))).toEqual([]));
