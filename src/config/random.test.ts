import { expect, test } from "vitest";
import { configTemplate } from "../bundle/template.ts";
import { pointerTokens } from "../json/pointer.ts";
import { MAX_ISSUES } from "./context.ts";
import { loadConfig } from "./load.ts";

const VALUES: unknown[] = [
  null,
  true,
  -1,
  1.5,
  1e300,
  18446744073709552000,
  "",
  "x",
  "/a/../b",
  "a\0b",
  "\n",
  [],
  {},
  [null],
  [[]],
  [{}],
  { "": {} },
  { "a/b": [1, "x"] },
  JSON.parse('{"__proto__":{"toString":1},"constructor":[]}'),
];

const RICH = {
  hooks: { prestart: [{ path: "/a", args: ["a"], env: ["b=c"], timeout: 1 }], poststop: [{ path: "/b" }] },
  annotations: { a: "b" },
};
const RICH_PROCESS = {
  consoleSize: { height: 1, width: 1 },
  scheduler: { policy: "SCHED_OTHER", nice: 1, flags: ["SCHED_FLAG_RECLAIM"] },
  ioPriority: { class: "IOPRIO_CLASS_BE", priority: 1 },
  execCPUAffinity: { initial: "0" },
  oomScoreAdj: 1,
  apparmorProfile: "x",
  selinuxLabel: "x",
};
const RICH_LINUX = {
  devices: [{ path: "/dev/x", type: "c", major: 1, minor: 1, fileMode: 1, uid: 1, gid: 1 }],
  sysctl: { "net.a": "b" },
  personality: { domain: "LINUX" },
  rootfsPropagation: "shared",
  cgroupsPath: "/x",
  seccomp: {
    defaultAction: "SCMP_ACT_ERRNO",
    defaultErrnoRet: 1,
    architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X32"],
    flags: ["SECCOMP_FILTER_FLAG_LOG"],
    listenerPath: "/a",
    listenerMetadata: "b",
    syscalls: [
      { names: ["read", "write"], action: "SCMP_ACT_ALLOW" },
      { names: ["socket"], action: "SCMP_ACT_NOTIFY", args: [{ index: 0, value: 1, valueTwo: 2, op: "SCMP_CMP_NE" }] },
    ],
  },
  mountLabel: "x",
  resources: {
    devices: [{ allow: true, type: "c", major: 1, minor: 1, access: "rwm" }],
    memory: { limit: 1, swap: 1, reservation: 1, swappiness: 1, disableOOMKiller: true, checkBeforeUpdate: true },
    cpu: { shares: 2, quota: 1, burst: 1, period: 1, realtimeRuntime: 1, realtimePeriod: 1, cpus: "0", idle: 1 },
    pids: { limit: 1 },
    blockIO: {
      weight: 10,
      leafWeight: 10,
      weightDevice: [{ major: 1, minor: 1, weight: 10 }],
      throttleReadBpsDevice: [{ major: 1, minor: 1, rate: 1 }],
    },
    hugepageLimits: [{ pageSize: "2MB", limit: 1 }],
    network: { classID: 1, priorities: [{ name: "a", priority: 1 }] },
    rdma: { a: { hcaHandles: 1 } },
    unified: { "memory.high": "1" },
  },
};

function rich(): Record<string, unknown> {
  const config = JSON.parse(configTemplate({ cgroup2: true, rootless: { euid: 1, egid: 1 } }));
  Object.assign(config, structuredClone(RICH));
  Object.assign(config.process, structuredClone(RICH_PROCESS));
  Object.assign(config.linux, structuredClone(RICH_LINUX));
  config.linux.namespaces.push({ type: "network" }, { type: "time" });
  config.linux.timeOffsets = { monotonic: { secs: 1, nanosecs: 1 } };
  return config;
}

/** Every object and array of a document. */
function containers(value: unknown, found: object[] = []): object[] {
  if (typeof value !== "object" || value === null) return found;
  found.push(value);
  for (const member of Object.values(value)) containers(member, found);
  return found;
}

let state = 7;
function random(below: number): number {
  state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
  return (state >> 8) % below;
}

function change(document: object): void {
  const all = containers(document);
  const target = all[random(all.length)] as Record<string, unknown>;
  const keys = Object.keys(target);
  if (keys.length === 0) return;
  const key = keys[random(keys.length)] as string;
  if (random(8) === 0) delete target[key];
  else target[key] = structuredClone(VALUES[random(VALUES.length)]);
}

test("the document that is changed here is valid", () => {
  expect(loadConfig(JSON.stringify(rich())).issues).toEqual([]);
});

test("whatever a document holds, the answer is a config or issues that point into the document", () => {
  for (let round = 0; round < 5000; round++) {
    const document = rich();
    for (let i = random(4); i >= 0; i--) change(document);
    const { config, issues } = loadConfig(JSON.stringify(document));
    const failed = issues.some((issue) => issue.kind !== "warning");
    expect(config === undefined).toBe(failed);
    expect(issues.length).toBeLessThanOrEqual(MAX_ISSUES);
    for (const { pointer, message } of issues) {
      expect(message).not.toBe("");
      let at: unknown = document;
      const tokens = pointerTokens(pointer);
      // The last step may be a member that is missing, and so may its parent.
      for (const token of tokens.slice(0, -2)) {
        expect(typeof at === "object" && at !== null && Object.hasOwn(at, token), pointer).toBe(true);
        at = (at as Record<string, unknown>)[token];
      }
    }
    expect(new Set(issues.map((issue) => JSON.stringify(issue))).size, JSON.stringify(issues)).toBe(issues.length);
  }
});
