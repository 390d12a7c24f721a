import { describe, expect, it } from "vitest";
import type { CgroupFacts } from "../host/facts.ts";
import { cgroupPaths } from "./path.ts";

const hierarchies = [
  { name: "cpu,cpuacct", mountpoint: "/sys/fs/cgroup/cpu,cpuacct", own: "/" },
  { name: "memory", mountpoint: "/sys/fs/cgroup/memory", own: "/user/1" },
  { name: "name=systemd", mountpoint: "/sys/fs/cgroup/systemd", own: "/init.scope" },
];
const unified = { mountpoint: "/sys/fs/cgroup/unified", own: "/init.scope" };
const V1: CgroupFacts = { mode: "v1", hierarchies };
const HYBRID: CgroupFacts = { mode: "hybrid", hierarchies, unified };
const v2 = (own: string): CgroupFacts => ({
  mode: "v2",
  hierarchies: [],
  unified: { mountpoint: "/sys/fs/cgroup", own },
});

const all = (cgroupsPath: string | undefined, facts: CgroupFacts): string[] => {
  const paths = cgroupPaths(cgroupsPath, "id", facts);
  return [...paths.v1.map(({ path }) => path), ...(paths.unified === undefined ? [] : [paths.unified.path])];
};

describe("cgroupPaths", () => {
  it("puts an absolute path below each mount point", () => {
    expect(all("/docker/x", HYBRID)).toEqual([
      "/sys/fs/cgroup/cpu,cpuacct/docker/x",
      "/sys/fs/cgroup/memory/docker/x",
      "/sys/fs/cgroup/systemd/docker/x",
      "/sys/fs/cgroup/unified/docker/x",
    ]);
    expect(all("/docker/x", v2("/user.slice/a.scope"))).toEqual(["/sys/fs/cgroup/docker/x"]);
  });

  it("puts a relative path below the own cgroup on v1", () => {
    expect(all("a/b", V1)).toEqual([
      "/sys/fs/cgroup/cpu,cpuacct/a/b",
      "/sys/fs/cgroup/memory/user/1/a/b",
      "/sys/fs/cgroup/systemd/init.scope/a/b",
    ]);
  });

  it("puts a relative path below the unified mount point on a hybrid host, as runc does", () => {
    expect(cgroupPaths("a", "id", HYBRID).unified?.path).toBe("/sys/fs/cgroup/unified/a");
  });

  it("puts a relative path beside the own cgroup on v2", () => {
    expect(all("a/b", v2("/user.slice/x.scope"))).toEqual(["/sys/fs/cgroup/user.slice/a/b"]);
    expect(all("a", v2("/x.scope"))).toEqual(["/sys/fs/cgroup/a"]);
    expect(all("a", v2("/"))).toEqual(["/sys/fs/cgroup/a"]);
  });

  it("takes the id, relative, when there is no cgroupsPath", () => {
    expect(all(undefined, v2("/user.slice/x.scope"))).toEqual(["/sys/fs/cgroup/user.slice/id"]);
    expect(all("", V1)[1]).toBe("/sys/fs/cgroup/memory/user/1/id");
  });

  it("stays below the mount point when the own cgroup is outside the namespace", () => {
    expect(all("a", v2("/../other/x"))).toEqual(["/sys/fs/cgroup/a"]);
    const outside = { mode: "v1", hierarchies: [{ name: "pids", mountpoint: "/p", own: "/.." }] } as const;
    expect(all("a", outside)).toEqual(["/p/a"]);
  });

  it("leaves hierarchies alone that runc does not join", () => {
    const facts = { mode: "v1", hierarchies: [{ name: "name=elogind", mountpoint: "/e", own: "/" }] } as const;
    expect(all("a", facts)).toEqual([]);
  });

  it("leaves hierarchies out that are closed", () => {
    const [cpu, ...others] = hierarchies;
    const closed = {
      ...HYBRID,
      hierarchies: [{ ...cpu, closed: true }, ...others],
      unified: { ...unified, closed: true },
    };
    expect(all("/a", closed as CgroupFacts)).toEqual(["/sys/fs/cgroup/memory/a", "/sys/fs/cgroup/systemd/a"]);
  });

  it.each(["..", "a/../b", "/..", "/", "a//b", "a/", "./a", "a\nb"])("refuses %j", (cgroupsPath) => {
    expect(() => cgroupPaths(cgroupsPath, "id", V1)).toThrow(/components and without newline/);
  });
});
