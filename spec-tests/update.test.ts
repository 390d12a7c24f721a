// update: what is named changes, everything else stays. Limits need v1's controllers here; v2's are tested in the guest.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { cgroupOf, view } from "./support/cgroup-of.ts";
import type { Config } from "./support/config.ts";
import { startProgram } from "./support/runtime.ts";
import type { Sandbox } from "./support/sandbox.ts";
import { suite } from "./support/suite.ts";

const MIB = 1 << 20;
const skip = view === "v2" && "the limits of this machine are v1's";

const limited = (config: Config): void => {
  config.linux.resources = {
    devices: [{ allow: false, access: "rwm" }],
    memory: { limit: 64 * MIB, swap: 128 * MIB, reservation: 32 * MIB },
    cpu: { shares: 512, quota: 50_000, period: 100_000, cpus: "0", mems: "0" },
    pids: { limit: 100 },
  };
};

const FILES: readonly [controller: string, file: string][] = [
  ["memory", "memory.limit_in_bytes"],
  ["memory", "memory.memsw.limit_in_bytes"],
  ["memory", "memory.soft_limit_in_bytes"],
  ["cpu", "cpu.shares"],
  ["cpu", "cpu.cfs_quota_us"],
  ["cpu", "cpu.cfs_period_us"],
  ["cpu", "cpu.cfs_burst_us"],
  ["cpu", "cpu.idle"],
  ["cpuset", "cpuset.cpus"],
  ["cpuset", "cpuset.mems"],
  ["pids", "pids.max"],
  ["devices", "devices.list"],
];

type Values = Record<string, string>;

function values(pid: number): Values {
  const found: Values = {};
  for (const [controller, file] of FILES) {
    const path = join(cgroupOf(pid, controller), file);
    if (existsSync(path)) found[file] = readFileSync(path, "utf8").trim();
  }
  return found;
}

async function running(t: Sandbox, edit: (config: Config) => void = limited): Promise<number> {
  await t.create("sleep 1000", edit);
  await t.ok(["start", t.id]);
  return (await t.state()).pid;
}

/** What changes, by file. */
function changes(before: Values, after: Values): Values {
  return Object.fromEntries(Object.entries(after).filter(([file, value]) => before[file] !== value));
}

const UNLIMITED = "9223372036854771712";
/** Flags and the files that they change in a container with the limits above. */
const CASES: readonly [flags: string, changed: Values][] = [
  ["--memory 32m", { "memory.limit_in_bytes": String(32 * MIB) }],
  ["--memory 100663296", { "memory.limit_in_bytes": String(96 * MIB) }],
  ["--memory=0.125GiB", { "memory.limit_in_bytes": String(128 * MIB) }],
  [
    "--memory 256m --memory-swap 512m",
    { "memory.limit_in_bytes": String(256 * MIB), "memory.memsw.limit_in_bytes": String(512 * MIB) },
  ],
  [
    "--memory 16m --memory-swap 16m",
    { "memory.limit_in_bytes": String(16 * MIB), "memory.memsw.limit_in_bytes": String(16 * MIB) },
  ],
  ["--memory -1", { "memory.limit_in_bytes": UNLIMITED, "memory.memsw.limit_in_bytes": UNLIMITED }],
  ["--memory-swap -1", { "memory.memsw.limit_in_bytes": UNLIMITED }],
  ["--memory-reservation 8m", { "memory.soft_limit_in_bytes": String(8 * MIB) }],
  ["--cpu-share 2048", { "cpu.shares": "2048" }],
  ["--cpu-quota 25000", { "cpu.cfs_quota_us": "25000" }],
  ["--cpu-quota -1", { "cpu.cfs_quota_us": "-1" }],
  ["--cpu-period 200000", { "cpu.cfs_period_us": "200000" }],
  ["--cpu-period 50000 --cpu-quota 10000", { "cpu.cfs_period_us": "50000", "cpu.cfs_quota_us": "10000" }],
  ["--cpuset-cpus 0-1", { "cpuset.cpus": "0-1" }],
  ["--cpuset-mems 0", {}],
  ["--pids-limit 20", { "pids.max": "20" }],
  ["--pids-limit -1", { "pids.max": "max" }],
  ["--cpu-period 0 --cpu-quota 0 --memory 0 --cpu-share 0 --blkio-weight 0", {}],
  ["", {}],
];

suite("update", (rule, runtime) => {
  for (const [flags, changed] of CASES) {
    rule(
      `${flags || "without options"} changes ${Object.keys(changed).join(" and ") || "nothing"}`,
      async (t) => {
        const pid = await running(t);
        const before = values(pid);
        await t.ok(["update", ...flags.split(" ").filter((word) => word !== ""), t.id]);
        expect(changes(before, values(pid))).toEqual(changed);
        await t.ok(["delete", "--force", t.id]);
      },
      { skip, except: { crun: "crun 1.8 writes defaults, too" } },
    );
  }

  rule(
    "--cpu-burst and --cpu-idle",
    async (t) => {
      const pid = await running(t);
      await t.ok(["update", "--cpu-burst", "10000", t.id]);
      expect(values(pid)["cpu.cfs_burst_us"]).toBe("10000");
      await t.ok(["update", "--cpu-idle=1", t.id]);
      expect(values(pid)["cpu.idle"]).toBe("1");
      await t.ok(["update", "--cpu-idle=0", t.id]);
      await t.ok(["update", "--cpu-share=1024", t.id]);
      expect(values(pid)).toMatchObject({ "cpu.idle": "0", "cpu.shares": "1024" });
      await t.ok(["delete", "--force", t.id]);
    },
    { skip, only: ["berth"] },
  );

  const document = {
    memory: { limit: 40 * MIB, swap: 80 * MIB, reservation: 20 * MIB, checkBeforeUpdate: true },
    cpu: { shares: 256, quota: 20_000, period: 40_000, cpus: "0-1", mems: "0" },
    pids: { limit: 33 },
    unknown: { field: 1 },
  };
  const written = {
    "memory.limit_in_bytes": String(40 * MIB),
    "memory.memsw.limit_in_bytes": String(80 * MIB),
    "memory.soft_limit_in_bytes": String(20 * MIB),
    "cpu.shares": "256",
    "cpu.cfs_quota_us": "20000",
    "cpu.cfs_period_us": "40000",
    "cpuset.cpus": "0-1",
    "pids.max": "33",
  };

  rule(
    "--resources FILE applies the document, and every other option is ignored",
    async (t) => {
      const pid = await running(t);
      const before = values(pid);
      const file = t.write("resources.json", JSON.stringify(document));
      await t.ok(["update", "-r", file, "--memory", "7m", t.id]);
      expect(changes(before, values(pid))).toEqual(written);
      await t.ok(["delete", "--force", t.id]);
    },
    { skip },
  );

  rule(
    "--resources - reads standard input, a pipe too",
    async (t) => {
      const pid = await running(t);
      const before = values(pid);
      const stdin = t.write("resources.json", JSON.stringify(document));
      await t.ok(["update", "--resources", "-", t.id], { stdin });
      expect(changes(before, values(pid))).toEqual(written);
      const piped = '(printf "{\\"pids\\":"; sleep 0.1; printf "{\\"limit\\":44}}") | "$@"';
      const words = ["sh", "-c", piped, "sh", t.runtime.path, "--root", t.root, "update", "--resources=-", t.id];
      expect((await startProgram(words).done).code).toBe(0);
      expect(values(pid)["pids.max"]).toBe("44");
      await t.ok(["delete", "--force", t.id]);
    },
    { skip },
  );

  rule(
    "takes a created and a paused container, and a stopped one is not running",
    async (t) => {
      await t.create("sleep 1000", limited);
      const { pid } = await t.state();
      await t.ok(["update", "--pids-limit", "21", t.id]);
      expect(values(pid)["pids.max"]).toBe("21");
      await t.ok(["start", t.id]);
      await t.ok(["pause", t.id]);
      await t.ok(["update", "--pids-limit", "22", t.id]);
      expect(values(pid)["pids.max"]).toBe("22");
      expect((await t.state()).status).toBe("paused");
      await t.ok(["resume", t.id]);
      await t.ok(["kill", t.id, "KILL"]);
      await t.waitFor("stopped");
      expect((await t.fails(["update", "--pids-limit", "5", t.id])).stderr).toContain("container not running");
      await t.ok(["delete", t.id]);
      expect((await t.fails(["update", "--pids-limit", "5", t.id])).stderr).toContain("container does not exist");
    },
    { skip, except: { crun: "crun says it in its own words" } },
  );

  /** Flags, what the one line says. */
  const MISTAKES: readonly [flags: string, parts: readonly string[]][] = [
    ["--memory abc", ["invalid value for memory", "abc"]],
    ["--memory-swap 1x", ["invalid value for memory-swap", "1x"]],
    ["--kernel-memory x", ["invalid value for kernel-memory", "x"]],
    ["--cpu-period 1.5", ["invalid value for cpu-period", "1.5"]],
    ["--cpu-share=-1", ["invalid value for cpu-share"]],
    ["--cpu-idle 2", ["cpu-idle", "2"]],
    ["--cpuset-cpus 4000", ["cpuset.cpus", "4000", "--cpuset-cpus"]],
    ["--cpu-period 1", ["cpu.cfs_period_us", "1", "--cpu-period"]],
    ["--pids-limit 9999999999", ["pids.max", "9999999999", "--pids-limit"]],
    ["--memory 4k", ["memory.limit_in_bytes", "4096", "in use", "--memory"]],
    ["--memory 8m --memory-swap 4m", ["memory-swap", "8388608", "4194304"]],
    ["--cpu-share 1", ["--cpu-share", "1"]],
    ["--l3-cache-schema x", ["--l3-cache-schema", "Intel RDT"]],
    ["--mem-bw-schema x", ["--mem-bw-schema", "Intel RDT"]],
    ["-r /no/such", ["/no/such", "no such file or directory"]],
  ];
  for (const [flags, parts] of MISTAKES) {
    rule(
      `${flags}: one line tells what is wrong, and nothing has changed`,
      async (t) => {
        const pid = await running(t);
        const before = values(pid);
        // What goes before is taken back.
        const others = flags.startsWith("-r") ? [] : ["--pids-limit", "50", "--memory-reservation", "1m"];
        const { code, stdout, stderr } = await t.fails(["update", ...others, ...flags.split(" "), t.id]);
        expect([code, stdout, stderr.trim().split("\n").length]).toEqual([1, "", 1]);
        for (const part of parts) expect(stderr).toContain(part);
        expect(values(pid)).toEqual(before);
        await t.ok(["delete", "--force", t.id]);
      },
      { skip, only: ["berth"] },
    );
  }

  /** Documents, what the one line says. */
  const DOCUMENTS: readonly [text: string, parts: readonly string[]][] = [
    ["", ["invalid JSON"]],
    ['{"memory":', ["invalid JSON", "line 1"]],
    ["[1]", ["must be a JSON object"]],
    ['{"memory":{"limit":"x"}}', ["(/memory/limit)"]],
    ['{"pids":{"limit":4194305}}', ["pids.max", "4194305", "(/pids/limit)"]],
    ['{"unified":{"memory.nothing":"1"},"pids":{"limit":3}}', ["/unified"]],
  ];
  for (const [text, parts] of DOCUMENTS) {
    rule(
      `the document ${text || "(empty)"}: one line tells what is wrong, and nothing has changed`,
      async (t) => {
        const pid = await running(t);
        const before = values(pid);
        const { stderr } = await t.fails(["update", "-r", t.write("resources.json", text), t.id]);
        expect(stderr.trim().split("\n").length).toBe(1);
        for (const part of parts) expect(stderr).toContain(part);
        expect(values(pid)).toEqual(before);
        await t.ok(["delete", "--force", t.id]);
      },
      { skip, only: ["berth"] },
    );
  }

  rule(
    "obsolete limits of kernel memory are a warning",
    async (t) => {
      await running(t, () => {});
      const { stderr } = await t.ok(["update", "--kernel-memory", "1m", "--kernel-memory-tcp", "1m", t.id]);
      expect(stderr).toMatch(/level=warning msg="Kernel memory settings are ignored and will be removed"\n$/);
      expect(stderr.split("\n").length).toBe(2);
      await t.ok(["delete", "--force", t.id]);
    },
    { except: { crun: "crun says nothing" } },
  );

  rule(
    "finds the cgroups wherever update itself is",
    async (t) => {
      const pid = await running(t, (config) => {
        limited(config);
        delete config.linux.cgroupsPath;
      });
      const inside = cgroupOf(pid, "pids");
      const script = `echo $$ > ${inside}/cgroup.procs; exec "$@"`;
      const words = ["sh", "-c", script, "sh", runtime.path, "--root", t.root, "update", "--pids-limit", "12", t.id];
      expect((await startProgram(words).done).code).toBe(0);
      expect(values(pid)["pids.max"]).toBe("12");
      await t.ok(["delete", "--force", t.id]);
    },
    { skip },
  );
});
