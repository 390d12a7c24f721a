import { describe, expect, test } from "vitest";
import type { Config } from "../config/types.ts";
import { gatherLsm, hasWritableSelinuxfs } from "./gather-lsm.ts";
import type { Native } from "./native.gen.ts";

const ENOENT = -2;
const MOUNTS = `25 30 0:23 / /sys rw,nosuid shared:7 - sysfs sysfs rw
26 25 0:6 / /sys/fs/selinux rw,nosuid,noexec,relatime shared:8 - selinuxfs selinuxfs rw
`;

function host(files: Record<string, string>): Native {
  return {
    stat: (_dir: number, path: string) => (path in files ? [0] : ENOENT),
    read_file: (_dir: number, path: string) => files[path] ?? ENOENT,
  } as unknown as Native;
}

const asking = (process: object, linux: object = {}) => ({ process, linux }) as unknown as Config;

describe("AppArmor", () => {
  const profile = asking({ apparmorProfile: "x" });
  const parameter = "/sys/module/apparmor/parameters/enabled";

  test.each([
    [{ [parameter]: "Y\n" }, true],
    [{ [parameter]: "N\n" }, false],
    [{}, false],
  ])("%j", (files, apparmor) => {
    expect(gatherLsm(host(files as Record<string, string>), profile)).toEqual({ apparmor });
  });
});

describe("SELinux", () => {
  const current = "/proc/self/attr/current";
  const mountinfo = "/proc/self/mountinfo";

  test.each([
    [{ [mountinfo]: MOUNTS, [current]: "system_u:system_r:init_t:s0\0" }, true],
    [{ [mountinfo]: MOUNTS, [current]: "kernel\0" }, false],
    [{ [mountinfo]: "25 30 0:23 / /sys rw - sysfs sysfs rw\n", [current]: "unconfined\n" }, false],
    [{}, false],
  ])("%j", (files, selinux) => {
    const native = host(files as Record<string, string>);
    expect(gatherLsm(native, asking({ selinuxLabel: "x" }))).toEqual({ selinux });
    expect(gatherLsm(native, asking({}, { mountLabel: "x" }))).toEqual({ selinux });
  });

  test("is off for who sees its file system read-only", () => {
    expect(hasWritableSelinuxfs(MOUNTS)).toBe(true);
    expect(hasWritableSelinuxfs(MOUNTS.replace("rw,nosuid,noexec,relatime", "ro,nosuid"))).toBe(false);
    expect(hasWritableSelinuxfs(MOUNTS.replace("selinuxfs rw", "selinuxfs ro"))).toBe(false);
  });
});
