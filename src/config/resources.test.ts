import { describe, expect, it } from "vitest";
import { configTemplate } from "../bundle/template.ts";
import { loadConfig } from "./load.ts";
import type { Resources } from "./types.ts";

/** The text of a valid config.json with these resources, as JSON: 64-bit numbers keep their digits. */
function textWith(resources: string): string {
  const config = JSON.parse(configTemplate({ cgroup2: true }));
  config.linux.resources = "RESOURCES";
  return JSON.stringify(config).replace('"RESOURCES"', resources);
}

function decode(resources: string): Resources {
  const { config, issues } = loadConfig(textWith(resources));
  expect(issues).toEqual([]);
  return (config as NonNullable<typeof config>).linux.resources;
}

/** `kind pointer: message`, pointers below the resources. */
function issues(resources: string): string[] {
  return loadConfig(textWith(resources)).issues.map(
    ({ kind, pointer, message }) => `${kind} ${pointer.replace("/linux/resources", "")}: ${message}`,
  );
}

describe("linux.resources", () => {
  it("keeps all of it, with every digit", () => {
    const disk = '"major": 8, "minor": 0';
    expect(
      decode(`{
        "memory": {"limit": 9223372036854775807, "reservation": -1, "swap": 9223372036854775807, "swappiness": 0,
                   "disableOOMKiller": true, "checkBeforeUpdate": true, "useHierarchy": true},
        "cpu": {"shares": 18446744073709551615, "quota": -1, "burst": 0, "period": 1, "realtimeRuntime": 2,
                "realtimePeriod": 3, "cpus": "0-1", "mems": "0", "idle": 1},
        "pids": {"limit": 0},
        "blockIO": {"weight": 10, "leafWeight": 1000, "weightDevice": [{${disk}, "weight": 11, "leafWeight": 12}],
                    "throttleReadBpsDevice": [{${disk}, "rate": 18446744073709551615}],
                    "throttleWriteBpsDevice": [{${disk}, "rate": 2}], "throttleReadIOPSDevice": [{${disk}, "rate": 3}],
                    "throttleWriteIOPSDevice": [{${disk}, "rate": 4}]},
        "hugepageLimits": [{"pageSize": "2MB", "limit": 18446744073709551615}],
        "network": {"classID": 4294967295, "priorities": [{"name": "eth0", "priority": 0}]},
        "rdma": {"mlx5_1": {"hcaHandles": 0}, "__proto__": {"hcaObjects": 4294967295}},
        "unified": {"memory.high": "max", "__proto__.x": "1"}
      }`),
    ).toEqual({
      devices: [],
      memory: {
        limit: 2n ** 63n - 1n,
        reservation: -1n,
        swap: 2n ** 63n - 1n,
        swappiness: 0n,
        disableOOMKiller: true,
        checkBeforeUpdate: true,
      },
      cpu: {
        shares: 2n ** 64n - 1n,
        quota: -1n,
        burst: 0n,
        period: 1n,
        realtimeRuntime: 2n,
        realtimePeriod: 3n,
        cpus: "0-1",
        mems: "0",
        idle: 1n,
      },
      pids: { limit: 0n },
      blockIO: {
        weight: 10,
        leafWeight: 1000,
        weightDevice: [{ major: 8, minor: 0, weight: 11, leafWeight: 12 }],
        throttleReadBpsDevice: [{ major: 8, minor: 0, rate: 2n ** 64n - 1n }],
        throttleWriteBpsDevice: [{ major: 8, minor: 0, rate: 2n }],
        throttleReadIOPSDevice: [{ major: 8, minor: 0, rate: 3n }],
        throttleWriteIOPSDevice: [{ major: 8, minor: 0, rate: 4n }],
      },
      hugepageLimits: [{ pageSize: "2MB", limit: 2n ** 64n - 1n }],
      network: { classID: 4294967295, priorities: [{ name: "eth0", priority: 0 }] },
      rdma: new Map([
        ["__proto__", { hcaObjects: 4294967295 }],
        ["mlx5_1", { hcaHandles: 0 }],
      ]),
      unified: new Map([
        ["__proto__.x", "1"],
        ["memory.high", "max"],
      ]),
    });
  });

  it.each([
    "{}",
    "null",
    '{"memory": {}, "cpu": {}, "pids": {}, "blockIO": {}, "network": {}, "hugepageLimits": [], "rdma": {}}',
    '{"memory": null, "unified": null, "hugepageLimits": null}',
    '{"memory": {"limit": 0, "reservation": 0, "swap": 0, "kernel": 0, "disableOOMKiller": false}}',
    '{"memory": {"swappiness": 18446744073709551615}}',
    '{"cpu": {"shares": 0, "quota": 0, "period": 0, "realtimeRuntime": 0, "realtimePeriod": 0, "cpus": "", "mems": ""}}',
    '{"pids": {"limit": null}}',
    '{"blockIO": {"weight": 0, "leafWeight": 0, "weightDevice": []}}',
    '{"network": {"classID": 0, "priorities": []}}',
  ])("asks for nothing: %s", (resources) => {
    expect(decode(resources)).toEqual({ devices: [] });
  });

  it.each([
    ['{"memory": {"kernel": 1}}', "/memory/kernel: is ignored: kernel memory has no limit of its own"],
    ['{"memory": {"kernelTCP": 1}}', "/memory/kernelTCP: is ignored: kernel memory has no limit of its own"],
    [
      '{"memory": {"useHierarchy": false}}',
      "/memory/useHierarchy: is ignored: the memory of child cgroups always counts",
    ],
  ])("warns: %s", (resources, warning) => {
    expect(issues(resources)).toEqual([`warning ${warning}`]);
    expect(loadConfig(textWith(resources)).config?.linux.resources).toEqual({ devices: [] });
  });

  const INT64 = "an integer from -9223372036854775808 to 9223372036854775807";
  const UINT64 = "an integer from 0 to 18446744073709551615";
  const LIMIT = "an integer from -1 to 9223372036854775807";
  const UINT32 = "an integer from 0 to 4294967295";
  it.each<[resources: string, ...problems: string[]]>([
    ["1", ": must be an object, got 1"],
    ['{"memory": []}', "/memory: must be an object, got an array"],
    ['{"memory": {"limit": "1g"}}', `/memory/limit: must be ${LIMIT}, got "1g"`],
    ['{"memory": {"limit": -2}}', `/memory/limit: must be ${LIMIT}, got -2`],
    ['{"memory": {"limit": 1.5}}', `/memory/limit: must be ${LIMIT}, got 1.5`],
    ['{"memory": {"limit": 9223372036854775808}}', `/memory/limit: must be ${LIMIT}, got 9223372036854775808`],
    [
      '{"memory": {"reservation": -2, "swap": true}}',
      `/memory/reservation: must be ${LIMIT}, got -2`,
      `/memory/swap: must be ${LIMIT}, got true`,
    ],
    [
      '{"memory": {"limit": 2, "swap": 1}}',
      "/memory/swap: counts memory and swap together: must be at least the limit 2, got 1",
    ],
    ['{"memory": {"swappiness": 101}}', "/memory/swappiness: must be from 0 to 100, got 101"],
    ['{"memory": {"swappiness": -1}}', `/memory/swappiness: must be ${UINT64}, got -1`],
    ['{"memory": {"disableOOMKiller": 1}}', "/memory/disableOOMKiller: must be true or false, got 1"],
    ['{"memory": {"useHierarchy": 1}}', "/memory/useHierarchy: must be true or false, got 1"],
    ['{"memory": {"kernel": "x"}}', `/memory/kernel: must be ${LIMIT}, got "x"`],
    ['{"cpu": {"shares": -1}}', `/cpu/shares: must be ${UINT64}, got -1`],
    ['{"cpu": {"quota": "x"}}', `/cpu/quota: must be ${INT64}, got "x"`],
    ['{"cpu": {"quota": 5, "burst": 6}}', "/cpu/burst: must be no larger than the quota 5, got 6"],
    ['{"cpu": {"idle": 2}}', "/cpu/idle: must be 0 or 1, got 2"],
    ['{"cpu": {"cpus": 1}}', "/cpu/cpus: must be a string, got 1"],
    ['{"pids": {"limit": "max"}}', `/pids/limit: must be ${INT64}, got "max"`],
    ['{"blockIO": {"weight": 9}}', "/blockIO/weight: must be from 10 to 1000, got 9"],
    ['{"blockIO": {"leafWeight": 65536}}', "/blockIO/leafWeight: must be an integer from 0 to 65535, got 65536"],
    [
      '{"blockIO": {"weightDevice": [{"major": 8, "weight": 1001}, null, {"major": 1, "minor": 1}]}}',
      "/blockIO/weightDevice/0/minor: is required",
      "/blockIO/weightDevice/0/weight: must be from 10 to 1000, got 1001",
      "/blockIO/weightDevice/1: must be an object, got null",
      "/blockIO/weightDevice/2: must have weight or leafWeight",
    ],
    [
      '{"blockIO": {"throttleReadBpsDevice": [{"major": 4096, "minor": -1}]}}',
      "/blockIO/throttleReadBpsDevice/0/rate: is required",
      "/blockIO/throttleReadBpsDevice/0/major: must be an integer from 0 to 4095, got 4096",
      "/blockIO/throttleReadBpsDevice/0/minor: must be an integer from 0 to 1048575, got -1",
    ],
    [
      '{"blockIO": {"throttleWriteIOPSDevice": {}}}',
      "/blockIO/throttleWriteIOPSDevice: must be an array, got an object",
    ],
    ['{"hugepageLimits": [{}]}', "/hugepageLimits/0/pageSize: is required", "/hugepageLimits/0/limit: is required"],
    ...["2M", "2mB", "02MB", "MB", "-2MB", "../2MB", "2MB/../x", "2TB"].map((size): [string, string] => [
      `{"hugepageLimits": [{"pageSize": "${size}", "limit": 1}]}`,
      `/hugepageLimits/0/pageSize: must be a page size such as "64KB", "2MB" or "1GB", got "${size}"`,
    ]),
    ['{"hugepageLimits": [{"pageSize": "2MB", "limit": -1}]}', `/hugepageLimits/0/limit: must be ${UINT64}, got -1`],
    ['{"network": {"classID": -1}}', `/network/classID: must be ${UINT32}, got -1`],
    [
      '{"network": {"priorities": [{"name": "a b"}, {"name": "", "priority": 1}, {"name": "sixteen-letters-", "priority": -1}]}}',
      "/network/priorities/0/priority: is required",
      '/network/priorities/0/name: must be the name of a network interface, got "a b"',
      "/network/priorities/1/name: is required",
      '/network/priorities/2/name: must be the name of a network interface, got "sixteen-letters-"',
      `/network/priorities/2/priority: must be ${UINT32}, got -1`,
    ],
    [
      '{"rdma": {"a": {}, "b c": {"hcaHandles": -1}, "d": null, "e": 1}}',
      "/rdma/a: must have hcaHandles or hcaObjects",
      "/rdma/b c: must be a device name without white space",
      `/rdma/b c/hcaHandles: must be ${UINT32}, got -1`,
      "/rdma/d: must have hcaHandles or hcaObjects",
      "/rdma/e: must be an object, got 1",
    ],
    ...["memory", "a/b.c", "..", ".x", "../cgroup.procs"].map((key): [string, string] => [
      JSON.stringify({ unified: { [key]: "1" } }),
      `/unified/${key.replace("/", "~1")}: must be the name of a cgroup file, CONTROLLER.PARAMETER`,
    ]),
    ['{"unified": {"": "1"}}', "/unified/: must not be the empty key"],
    [
      '{"unified": {"memory.max": "", "memory.low": 5}}',
      '/unified/memory.max: must be a value to write, got ""',
      "/unified/memory.low: must be a string, got 5",
    ],
    ['{"unified": {"memory.max": "1\\u0000"}}', '/unified/memory.max: must be free of NUL characters, got "1\\u0000"'],
  ])("refuses %s", (resources, ...problems) => {
    expect(issues(resources)).toEqual(problems.map((problem) => `invalid ${problem}`));
  });
});
