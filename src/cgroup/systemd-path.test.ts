import { describe, expect, test } from "vitest";
import { RuntimeError } from "../errors/runtime-error.ts";
import type { CgroupFacts } from "../host/facts.ts";
import { expandSlice, unitCgroups, unitPlace } from "./systemd-path.ts";

const V2: CgroupFacts = { mode: "v2", hierarchies: [], unified: { mountpoint: "/sys/fs/cgroup", own: "/x" } };
const HYBRID: CgroupFacts = {
  mode: "hybrid",
  hierarchies: [
    { name: "memory", mountpoint: "/sys/fs/cgroup/memory", own: "/m" },
    { name: "name=systemd", mountpoint: "/sys/fs/cgroup/systemd", own: "/s" },
    { name: "name=other", mountpoint: "/sys/fs/cgroup/other", own: "/" },
  ],
  unified: { mountpoint: "/sys/fs/cgroup/unified", own: "/u" },
};

describe("cgroupsPath", () => {
  test.each([
    [undefined, "berth-ID.scope", "system.slice", "ID"],
    ["", "berth-ID.scope", "system.slice", "ID"],
    [":docker:abc", "docker-abc.scope", "system.slice", "abc"],
    ["machine.slice:libpod:abc", "libpod-abc.scope", "machine.slice", "abc"],
    ["a-b.slice::x", "-x.scope", "a-b.slice", "x"],
    ["-.slice:p:n", "p-n.scope", "-.slice", "n"],
  ])("%s is the unit %s in %s", (path, unit, slice, name) => {
    expect(unitPlace(path, "ID", false)).toEqual({ unit, slice, name });
  });

  test("a user's units are in user.slice", () => {
    expect(unitPlace(undefined, "ID", true).slice).toBe("user.slice");
  });

  test.each([
    "/a/b",
    "a",
    "a:b",
    "a:b:c:d",
    "system.slice:p:x.slice",
    ":a/b:c",
    ":a:b\n",
    ":a: b",
    `:a:${"x".repeat(255)}`,
  ])("%j is refused with its pointer", (path) => {
    try {
      unitPlace(path, "ID", false);
    } catch (error) {
      expect(error).toBeInstanceOf(RuntimeError);
      expect((error as RuntimeError).facts.pointer).toBe("/linux/cgroupsPath");
      return;
    }
    throw new Error("it was taken");
  });
});

describe("a slice", () => {
  test.each([
    ["system.slice", "/system.slice"],
    ["test-a-b.slice", "/test.slice/test-a.slice/test-a-b.slice"],
    ["-.slice", ""],
  ])("%s is the folder %j", (slice, path) => {
    expect(expandSlice(slice)).toBe(path);
  });

  test.each(["", ".slice", "a", "-", "a/b.slice", "-a.slice", "a-.slice", "a--b.slice", "../x.slice", "a b.slice"])(
    "%j is none",
    (slice) => {
      expect(() => expandSlice(slice)).toThrow(RuntimeError);
    },
  );
});

describe("the cgroups of a unit", () => {
  const place = unitPlace("a-b.slice:p:n", "ID", false);

  test("v2: below the slices", () => {
    expect(unitCgroups(place, "", V2).unified?.path).toBe("/sys/fs/cgroup/a.slice/a-b.slice/p-n.scope");
    expect(unitCgroups(place, "/", V2).unified?.path).toBe("/sys/fs/cgroup/a.slice/a-b.slice/p-n.scope");
  });

  test("a user's manager has them below its own cgroup", () => {
    const own = "/user.slice/user-1000.slice/user@1000.service";
    expect(unitCgroups(place, own, V2).unified?.path).toBe(`/sys/fs/cgroup${own}/a.slice/a-b.slice/p-n.scope`);
  });

  test("hybrid: the same folder in every hierarchy, whatever berth's own is, but not in those of others", () => {
    const { v1, unified } = unitCgroups(place, "", HYBRID);
    expect(v1.map(({ path }) => path)).toEqual([
      "/sys/fs/cgroup/memory/a.slice/a-b.slice/p-n.scope",
      "/sys/fs/cgroup/systemd/a.slice/a-b.slice/p-n.scope",
    ]);
    expect(unified?.path).toBe("/sys/fs/cgroup/unified/a.slice/a-b.slice/p-n.scope");
  });

  test.each(["user.slice", "/a/../b", "/a//b", "/a\n"])("a manager's own cgroup is not at %j", (controlGroup) => {
    expect(() => unitCgroups(place, controlGroup, V2)).toThrow(RuntimeError);
  });
});
