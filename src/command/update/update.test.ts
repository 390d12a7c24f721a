import { describe, expect, it } from "vitest";
import { Options, type OptionValue } from "../../cli/reading.ts";
import { COMMANDS, type Flag } from "../../cli/table.ts";
import type { Resources } from "../../config/types.ts";
import type { CgroupLeaf } from "../../container/cgroup-leaves.ts";
import { onWarning } from "../../errors/warning.ts";
import type { Target } from "./apply.ts";
import { complete } from "./complete.ts";
import { readFlags } from "./flags.ts";

const FLAGS: readonly Flag[] = COMMANDS.find(({ name }) => name === "update")?.flags ?? [];

function read(given: Record<string, OptionValue>): ReturnType<typeof readFlags> {
  return readFlags(new Options(FLAGS, new Map(Object.entries(given))));
}

describe("flags of update", () => {
  it("become resources, and what is not given is not there", () => {
    expect(read({}).resources).toEqual({ devices: [] });
    expect(
      read({
        memory: "512m",
        "memory-swap": "-1",
        "memory-reservation": "1g",
        "cpu-share": "2",
        "cpu-idle": "0",
        "cpuset-cpus": "0-3",
        "blkio-weight": 10,
        "pids-limit": 0,
      }).resources,
    ).toEqual({
      devices: [],
      memory: { limit: 512n << 20n, swap: -1n, reservation: 1n << 30n },
      cpu: { shares: 2n, idle: 0n, cpus: "0-3" },
      blockIO: expect.objectContaining({ weight: 10 }),
      pids: { limit: 0n },
    });
  });

  it("that are empty or 0 ask for nothing, but for a limit of processes", () => {
    expect(read({ memory: "", "cpu-quota": "0", "memory-swap": "0", "blkio-weight": 0 }).resources).toEqual({
      devices: [],
    });
  });

  it("name themselves where a field is meant, or a section of them", () => {
    const { nameOf } = read({ "cpu-share": "5", memory: "1g" });
    expect([nameOf("/cpu/shares"), nameOf("/cpu"), nameOf("/memory/limit"), nameOf("/pids/limit")]).toEqual([
      "--cpu-share",
      "--cpu-share",
      "--memory",
      "/pids/limit",
    ]);
  });

  it.each([
    [{ memory: "-2" }, "invalid value for memory"],
    [{ memory: "9999p" }, "invalid value for memory"],
    [{ "cpu-share": "-1" }, "invalid value for cpu-share"],
    [{ "cpu-burst": "0x10" }, "invalid value for cpu-burst"],
    [{ "cpu-idle": "2" }, "invalid value for cpu-idle"],
    [{ "blkio-weight": 5 }, "invalid value for blkio-weight"],
    [{ "cpu-quota": "100000000000000000000" }, "invalid value for cpu-quota"],
    [{ "kernel-memory-tcp": "x" }, "invalid value for kernel-memory-tcp"],
  ])("%j: %s", (given, message) => {
    expect(() => read(given)).toThrow(message);
  });

  it("of kernel memory are one warning", () => {
    const warnings: unknown[] = [];
    onWarning((what) => warnings.push(what));
    expect(read({ "kernel-memory": "1m", "kernel-memory-tcp": "-1" }).resources).toEqual({ devices: [] });
    onWarning(() => {});
    expect(warnings).toEqual(["Kernel memory settings are ignored and will be removed"]);
  });
});

/** A container in a cgroup with these files, on v2 or in one v1 hierarchy. */
function target(files: Record<string, string>, v1?: string): Target {
  const leaf = { read: (file: string) => files[file] } as unknown as CgroupLeaf;
  const paths =
    v1 === undefined
      ? { v1: [], unified: { mountpoint: "/m", path: "/m/c" } }
      : { v1: [{ name: v1, mountpoint: "/m", path: "/m/c" }] };
  return { paths, facts: { mode: v1 === undefined ? "v2" : "v1", hierarchies: [] }, leaves: new Map([["/m/c", leaf]]) };
}

function completed(resources: Omit<Resources, "devices">, to: Target, systemd = false): unknown {
  const request = { resources: { devices: [], ...resources }, nameOf: (pointer: string) => pointer };
  const result = complete(request, to, systemd);
  return [result.resources.cpu ?? result.resources.memory, result.nameOf("/cpu/quota"), result.nameOf("/memory/limit")];
}

describe("what update fills in", () => {
  const v2 = target({ "cpu.max": "50000 100000\n", "memory.max": "4096\n" });
  const unlimited = target({ "cpu.max": "max 100000\n", "memory.max": "max\n" });
  const v1 = target({ "cpu.cfs_quota_us": "-1\n", "cpu.cfs_period_us": "100000\n" }, "cpu,cpuacct");

  it("is the other half of cpu.max, under the name of the one that was given", () => {
    expect(completed({ cpu: { period: 20n } }, v2)).toEqual([
      { period: 20n, quota: 50000n },
      "/cpu/period",
      "/memory/limit",
    ]);
    expect(completed({ cpu: { quota: 20n } }, v2)).toEqual([
      { period: 100000n, quota: 20n },
      "/cpu/quota",
      "/memory/limit",
    ]);
    expect(completed({ cpu: { period: 20n } }, unlimited)).toEqual([{ period: 20n }, "/cpu/quota", "/memory/limit"]);
    expect(completed({ cpu: { shares: 20n } }, v2)).toEqual([{ shares: 20n }, "/cpu/quota", "/memory/limit"]);
  });

  it("is nothing on v1, unless systemd wants both", () => {
    expect(completed({ cpu: { quota: 20n } }, v1)).toEqual([{ quota: 20n }, "/cpu/quota", "/memory/limit"]);
    expect(completed({ cpu: { quota: 20n } }, v1, true)).toEqual([
      { quota: 20n, period: 100000n },
      "/cpu/quota",
      "/memory/limit",
    ]);
    expect(completed({ cpu: { period: 20n } }, v1, true)).toEqual([{ period: 20n }, "/cpu/quota", "/memory/limit"]);
  });

  it("is the limit that swap is counted from", () => {
    expect(completed({ memory: { swap: 8192n } }, v2)).toEqual([
      { swap: 8192n, limit: 4096n },
      "/cpu/quota",
      "/memory/swap",
    ]);
    expect(completed({ memory: { swap: -1n } }, v2)).toEqual([{ swap: -1n }, "/cpu/quota", "/memory/limit"]);
    expect(completed({ memory: { swap: 8192n } }, unlimited)).toEqual([{ swap: 8192n }, "/cpu/quota", "/memory/limit"]);
  });
});
