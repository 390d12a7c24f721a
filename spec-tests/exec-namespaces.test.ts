// exec: the namespaces of a container are those of its init, whether made for it, moved in time, or joined by path.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { expect } from "vitest";
import { type Config, withUserNamespace } from "./support/config.ts";
import { processFile } from "./support/engine.ts";
import type { Sandbox } from "./support/sandbox.ts";
import { suite } from "./support/suite.ts";

const TIME = { except: { runc: "runc 1.1 knows no time namespace", crun: "crun 1.8 does not know timeOffsets" } };
const FILES = ["pid", "net", "ipc", "uts", "mnt", "cgroup", "user", "time"];

async function running(t: Sandbox, edit?: (config: Config) => void): Promise<number> {
  await t.create("while :; do sleep 1000; done", edit);
  await t.ok(["start", t.id]);
  return (await t.state()).pid;
}

const links = (pid: number | string): string[] => FILES.map((file) => readlinkSync(`/proc/${pid}/ns/${file}`));

/** A process that exec has started is where init is; its own children are, too. */
async function isWhereInitIs(t: Sandbox, flags: readonly string[] = []): Promise<void> {
  const { pid } = await t.state();
  const args = ["exec", ...flags, "--detach", "--pid-file", t.path("pid"), t.id, "sh", "-c", "sleep 1000 & wait"];
  await t.ok(args);
  const second = Number(t.read("pid"));
  expect(links(second)).toEqual(links(pid));
  const children = readlinkSync(`/proc/${second}/ns/time_for_children`);
  expect(children).toBe(readlinkSync(`/proc/${second}/ns/time`));
  expect(readlinkSync(`/proc/${second}/ns/pid_for_children`)).toBe(readlinkSync(`/proc/${second}/ns/pid`));
}

/** A process in new namespaces of the given unshare(1) flags; its pid as we see it. */
async function holder(t: Sandbox, ...flags: string[]): Promise<number> {
  const words = [...flags, "--fork", "--kill-child", "sh", "-c", "echo ready; exec sleep 1000"];
  const child: ChildProcess = t.helper(spawn("unshare", words, { stdio: ["ignore", "pipe", "ignore"] }));
  await new Promise((resolve) => child.stdout?.once("data", resolve));
  const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8").trim();
  return Number(children.split(" ")[0]);
}

/** The container joins these of the process. */
const joined =
  (pid: number, types: Readonly<Record<string, string>>) =>
  (config: Config): void => {
    const { linux } = config;
    linux.namespaces = linux.namespaces.filter(({ type }) => types[type] === undefined);
    for (const [type, file] of Object.entries(types)) linux.namespaces.push({ type, path: `/proc/${pid}/ns/${file}` });
    if (types.uts !== undefined) delete config.hostname;
  };

const offsets = (config: Config): void => {
  config.linux.namespaces.push({ type: "time" });
  config.linux.timeOffsets = { boottime: { secs: 1_000_000, nanosecs: 5 }, monotonic: { secs: 2_000_000 } };
};

/** The whole seconds of the clocks that the container has. */
const CLOCKS = "cut -d. -f1 /proc/uptime; cat /proc/self/timens_offsets";

async function hasTheClocks(t: Sandbox, flags: readonly string[] = []): Promise<void> {
  const { stdout } = await t.ok(["exec", ...flags, t.id, "sh", "-c", `${CLOCKS}; sh -c '${CLOCKS}'`]);
  const uptime = Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]);
  const seen = stdout.trim().split("\n");
  expect(seen.length).toBe(6);
  for (const at of [0, 3]) {
    expect(Math.abs(Number(seen[at]) - uptime - 1_000_000)).toBeLessThan(600);
    expect(seen.slice(at + 1, at + 3).map((line) => line.split(/\s+/))).toEqual([
      ["monotonic", "2000000", "0"],
      ["boottime", "1000000", "5"],
    ]);
  }
}

suite("exec into a time namespace", (rule) => {
  for (const [title, edit] of [
    ["its own", offsets],
    [
      "its own, with a user namespace",
      (config: Config) => {
        withUserNamespace(config);
        offsets(config);
      },
    ],
  ] as const) {
    rule(
      `${title}: the clocks are init's, for the children as well`,
      async (t) => {
        await running(t, edit);
        await hasTheClocks(t);
        await hasTheClocks(t, ["--user", "1000:1000"]);
        await isWhereInitIs(t);
        await t.ok(["delete", "--force", t.id]);
      },
      TIME,
    );
  }

  rule(
    "before the container is started",
    async (t) => {
      await t.create("sleep 1000", offsets);
      await hasTheClocks(t);
      await t.ok(["delete", "--force", t.id]);
    },
    TIME,
  );

  rule(
    "one that was joined by path",
    async (t) => {
      const pid = await holder(t, "--time", "--boottime", "1000000", "--monotonic", "2000000");
      const init = await running(t, joined(pid, { time: "time" }));
      expect(readlinkSync(`/proc/${init}/ns/time`)).toBe(readlinkSync(`/proc/${pid}/ns/time`));
      const { stdout } = await t.ok(["exec", t.id, "cat", "/proc/self/timens_offsets"]);
      expect(stdout.split(/\s+/).slice(0, 6)).toEqual(["monotonic", "2000000", "0", "boottime", "1000000", "0"]);
      await isWhereInitIs(t);
      await t.ok(["delete", "--force", t.id]);
    },
    TIME,
  );

  rule(
    "as the shim and conmon call it",
    async (t) => {
      await running(t, offsets);
      const file = processFile(t, ["cat", "/proc/self/timens_offsets"]);
      const { stdout } = await t.ok(["exec", "--process", file, t.id]);
      expect(stdout).toMatch(/monotonic\s+2000000\s+0\nboottime\s+1000000\s+5/);
      await t.ok(["delete", "--force", t.id]);
    },
    TIME,
  );
});

const PID = { except: { runc: "runc 1.1 leaves what exec has started when it deletes with --force" } };

suite("exec into a container that joined namespaces", (rule) => {
  const KINDS: readonly [type: string, file: string, flag: string][] = [
    ["network", "net", "--net"],
    ["ipc", "ipc", "--ipc"],
    ["uts", "uts", "--uts"],
    ["cgroup", "cgroup", "--cgroup"],
    ["pid", "pid", "--pid"],
    ["mount", "mnt", "--mount"],
  ];
  for (const [type, file, flag] of KINDS) {
    rule(
      `${type}, by path`,
      async (t) => {
        const pid = await holder(t, flag);
        const init = await running(t, joined(pid, { [type]: file }));
        expect(readlinkSync(`/proc/${init}/ns/${file}`)).toBe(readlinkSync(`/proc/${pid}/ns/${file}`));
        await isWhereInitIs(t);
        await t.ok(["delete", "--force", t.id]);
      },
      type === "mount" ? { only: ["berth"] } : type === "pid" ? PID : {},
    );
  }

  rule(
    "those of another container, as in a pod",
    async (t) => {
      const first = await t.create("sleep 1000");
      const { pid } = await t.state();
      const second = t.newId();
      const bundle = t.bundle(
        "sleep 1000",
        joined(pid, { pid: "pid", network: "net", ipc: "ipc", uts: "uts" }),
        "second",
      );
      await t.ok(["create", "--bundle", bundle, second]);
      await t.ok(["start", second]);
      const init = (await t.state(second)).pid;
      await t.ok(["exec", "--detach", "--pid-file", t.path("pid"), second, "sleep", "1000"]);
      expect(links(t.read("pid"))).toEqual(links(init));
      for (const at of [0, 1, 2, 3]) expect(links(t.read("pid"))[at]).toBe(links(pid)[at]);
      await t.ok(["delete", "--force", second]);
      await t.ok(["delete", "--force", first]);
    },
    PID,
  );

  rule("a user namespace, and others that belong to it", async (t) => {
    const pid = await holder(t, "--user", "--net", "--uts");
    for (const map of ["uid_map", "gid_map"]) writeFileSync(`/proc/${pid}/${map}`, "0 100000 65536\n");
    const bundle = t.bundle("sleep 1000", (config) => {
      withUserNamespace(config);
      joined(pid, { user: "user", network: "net", uts: "uts" })(config);
    });
    execFileSync("chown", ["-R", "100000:100000", `${bundle}/rootfs`]);
    await t.ok(["create", "--bundle", bundle, t.id]);
    await t.ok(["start", t.id]);
    const init = (await t.state()).pid;
    expect(readlinkSync(`/proc/${init}/ns/user`)).toBe(readlinkSync(`/proc/${pid}/ns/user`));
    await isWhereInitIs(t);
    await isWhereInitIs(t, ["--user", "1000:1000"]);
    await t.ok(["delete", "--force", t.id]);
  });
});
