// linux.resources in the files of the container's cgroup: how they get there. spec-tests/resources compares what is in them
// with other runtimes, setting by setting.

import { spawn, spawnSync } from "node:child_process";
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { Config } from "./support/config.ts";
import type { Sandbox } from "./support/sandbox.ts";
import { suite } from "./support/suite.ts";

const ROOT = "/sys/fs/cgroup";
const view = process.env.BERTH_VIEW ?? "v1";
const UNIFIED = view === "v2" ? ROOT : `${ROOT}/unified`;
const MIB = 1 << 20;
const OURS = ["berth"] as const;

const read = (...path: string[]): string => readFileSync(join(...path), "utf8").trim();
const onV1 = (controller: string): boolean => view !== "v2" && existsSync(join(ROOT, controller));
/** On this project's machines hugetlb alone is left to the unified hierarchy. */
const onUnified = (controller: string): boolean =>
  view !== "v1" && read(UNIFIED, "cgroup.controllers").split(" ").includes(controller);

const limited =
  (t: Sandbox, resources: unknown, path = `/${t.id}`) =>
  (config: Config): void => {
    config.linux.cgroupsPath = path;
    config.linux.resources = resources;
  };

/** A cgroup of that path which is there before, and goes with the test when a runtime has not removed it. */
function oldCgroup(t: Sandbox, controller: string): string {
  const folder = join(ROOT, controller, t.id);
  mkdirSync(folder);
  t.later(async () => {
    await t.call(["delete", "--force", t.id]);
    if (existsSync(folder)) rmdirSync(folder);
  });
  return folder;
}

/** A container's path below two folders of its own, in every hierarchy; both go with the test. */
function nested(t: Sandbox): string {
  t.later(async () => {
    await t.call(["delete", "--force", t.id]);
    const names = view === "v2" ? ["."] : readdirSync(ROOT).filter((name) => lstatSync(join(ROOT, name)).isDirectory());
    for (const name of names) {
      for (const folder of [`${t.id}/a`, t.id]) {
        if (existsSync(join(ROOT, name, folder))) rmdirSync(join(ROOT, name, folder));
      }
    }
  });
  return `/${t.id}/a/b`;
}

interface Traced {
  count: number;
  /** Files of cgroups that the runtime opened for writing, in order. */
  written: string[];
}

/** A whole run under strace: all system calls of the runtime itself, not of init. */
async function trace(t: Sandbox, edit: (config: Config) => void): Promise<Traced> {
  const bundle = t.bundle("true", edit, "traced");
  const prefix = ["strace", "-qq", "-y", "-e", "signal=none", "-o", t.path("trace")];
  await t.ok(["run", "--bundle", bundle, t.newId()], { prefix });
  const lines = t.read("trace").trim().split("\n");
  const opened = lines.flatMap((line) => /^openat\(.*O_WRONLY.* = \d+<(\/sys\/fs\/cgroup\/.*)>$/.exec(line)?.[1] ?? []);
  return { count: lines.length, written: opened };
}

const noStrace = spawnSync("strace", ["--version"]).status !== 0 && "strace is not there";

suite("linux.resources", (rule) => {
  rule(
    "v1: a cpuset takes what it is not told from the folders above, which take it from theirs",
    async (t) => {
      await t.create("sleep 1000", limited(t, { cpu: { cpus: "0" } }, nested(t)));
      const top = join(ROOT, "cpuset");
      for (const folder of [`${t.id}`, `${t.id}/a`]) {
        expect(read(top, folder, "cpuset.cpus")).toBe(read(top, "cpuset.cpus"));
        expect(read(top, folder, "cpuset.mems")).toBe(read(top, "cpuset.mems"));
      }
      expect(read(top, t.id, "a/b/cpuset.cpus")).toBe("0");
      expect(read(top, t.id, "a/b/cpuset.mems")).toBe(read(top, "cpuset.mems"));
    },
    { skip: !onV1("cpuset") && "no v1 cpuset", only: OURS },
  );

  rule(
    "v1: in a cgroup that was there before, only what is asked changes",
    async (t) => {
      const cpu = oldCgroup(t, "cpu");
      const memory = oldCgroup(t, "memory");
      writeFileSync(join(cpu, "cpu.shares"), "2048");
      writeFileSync(join(memory, "memory.soft_limit_in_bytes"), String(8 * MIB));
      await t.create("sleep 1000", limited(t, { memory: { limit: 64 * MIB }, cpu: { shares: 0, quota: 5000 } }));
      expect(read(cpu, "cpu.shares")).toBe("2048");
      expect(read(cpu, "cpu.cfs_quota_us")).toBe("5000");
      expect(read(memory, "memory.soft_limit_in_bytes")).toBe(String(8 * MIB));
      expect(read(memory, "memory.limit_in_bytes")).toBe(String(64 * MIB));
    },
    { skip: !(onV1("cpu") && onV1("memory")) && "no v1 cpu and memory" },
  );

  rule(
    "v1: a container takes the real-time share of one that was just deleted",
    async (t) => {
      // Nearly all that the top has, so that two do not fit beside each other.
      const share = Math.floor(Number(read(ROOT, "cpu", "cpu.rt_runtime_us")) * 0.9);
      const edit = (config: Config): void => {
        config.linux.resources = { cpu: { realtimePeriod: 1_000_000, realtimeRuntime: share } };
      };
      for (let i = 0; i < 20; i++) await t.ok(["run", "--bundle", t.bundle("true", edit, `share${i}`), t.newId()]);
    },
    { skip: !existsSync(join(ROOT, "cpu", "cpu.rt_runtime_us")) && "no real-time group scheduling", only: OURS },
  );

  const MEMORY: readonly [string, number[], number[], number[]][] = [
    ["raised", [64, 64], [128, 192], [128, 192]],
    ["lowered", [128, 192], [32, 32], [32, 32]],
    ["limit raised, memory and swap lowered", [32, 192], [64, 96], [64, 96]],
    ["raised to no limit", [64, 64], [-1, -1], [-1, -1]],
    ["the limit alone raised to none", [64, 64], [-1, 0], [-1, -1]],
  ];
  for (const [title, before, asked, after] of MEMORY) {
    rule(
      `v1: memory limits are written in the order that the kernel takes: ${title}`,
      async (t) => {
        const memory = oldCgroup(t, "memory");
        const bytes = (value: number | undefined): number => ((value ?? 0) > 0 ? (value ?? 0) * MIB : (value ?? 0));
        const files = ["memory.limit_in_bytes", "memory.memsw.limit_in_bytes"];
        for (const [i, file] of files.entries()) writeFileSync(join(memory, file), String(bytes(before[i])));
        const [limit, swap] = asked.map(bytes);
        await t.create("sleep 1000", limited(t, { memory: { limit, swap } }));
        const unlimited = read(ROOT, "memory", files[0] ?? "");
        for (const [i, file] of files.entries()) {
          expect(read(memory, file)).toBe(after[i] === -1 ? unlimited : String(bytes(after[i])));
        }
      },
      {
        skip: !(onV1("memory") && existsSync(`${ROOT}/memory/memory.memsw.limit_in_bytes`)) && "no swap accounting",
        except: title === "the limit alone raised to none" ? { crun: "raises the limit above the swap limit" } : {},
      },
    );
  }

  rule(
    "v1: a memory limit below what is in use is refused with both numbers, and the old cgroup stays",
    async (t) => {
      const memory = oldCgroup(t, "memory");
      // Unevictable pages: a locked tmpfs file stays charged after the process that wrote it.
      const held = t.path("held");
      const fill = `echo 0 >${memory}/tasks && mkdir -p ${held} && mount -t tmpfs -o noswap tmpfs ${held} && head -c 8M /dev/zero >${held}/x`;
      expect(spawnSync("sh", ["-c", fill], { encoding: "utf8" }).stderr).toBe("");
      t.later(() => {
        spawnSync("umount", [held]);
      });
      const bundle = t.bundle("true", limited(t, { memory: { limit: MIB } }));
      const { stderr } = await t.fails(["create", "--bundle", bundle, t.id]);
      expect(stderr.replaceAll("\\", "")).toMatch(
        /cannot write "1048576" \(in use: \d{7}, at most so far: \d{7}\).*busy/,
      );
      expect(stderr).toContain("(/linux/resources/memory/limit)");
      expect(existsSync(memory)).toBe(true);
    },
    { skip: !onV1("memory") && "no v1 memory", only: OURS, timeout: 60_000 },
  );

  rule(
    "v1: quota, period and burst that fit each other only together are taken",
    async (t) => {
      const cpu = oldCgroup(t, "cpu");
      writeFileSync(join(cpu, "cpu.cfs_quota_us"), "10000");
      await t.create("sleep 1000", limited(t, { cpu: { quota: 90000, period: 50000, burst: 80000 } }));
      expect(read(cpu, "cpu.cfs_quota_us")).toBe("90000");
      expect(read(cpu, "cpu.cfs_period_us")).toBe("50000");
      expect(read(cpu, "cpu.cfs_burst_us")).toBe("80000");
    },
    { skip: !onV1("cpu") && "no v1 cpu", only: OURS },
  );

  rule(
    "what is ignored is said, and the container runs",
    async (t) => {
      const bundle = t.bundle("echo ran", limited(t, { memory: { kernel: 1, kernelTCP: 1, useHierarchy: false } }));
      const { stdout, stderr } = await t.ok(["run", "--bundle", bundle, t.id]);
      expect(stdout).toBe("ran\n");
      for (const field of ["kernel", "kernelTCP", "useHierarchy"]) {
        expect(stderr).toMatch(new RegExp(`level=warning.*/linux/resources/memory/${field}: is ignored`));
      }
    },
    { only: OURS },
  );

  const REFUSED: readonly [string, unknown, RegExp, boolean][] = [
    [
      "pids.max too large",
      { pids: { limit: 4194305 } },
      /cannot write "4194305".*pids\.max.*invalid argument.*\/pids\/limit\)/,
      onV1("pids"),
    ],
    [
      "CPUs that are not there",
      { cpu: { cpus: "4000" } },
      /cannot write "4000".*cpuset\.cpus.*\/cpu\/cpus\)/,
      onV1("cpuset"),
    ],
    [
      "shares that the kernel would change",
      { cpu: { shares: 1 } },
      /must be from 2 to 262144 .*\/cpu\/shares\)/,
      onV1("cpu"),
    ],
    [
      "a device that is not there",
      { blockIO: { throttleReadBpsDevice: [{ major: 9, minor: 99, rate: 1 }] } },
      /cannot write "9:99 1".*no such device.*\/throttleReadBpsDevice\/0\)/,
      onV1("blkio"),
    ],
    [
      "a controller that is not mounted",
      { rdma: { mlx5_1: { hcaHandles: 1 } } },
      /needs the cgroup controller "rdma".*\/rdma\)/,
      view === "v1",
    ],
    [
      "unified without a unified hierarchy",
      { unified: { "pids.max": "1" } },
      /needs cgroup v2.*\/unified\)/,
      view === "v1",
    ],
    [
      "a unified controller that is not there",
      { unified: { "nosuch.max": "1" } },
      /the cgroup controller "nosuch" is not available.*\/unified\/nosuch\.max\)/,
      view !== "v1",
    ],
    [
      "a controller that v1 has",
      { unified: { "memory.high": "1" } },
      /the cgroup controller "memory" is not available.*\/unified\/memory\.high\)/,
      view === "hybrid" && onV1("memory"),
    ],
    [
      "a unified file that is not there",
      { unified: { "cgroup.nosuch": "1" } },
      /cannot write "1".*cgroup\.nosuch.*no such file.*\/unified\/cgroup\.nosuch\)/,
      view !== "v1",
    ],
    [
      "a size of huge pages that is not there",
      { hugepageLimits: [{ pageSize: "3MB", limit: 1 }] },
      /cannot write "1".*hugetlb\.3MB\.max.*no such file.*\/hugepageLimits\/0\/limit\)/,
      onUnified("hugetlb"),
    ],
    [
      "network marks without v1",
      { network: { classID: 1 } },
      /needs the cgroup controller "net_cls", which cgroup v2 has not.*\/network\/classID\)/,
      view === "v2",
    ],
  ];
  for (const [title, resources, message, possible] of REFUSED) {
    rule(
      `one error names field, file and value, and nothing is left: ${title}`,
      async (t) => {
        const { code, stderr } = await t.fails(["create", "--bundle", t.bundle("true", limited(t, resources)), t.id]);
        expect(code).toBe(1);
        expect(stderr.trim().split("\n")).toHaveLength(1);
        expect(stderr.replaceAll("\\", "")).toMatch(message);
        expect(await t.left()).toEqual([]);
      },
      { skip: !possible && `not in this view`, only: OURS },
    );
  }

  rule(
    "a controller of the unified hierarchy is enabled down the path, and its limits are kept there",
    async (t) => {
      const resources = {
        hugepageLimits: [{ pageSize: "2MB", limit: 8 * MIB }],
        unified: { "hugetlb.1GB.max": "1073741824", "cgroup.max.depth": "3" },
      };
      await t.create("sleep 1000", limited(t, resources, nested(t)));
      const leaf = join(UNIFIED, t.id, "a/b");
      for (const folder of [t.id, `${t.id}/a`]) {
        expect(read(UNIFIED, folder, "cgroup.subtree_control").split(" ")).toContain("hugetlb");
      }
      expect(read(leaf, "hugetlb.2MB.max")).toBe(String(8 * MIB));
      expect(read(leaf, "hugetlb.2MB.rsvd.max")).toBe(String(8 * MIB));
      expect(read(leaf, "hugetlb.1GB.max")).toBe("1073741824");
      expect(read(leaf, "cgroup.max.depth")).toBe("3");
    },
    { skip: !onUnified("hugetlb") && "no hugetlb on a unified hierarchy", only: OURS },
  );

  rule(
    "a folder that has processes cannot give controllers: the error says which, and whose limit needs it",
    async (t) => {
      const folder = oldCgroup(t, view === "v2" ? "" : "unified");
      const inner = nested(t);
      const other = t.helper(spawn("sleep", ["1000"], { stdio: "ignore" }));
      t.later(() => writeFileSync(join(UNIFIED, "cgroup.procs"), String(other.pid)));
      writeFileSync(join(folder, "cgroup.procs"), String(other.pid));
      const resources = { hugepageLimits: [{ pageSize: "2MB", limit: MIB }] };
      const bundle = t.bundle("true", limited(t, resources, inner));
      const { stderr } = await t.fails(["create", "--bundle", bundle, t.id]);
      expect(stderr.replaceAll("\\", "")).toMatch(
        /cannot enable the cgroup controller "hugetlb".*subtree_control.*busy.*\/linux\/resources\/hugepageLimits\/0\/limit\)/,
      );
      expect(existsSync(join(folder, "a/b"))).toBe(false);
    },
    { skip: !onUnified("hugetlb") && "no hugetlb on a unified hierarchy", only: OURS },
  );

  rule(
    "v1: every file is written once",
    async (t) => {
      const resources = {
        memory: { limit: 64 * MIB, reservation: 32 * MIB, swap: 128 * MIB, swappiness: 10 },
        cpu: { shares: 512, quota: 50000, period: 100000, burst: 1000, cpus: "0", mems: "0" },
        pids: { limit: 100 },
      };
      const { written } = await trace(t, limited(t, resources));
      const limits = written.filter((file) => !/\/(tasks|devices\.\w+)$/.test(file));
      const leaf = limits.filter((file) => file.includes(t.id));
      expect(leaf.map((file) => file.split("/").at(-1)).sort()).toEqual([
        "cpu.cfs_burst_us",
        "cpu.cfs_period_us",
        "cpu.cfs_quota_us",
        "cpu.shares",
        "cpuset.cpus",
        "cpuset.mems",
        "memory.limit_in_bytes",
        "memory.memsw.limit_in_bytes",
        "memory.soft_limit_in_bytes",
        "memory.swappiness",
        "pids.max",
      ]);
    },
    {
      skip: noStrace || (!(onV1("memory") && onV1("cpu") && onV1("cpuset") && onV1("pids")) && "v1 lacks some"),
      only: OURS,
    },
  );

  rule(
    "v2: n limits cost at most 4 + 3n system calls, and every file is written once",
    async (t) => {
      const unified = {
        "cgroup.max.depth": "5",
        "cgroup.max.descendants": "5",
        "hugetlb.1GB.max": "max",
        "hugetlb.2MB.max": "max",
      };
      // The first run with a path above enables what is missing there.
      await trace(t, limited(t, { unified }));
      const without = await trace(t, limited(t, {}));
      const { count, written } = await trace(t, limited(t, { unified }));
      expect(count - without.count).toBeLessThanOrEqual(4 + 3 * Object.keys(unified).length);
      const names = written.map((file) => file.split("/").at(-1) ?? "").filter((name) => name in unified);
      expect(names.sort()).toEqual(Object.keys(unified));
    },
    { skip: noStrace || (!(view === "v2" && onUnified("hugetlb")) && "not pure v2"), only: OURS },
  );

  rule(
    "explain shows every write with its field",
    async (t) => {
      const resources = { memory: { limit: 64 * MIB }, pids: { limit: 0 } };
      const { stdout } = await t.runtime.call(["explain", t.bundle("true", limited(t, resources))]);
      const lines = stdout.split("\n").filter((line) => line.includes("/linux/resources/"));
      const [memory, pids] = ["memory/limit", "pids/limit"].map((field) =>
        lines.find((line) => line.endsWith(`/linux/resources/${field}`)),
      );
      expect(memory).toMatch(
        /berth +\d+ +write cgroup file "67108864" to \/sys\/fs\/cgroup\/.*memory\.(max|limit_in_bytes)/,
      );
      expect(pids).toMatch(/write cgroup file "1" to \/sys\/fs\/cgroup\/.*pids\.max/);
    },
    { only: OURS },
  );
});
