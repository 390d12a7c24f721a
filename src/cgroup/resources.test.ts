import { describe, expect, it } from "vitest";
import { Context } from "../config/context.ts";
import { decodeResources } from "../config/resources.ts";
import { RuntimeError } from "../errors/runtime-error.ts";
import type { CgroupFacts } from "../host/facts.ts";
import type { RuntimeStep } from "../plan/plan.ts";
import type { CgroupPaths } from "./path.ts";
import { resourceSteps } from "./resources.ts";

type Mode = CgroupFacts["mode"];
const CONTROLLERS = ["cpuset", "cpu,cpuacct", "memory", "pids", "blkio", "net_cls,net_prio", "rdma"];

/** All controllers are on v1, but for hugetlb on hybrid, which is on the unified hierarchy. */
function pathsOf(mode: Mode): CgroupPaths {
  const unified = { mountpoint: "/u", path: "/u/box" };
  if (mode === "v2") return { v1: [], unified };
  const names = mode === "v1" ? [...CONTROLLERS, "hugetlb"] : CONTROLLERS;
  const v1 = names.map((name) => ({ name, mountpoint: `/${name}`, path: `/${name}/box` }));
  return mode === "v1" ? { v1 } : { v1, unified };
}

function stepsOf(resources: unknown, mode: Mode, paths = pathsOf(mode)): RuntimeStep[] {
  const c = new Context(false);
  const decoded = decodeResources(c, resources);
  expect(c.issues.filter(({ kind }) => kind !== "warning")).toEqual([]);
  return resourceSteps(decoded, paths, { mode, hierarchies: [] }, "/r");
}

/** `file=data`, with what else there is about the write. */
function line(step: RuntimeStep): string {
  if (step.step === "enable controllers") return `+${step.controllers.join(" +")}${step.others ? " and others" : ""}`;
  if (step.step !== "write cgroup file") return step.step;
  const words = [`${step.file}=${step.data}`];
  if (step.otherwise) words.push(`or ${step.otherwise.file}=${step.otherwise.data}`);
  if (step.optional) words.push("if there");
  if (step.retry) words.push("again");
  if (step.patient) words.push("patient");
  if (step.above) words.push(`above ${step.above.file} ${step.above.value}`);
  return words.join(", ");
}

const writes = (resources: unknown, mode: Mode): string[] =>
  stepsOf(resources, mode)
    .filter(({ step }) => step === "write cgroup file")
    .map(line);

function failure(resources: unknown, mode: Mode, paths?: CgroupPaths): string {
  try {
    stepsOf(resources, mode, paths);
  } catch (error) {
    if (error instanceof RuntimeError) return `${error.facts.pointer}: ${error.facts.message}`;
    throw error;
  }
  throw new Error("no error");
}

type Row = [resources: object, v1: string[], v2: string[]];

const MEMORY: Row[] = [
  [{ limit: 5000 }, ["memory.limit_in_bytes=5000"], ["memory.max=5000"]],
  [{ limit: 0, swap: 0, reservation: 0 }, [], []],
  [
    { limit: -1 },
    ["memory.limit_in_bytes=-1, again", "memory.memsw.limit_in_bytes=-1, if there"],
    ["memory.swap.max=max, if there", "memory.max=max"],
  ],
  [
    { limit: 5000, swap: 7000 },
    ["memory.limit_in_bytes=5000, again", "memory.memsw.limit_in_bytes=7000"],
    ["memory.swap.max=2000", "memory.max=5000"],
  ],
  [
    { limit: 5000, swap: 5000 },
    ["memory.limit_in_bytes=5000, again", "memory.memsw.limit_in_bytes=5000"],
    ["memory.swap.max=0, if there", "memory.max=5000"],
  ],
  [
    { limit: 5000, swap: -1 },
    ["memory.limit_in_bytes=5000, again", "memory.memsw.limit_in_bytes=-1"],
    ["memory.swap.max=max, if there", "memory.max=5000"],
  ],
  [
    { limit: -1, swap: 7000 },
    ["memory.limit_in_bytes=-1, again", "memory.memsw.limit_in_bytes=7000"],
    ["memory.swap.max=7000", "memory.max=max"],
  ],
  [
    { limit: -1, swap: -1 },
    ["memory.limit_in_bytes=-1, again", "memory.memsw.limit_in_bytes=-1"],
    ["memory.swap.max=max, if there", "memory.max=max"],
  ],
  [{ swap: -1 }, ["memory.memsw.limit_in_bytes=-1"], ["memory.swap.max=max, if there"]],
  [{ reservation: 4096 }, ["memory.soft_limit_in_bytes=4096"], ["memory.low=4096"]],
  [{ reservation: -1 }, ["memory.soft_limit_in_bytes=-1"], ["memory.low=max"]],
  [
    { limit: 5000, checkBeforeUpdate: true },
    ["memory.limit_in_bytes=5000"],
    ["memory.max=5000, above memory.current 5000"],
  ],
  [
    { limit: 5000, swap: 6000, checkBeforeUpdate: true },
    ["memory.limit_in_bytes=5000, again", "memory.memsw.limit_in_bytes=6000"],
    ["memory.swap.max=1000, above memory.current 5000", "memory.max=5000"],
  ],
  [{ disableOOMKiller: false, useHierarchy: true, kernel: 1, kernelTCP: -1 }, [], []],
];

const CPU: Row[] = [
  [{ shares: 1024 }, ["cpu.shares=1024"], ["cpu.weight=100"]],
  [{ shares: 2 }, ["cpu.shares=2"], ["cpu.weight=1"]],
  [{ shares: 262144 }, ["cpu.shares=262144"], ["cpu.weight=10000"]],
  [{ shares: 0, quota: 0, period: 0, cpus: "", mems: "" }, [], []],
  [{ quota: 50000 }, ["cpu.cfs_quota_us=50000"], ["cpu.max=50000 100000"]],
  [{ quota: -1 }, ["cpu.cfs_quota_us=-1"], ["cpu.max=max 100000"]],
  [{ period: 20000 }, ["cpu.cfs_period_us=20000"], ["cpu.max=max 20000"]],
  [
    { quota: 50000, period: 20000, burst: 1000 },
    ["cpu.cfs_period_us=20000, again", "cpu.cfs_burst_us=1000, again", "cpu.cfs_quota_us=50000"],
    ["cpu.max.burst=1000, again", "cpu.max=50000 20000"],
  ],
  [{ burst: 0 }, ["cpu.cfs_burst_us=0"], ["cpu.max.burst=0"]],
  [{ idle: 1, shares: 1024 }, ["cpu.idle=1"], ["cpu.idle=1"]],
  [{ idle: 0, shares: 512 }, ["cpu.idle=0", "cpu.shares=512"], ["cpu.idle=0", "cpu.weight=59"]],
  [{ cpus: "0-1", mems: "0" }, ["cpuset.cpus=0-1", "cpuset.mems=0"], ["cpuset.cpus=0-1", "cpuset.mems=0"]],
];

const DISK = { major: 8, minor: 0 };
const OTHER = { major: 8, minor: 16 };
const BLOCK_IO: Row[] = [
  [{ weight: 10 }, ["blkio.weight=10, or blkio.bfq.weight=10"], ["io.bfq.weight=10, or io.weight=1"]],
  [{ weight: 500 }, ["blkio.weight=500, or blkio.bfq.weight=500"], ["io.bfq.weight=500, or io.weight=4950"]],
  [{ weight: 1000 }, ["blkio.weight=1000, or blkio.bfq.weight=1000"], ["io.bfq.weight=1000, or io.weight=10000"]],
  [
    {
      weightDevice: [
        { ...DISK, weight: 100 },
        { ...OTHER, weight: 0 },
      ],
    },
    ["blkio.weight_device=8:0 100, or blkio.bfq.weight_device=8:0 100"],
    ["io.bfq.weight=8:0 100, or io.weight=8:0 910"],
  ],
  [
    {
      throttleReadBpsDevice: [
        { ...DISK, rate: 1 },
        { ...OTHER, rate: 0 },
      ],
      throttleWriteBpsDevice: [{ ...DISK, rate: 2 }],
      throttleReadIOPSDevice: [{ ...DISK, rate: 3 }],
      throttleWriteIOPSDevice: [
        { ...OTHER, rate: 4 },
        { ...OTHER, rate: 5 },
      ],
    },
    [
      "blkio.throttle.read_bps_device=8:0 1",
      "blkio.throttle.read_bps_device=8:16 0",
      "blkio.throttle.write_bps_device=8:0 2",
      "blkio.throttle.read_iops_device=8:0 3",
      "blkio.throttle.write_iops_device=8:16 4",
      "blkio.throttle.write_iops_device=8:16 5",
    ],
    ["io.max=8:0 rbps=1 wbps=2 riops=3", "io.max=8:16 rbps=max wiops=5"],
  ],
];

const REST: Row[] = [
  [{ pids: { limit: 100 } }, ["pids.max=100"], ["pids.max=100"]],
  [{ pids: { limit: -1 } }, ["pids.max=max"], ["pids.max=max"]],
  [{ pids: { limit: 0 } }, ["pids.max=1"], ["pids.max=1"]],
  [{ pids: {} }, [], []],
  [
    {
      hugepageLimits: [
        { pageSize: "2MB", limit: 0 },
        { pageSize: "1GB", limit: "U" },
      ],
    },
    [
      "hugetlb.2MB.limit_in_bytes=0",
      "hugetlb.2MB.rsvd.limit_in_bytes=0, if there",
      "hugetlb.1GB.limit_in_bytes=18446744073709551615",
      "hugetlb.1GB.rsvd.limit_in_bytes=18446744073709551615, if there",
    ],
    [
      "hugetlb.2MB.max=0",
      "hugetlb.2MB.rsvd.max=0, if there",
      "hugetlb.1GB.max=18446744073709551615",
      "hugetlb.1GB.rsvd.max=18446744073709551615, if there",
    ],
  ],
  [
    { rdma: { mlx5_1: { hcaHandles: 3, hcaObjects: 10000 }, mlx4_0: { hcaObjects: 0 } } },
    ["rdma.max=mlx4_0 hca_object=0", "rdma.max=mlx5_1 hca_handle=3 hca_object=10000"],
    ["rdma.max=mlx4_0 hca_object=0", "rdma.max=mlx5_1 hca_handle=3 hca_object=10000"],
  ],
  [{ network: { classID: 0, priorities: [] } }, [], []],
];

/** 2^64 - 1 has no literal in JSON.stringify. */
const exact = (resources: object): object =>
  JSON.parse(JSON.stringify(resources), (_, value) => (value === "U" ? 0xffffffffffffffffn : value));

const TABLE: Row[] = [
  ...MEMORY.map(([memory, ...rest]): Row => [{ memory }, ...rest]),
  ...CPU.map(([cpu, ...rest]): Row => [{ cpu }, ...rest]),
  ...BLOCK_IO.map(([blockIO, ...rest]): Row => [{ blockIO }, ...rest]),
  ...REST,
];

describe("resourceSteps", () => {
  it.each(TABLE)("%j", (resources, v1, v2) => {
    expect(writes(exact(resources), "v1")).toEqual(v1);
    expect(writes(exact(resources), "v2")).toEqual(v2);
    if (!("hugepageLimits" in resources)) expect(writes(exact(resources), "hybrid")).toEqual(v1);
  });

  it.each<[object, string[]]>([
    [{ memory: { swappiness: 0 } }, ["memory.swappiness=0"]],
    [{ memory: { swappiness: "U" } }, []],
    [{ memory: { disableOOMKiller: true } }, ["memory.oom_control=1"]],
    [
      { cpu: { realtimePeriod: 9000, realtimeRuntime: 500 } },
      ["cpu.rt_period_us=9000, again", "cpu.rt_runtime_us=500, patient"],
    ],
    [{ cpu: { realtimePeriod: 9000 } }, ["cpu.rt_period_us=9000"]],
    [{ cpu: { realtimeRuntime: -1 } }, ["cpu.rt_runtime_us=-1, patient"]],
    [{ blockIO: { leafWeight: 300 } }, ["blkio.leaf_weight=300"]],
    [
      {
        blockIO: {
          weightDevice: [
            { ...DISK, weight: 100, leafWeight: 200 },
            { ...OTHER, leafWeight: 300 },
          ],
        },
      },
      [
        "blkio.weight_device=8:0 100, or blkio.bfq.weight_device=8:0 100",
        "blkio.leaf_weight_device=8:0 200",
        "blkio.leaf_weight_device=8:16 300",
      ],
    ],
    [
      {
        network: {
          classID: 1048577,
          priorities: [
            { name: "eth0", priority: 0 },
            { name: "eth1", priority: 5 },
          ],
        },
      },
      ["net_cls.classid=1048577", "net_prio.ifpriomap=eth0 0", "net_prio.ifpriomap=eth1 5"],
    ],
  ])("v1 alone: %j", (resources, expected) => {
    expect(writes(exact(resources), "v1")).toEqual(expected);
  });

  it.each<[object, string[]]>([
    [{ memory: { swappiness: 60 } }, ["/r/memory/swappiness: cgroup v2 has no swappiness"]],
    [{ memory: { disableOOMKiller: true } }, ["/r/memory/disableOOMKiller: cgroup v2 cannot disable the OOM killer"]],
    [
      { cpu: { realtimePeriod: 1, realtimeRuntime: 1 } },
      [
        "/r/cpu/realtimePeriod: cgroup v2 has no real-time bandwidth",
        "/r/cpu/realtimeRuntime: cgroup v2 has no real-time bandwidth",
      ],
    ],
    [
      { blockIO: { leafWeight: 10, weightDevice: [{ ...DISK, leafWeight: 10 }] } },
      [
        "/r/blockIO/leafWeight: cgroup v2 has no leaf weight",
        "/r/blockIO/weightDevice/0/leafWeight: cgroup v2 has no leaf weight",
      ],
    ],
  ])("v2 ignores with a warning what only helps, and needs no controller for it: %j", (resources, expected) => {
    const lines = stepsOf(resources, "v2").map((step) =>
      step.step === "ignore field" ? `${step.origin.pointer}: ${step.reason}` : step.step,
    );
    expect(lines).toEqual(expected);
  });

  it.each<[object, string]>([
    [{ memory: { swap: 5 } }, "/r/memory/swap: counts memory and swap together: cgroup v2 needs the memory limit, too"],
    [{ network: { classID: 1 } }, '/r/network/classID: needs the cgroup controller "net_cls", which cgroup v2 has not'],
    [
      { network: { priorities: [{ name: "eth0", priority: 1 }] } },
      '/r/network/priorities: needs the cgroup controller "net_prio", which cgroup v2 has not',
    ],
  ])("v2 refuses what it cannot keep: %j", (resources, message) => {
    expect(failure(resources, "v2")).toBe(message);
  });

  it.each([1, 262145])("v1 refuses %d shares, which the kernel would change", (shares) => {
    expect(failure({ cpu: { shares } }, "v1")).toBe(
      `/r/cpu/shares: must be from 2 to 262144 with cgroup v1, got ${shares}`,
    );
  });

  it("v1 refuses what no hierarchy is mounted for", () => {
    expect(failure({ pids: { limit: 1 } }, "v1", { v1: [] })).toBe(
      '/r/pids: needs the cgroup controller "pids", which is not mounted',
    );
    expect(failure({ unified: { "pids.max": "1" } }, "v1")).toBe(
      "/r/unified: needs cgroup v2, and no unified hierarchy is mounted",
    );
  });

  it("writes unified values as they are, line by line", () => {
    const unified = { "memory.oom.group": "1", "io.max": "8:0 rbps=1\n8:16 wbps=max\n", "cgroup.max.depth": "3" };
    expect(stepsOf({ unified }, "v2").map(line)).toEqual([
      "+io +memory and others",
      "cgroup.max.depth=3",
      "io.max=8:0 rbps=1",
      "io.max=8:16 wbps=max",
      "memory.oom.group=1",
    ]);
  });

  it("names the field that needs each controller, and the field of each write", () => {
    const steps = stepsOf(
      { memory: { limit: 1 }, pids: { limit: 1 }, unified: { "a~b.c": "1", "pids.max": "2" } },
      "v2",
    );
    expect(steps[0]).toEqual({
      step: "enable controllers",
      path: "/u/box",
      mountpoint: "/u",
      controllers: ["memory", "pids", "a~b"],
      pointers: ["/r/memory/limit", "/r/pids/limit", "/r/unified/a~0b.c"],
      others: true,
      origin: { pointer: "/r" },
    });
    expect(steps.slice(1).map(({ origin }) => origin.pointer)).toEqual([
      "/r/memory/limit",
      "/r/pids/limit",
      "/r/unified/a~0b.c",
      "/r/unified/pids.max",
    ]);
  });

  it("hybrid: a controller that is on no v1 hierarchy is taken from the unified one, alone", () => {
    const hugepageLimits = [{ pageSize: "2MB", limit: 1 }];
    expect(stepsOf({ pids: { limit: 1 }, hugepageLimits }, "hybrid").map(line)).toEqual([
      "+hugetlb",
      "pids.max=1",
      "hugetlb.2MB.max=1",
      "hugetlb.2MB.rsvd.max=1, if there",
    ]);
  });

  it.each<[object, string | undefined]>([
    [{ pids: { limit: 5 } }, "/r/pids/limit"],
    [{ memory: { limit: 4096 } }, "/r/memory/limit"],
    [{ unified: { "memory.high": "max" } }, "/r/unified/memory.high"],
    [{ memory: {}, cpu: {}, blockIO: {}, unified: {} }, undefined],
  ])("rootless, without a cgroup: %j", (resources, pointer) => {
    const closed = { mountpoint: "/u", own: "/", closed: true } as const;
    const v1 = CONTROLLERS.map((name) => ({ name, mountpoint: `/${name}`, own: "/", closed: true as const }));
    for (const facts of [
      { mode: "v2" as const, hierarchies: [], unified: closed },
      { mode: "hybrid" as const, hierarchies: v1, unified: closed },
    ]) {
      const c = new Context(false);
      const steps = () => resourceSteps(decodeResources(c, resources), { v1: [] }, facts, "/r");
      if (pointer === undefined) expect(steps()).toEqual([]);
      else expect(steps).toThrow(expect.objectContaining({ facts: expect.objectContaining({ pointer }) }));
    }
  });

  it("is nothing without limits", () => {
    expect(stepsOf({ devices: [{ allow: false, access: "rwm" }], memory: {}, cpu: {} }, "v2")).toEqual([]);
  });
});
