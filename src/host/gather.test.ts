import { describe, expect, it } from "vitest";
import type { Config } from "../config/types.ts";
import { mountsOf } from "./cgroup-mounts.ts";
import { gatherFacts, kernelVersion } from "./gather.ts";
import { gatherCgroups, parseOwn } from "./gather-cgroups.ts";
import type { Native } from "./native.gen.ts";

const ENOENT = 2;
const CGROUP = 0x27e0eb;
const CGROUP2 = 0x63677270;

interface Host {
  own: string;
  /** Mount point: [magic, inode]. */
  mounts: Record<string, [number, number]>;
  limits?: Record<number, number[]>;
}

/** A host whose calls are counted by name. */
function hostOf({ own, mounts, limits = {} }: Host): { native: Native; calls: string[] } {
  const calls: string[] = [];
  const answers: Partial<Native> = {
    statfs_type: (_dir, path) => mounts[path]?.[0] ?? -ENOENT,
    stat: (_dir, path) => (path in mounts ? [0, 0, 0, 0, 0, 0, 0, 0, mounts[path]?.[1] ?? 0, 0] : -ENOENT),
    read_file: (_dir, path) => (path === "/proc/self/cgroup" ? own : -ENOENT),
    kernel_release: () => "6.1.0-18-amd64",
    ids: () => [1000, 0, 1000, 5],
    rlimit: (resource) => limits[resource] ?? -ENOENT,
  };
  const counted = Object.entries(answers).map(([name, call]) => [
    name,
    (...args: never[]) => {
      calls.push(name);
      return (call as (...args: never[]) => unknown)(...args);
    },
  ]);
  return { native: Object.fromEntries(counted) as Native, calls };
}

const config = (resources: number[]): Config =>
  ({ process: { rlimits: resources.map((resource) => ({ resource })) }, linux: {} }) as unknown as Config;

describe("gatherFacts", () => {
  const v2: Host = { own: "0::/user.slice/x.scope\n", mounts: { "/sys/fs/cgroup": [CGROUP2, 1] } };

  it("knows the kernel, the effective ids and the limits that config.json sets", () => {
    const { native } = hostOf({ ...v2, limits: { 7: [1024, 0, 0xffffffff, 0xffffffff] } });
    expect(gatherFacts(native, config([7]))).toEqual({
      kernel: [6, 1],
      euid: 0,
      egid: 5,
      cgroup: { mode: "v2", hierarchies: [], unified: { mountpoint: "/sys/fs/cgroup", own: "/user.slice/x.scope" } },
      kcore: false,
      rlimits: new Map([[7, { soft: 1024n, hard: 0xffffffffffffffffn }]]),
    });
  });

  it("makes five calls on v2 when config.json sets no limits", () => {
    const { native, calls } = hostOf(v2);
    gatherFacts(native, config([]));
    expect(calls).toEqual(["kernel_release", "ids", "statfs_type", "read_file", "stat"]);
  });
});

describe("kernelVersion", () => {
  it.each([
    ["5.15.0", [5, 15]],
    ["6.1.0-18-amd64", [6, 1]],
    ["7.2-rc1", [7, 2]],
    ["10.0", [10, 0]],
  ])("reads %s", (release, version) => expect(kernelVersion(release)).toEqual(version));

  it.each(["5.14.21", "4.19.0", "3.10"])("refuses %s and says what is needed", (release) => {
    expect(() => kernelVersion(release)).toThrow(`Linux ${release} is too old: Berth needs 5.15 or newer`);
  });

  it.each(["", "linux", ".5"])("refuses %j", (release) => expect(() => kernelVersion(release)).toThrow(/no version/));
});

describe("gatherCgroups", () => {
  const own = "3:cpu,cpuacct:/\n2:memory:/user\n1:name=systemd:/\n0::/init\n";
  const mounts: Host["mounts"] = {
    "/sys/fs/cgroup/cpu,cpuacct": [CGROUP, 1],
    "/sys/fs/cgroup/memory": [CGROUP, 1],
    "/sys/fs/cgroup/systemd": [CGROUP, 77],
  };
  const hierarchies = [
    { name: "cpu,cpuacct", own: "/", mountpoint: "/sys/fs/cgroup/cpu,cpuacct" },
    { name: "memory", own: "/user", mountpoint: "/sys/fs/cgroup/memory" },
    { name: "name=systemd", own: "/", mountpoint: "/sys/fs/cgroup/systemd" },
  ];

  it("finds v1 hierarchies where they are by convention", () => {
    expect(gatherCgroups(hostOf({ own, mounts }).native)).toEqual({ mode: "v1", hierarchies });
  });

  it("tells a hybrid host by the cgroup2 mount beside them", () => {
    const hybrid: Host = { own, mounts: { ...mounts, "/sys/fs/cgroup/unified": [CGROUP2, 1] } };
    expect(gatherCgroups(hostOf(hybrid).native)).toEqual({
      mode: "hybrid",
      hierarchies,
      unified: { mountpoint: "/sys/fs/cgroup/unified", own: "/init" },
    });
  });

  it("takes a v2 host's own cgroup as the top when its kernel has v1 only", () => {
    const host: Host = { own: "", mounts: { "/sys/fs/cgroup": [CGROUP2, 1] } };
    expect(gatherCgroups(hostOf(host).native).unified).toEqual({ mountpoint: "/sys/fs/cgroup", own: "/" });
  });
});

describe("parseOwn", () => {
  it("takes colons in a path as part of it", () => {
    expect(parseOwn("4:pids:/a:b\n0::/c::d\n")).toEqual({ v1: [{ name: "pids", own: "/a:b" }], unified: "/c::d" });
  });

  it("has no unified path without a 0:: line", () => {
    expect(parseOwn("4:pids:/\n")).toEqual({ v1: [{ name: "pids", own: "/" }] });
  });
});

describe("mountsOf", () => {
  const line = (root: string, mountpoint: string, options: string): string =>
    `31 23 0:28 ${root} ${mountpoint} rw,relatime shared:9 - cgroup cgroup ${options}`;

  it("finds each hierarchy by its first controller, wherever it is mounted", () => {
    const text = [
      "22 1 8:1 / / rw - ext4 /dev/sda1 rw",
      line("/", "/cg/cpu\\040set", "rw,cpuset"),
      line("/", "/cg/second", "rw,cpuset"),
      line("/", "/cg/systemd", "rw,xattr,name=systemd"),
    ].join("\n");
    const wanted = [
      { name: "cpuset", own: "/x" },
      { name: "name=systemd", own: "/" },
      { name: "pids", own: "/" },
    ];
    expect(mountsOf(text, wanted)).toEqual([
      { name: "cpuset", own: "/x", mountpoint: "/cg/cpu set" },
      { name: "name=systemd", own: "/", mountpoint: "/cg/systemd" },
    ]);
  });

  it("counts the own path from what is mounted: inside another container that is its cgroup", () => {
    const text = line("/docker/id", "/sys/fs/cgroup/pids", "rw,pids");
    const own = (path: string): string | undefined => mountsOf(text, [{ name: "pids", own: path }])[0]?.own;
    expect(own("/docker/id")).toBe("/");
    expect(own("/docker/id/sub")).toBe("/sub");
    expect(own("/docker/id2")).toBe("/");
  });

  it("sees only the last of several mounts at one place", () => {
    const text = [line("/", "/p", "rw,pids"), line("/docker/id", "/p", "rw,pids")].join("\n");
    expect(mountsOf(text, [{ name: "pids", own: "/docker/id/x" }])).toEqual([
      { name: "pids", mountpoint: "/p", own: "/x" },
    ]);
  });

  it("keeps those that are known and the order", () => {
    const wanted = [
      { name: "pids", own: "/" },
      { name: "cpu", own: "/", mountpoint: "/known" },
    ];
    expect(mountsOf(line("/", "/p", "pids"), wanted).map(({ mountpoint }) => mountpoint)).toEqual(["/p", "/known"]);
  });
});
