import { describe, expect, test } from "vitest";
import { hostFacts, linesOf } from "./golden-support.ts";

const MOUNT = { destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["rw"] };
const NAMESPACES = ["pid", "mount", "cgroup"].map((type) => ({ type }));
const USER = {
  namespaces: [...NAMESPACES, { type: "user" }],
  uidMappings: [
    { containerID: 0, hostID: 100000, size: 1000 },
    { containerID: 1000, hostID: 7, size: 10 },
  ],
  gidMappings: [{ containerID: 0, hostID: 100000, size: 65536 }],
};
const proc = { destination: "/proc", type: "proc", source: "proc" };

function given(patch: object, mount: object = MOUNT, mode: "v1" | "v2" = "v2", euid = 0): string[] {
  const facts = { ...hostFacts(mode), euid };
  return linesOf({ hostname: null, mounts: [proc, mount], ...patch }, { facts })
    .filter((line) => line.startsWith("berth") && line.includes(" give "))
    .map((line) => line.replace(/^berth +/, "").replace(/ {2,}.*/, ""));
}
const as = (uid: number, linux: object = { namespaces: NAMESPACES }): object => ({
  process: { user: { uid, gid: 0 } },
  linux,
});

describe("a cgroup that is mounted writable", () => {
  test("is the user's, as the host knows him", () => {
    expect(given(as(5))).toEqual(["give /sys/fs/cgroup/box to user 5"]);
    expect(given(as(0, USER))).toEqual(["give /sys/fs/cgroup/box to user 100000"]);
    expect(given(as(1003, USER))).toEqual(["give /sys/fs/cgroup/box to user 10"]);
  });

  test("is root's, where it was", () => {
    expect(given(as(0))).toEqual([]);
  });

  test("stays root's without a new cgroup namespace, in a user namespace that is joined, on v1", () => {
    expect(given(as(5, { namespaces: NAMESPACES.filter(({ type }) => type !== "cgroup") }))).toEqual([]);
    expect(given(as(5, { namespaces: [...NAMESPACES, { type: "user", path: "/proc/1/ns/user" }] }))).toEqual([]);
    expect(given(as(5), MOUNT, "v1")).toEqual([]);
  });

  test("is left alone when it is mounted read-only, or elsewhere", () => {
    expect(given(as(5), { ...MOUNT, options: ["nosuid", "ro"] })).toEqual([]);
    expect(given(as(5), { ...MOUNT, destination: "/cgroup" })).toEqual([]);
    expect(given(as(5), proc)).toEqual([]);
  });
});
