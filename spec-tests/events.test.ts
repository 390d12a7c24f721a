// `events` on v1 controllers (pure v1 and hybrid), against the same container under Debian's runc. v2 is tested in the
// guest: spec-tests/guest/events.sh.

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { Config } from "./support/config.ts";
import { type Running, type Runtime, reference } from "./support/runtime.ts";
import { Sandbox, until } from "./support/sandbox.ts";
import { suite } from "./support/suite.ts";

const skip = process.env.BERTH_VIEW === "v2" && "the v1 controllers are elsewhere";
const MIB = 1 << 20;

interface Event {
  type: string;
  id: string;
  data?: Record<string, unknown>;
}

const cgroup = (t: Sandbox, controller: string, file = ""): string => join("/sys/fs/cgroup", controller, t.id, file);

const ownCgroup =
  (t: Sandbox) =>
  (config: Config): void => {
    config.linux.cgroupsPath = `/${t.id}`;
  };

function limitMemory(t: Sandbox, bytes: number): void {
  for (const file of ["memory.limit_in_bytes", "memory.memsw.limit_in_bytes"]) {
    writeFileSync(cgroup(t, "memory", file), String(bytes));
  }
}

interface Stream {
  running: Running;
  events(): Event[];
}

/** `events` with its output where it can be read while it runs. */
function follow(t: Sandbox, ...flags: string[]): Stream {
  const file = t.path("events.json");
  const prefix = ["sh", "-c", `exec "$0" "$@" >${file}`];
  const running = t.start(["events", ...flags, t.id], { prefix });
  t.later(async () => {
    running.child.kill("SIGKILL");
    await running.done;
  });
  const events = (): Event[] => {
    const lines = t.exists("events.json") ? t.read("events.json").split("\n") : [];
    return lines.slice(0, -1).map((line) => JSON.parse(line) as Event);
  };
  return { running, events };
}

const stats = (stream: Stream): Event[] => stream.events().filter(({ type }) => type === "stats");
const ooms = (stream: Stream): Event[] => stream.events().filter(({ type }) => type === "oom");

/** Both watch before they print the first statistics. */
const isWatching = (stream: Stream) => until("statistics", () => stats(stream).length > 0, 10_000);

async function oneEvent(t: Sandbox): Promise<Event> {
  const { stdout } = await t.ok(["events", "--stats", t.id]);
  expect(stdout.endsWith("}\n")).toBe(true);
  expect(stdout.trimEnd()).not.toContain("\n");
  return JSON.parse(stdout) as Event;
}

/** `.data.cpu.usage.percpu[]: number` for everything there is. */
function shape(value: unknown, path = ""): Set<string> {
  if (typeof value !== "object" || value === null)
    return new Set([`${path}: ${value === null ? "null" : typeof value}`]);
  const inner = Array.isArray(value)
    ? value.map((item) => shape(item, `${path}[]`))
    : Object.entries(value).map(([key, item]) => shape(item, `${path}.${key}`));
  return new Set([`${path}: ${Array.isArray(value) ? "array" : "object"}`, ...inner.flatMap((set) => [...set])]);
}

/** A container that has used every controller, under a memory, CPU and pids limit. */
async function busy(t: Sandbox): Promise<void> {
  const disk = mkdtempSync("/var/tmp/berth-events.");
  t.later(() => rmSync(disk, { recursive: true }));
  const script = `
    dd if=/dev/zero of=/disk/file bs=4k count=256 oflag=direct 2>/dev/null; sync
    dd if=/disk/file of=/dev/null bs=4k iflag=direct 2>/dev/null
    dd if=/dev/zero of=/dev/shm/cache bs=4k count=64 2>/dev/null
    echo ready >/disk/ready; while :; do :; done`;
  await t.create(script, (config) => {
    ownCgroup(t)(config);
    config.mounts.push({ destination: "/disk", type: "bind", source: disk, options: ["bind", "rw"] });
  });
  limitMemory(t, 64 * MIB);
  writeFileSync(cgroup(t, "cpu", "cpu.cfs_quota_us"), "30000");
  writeFileSync(cgroup(t, "pids", "pids.max"), "64");
  await t.ok(["start", t.id]);
  await until("it is ready", () => existsSync(join(disk, "ready")), 20_000);
  const cpu = cgroup(t, "cpu", "cpu.stat");
  await until("it is throttled", () => /throttled_time [1-9]/.test(readFileSync(cpu, "utf8")), 20_000);
}

suite("events", (rule) => {
  rule(
    "--stats: one line of JSON with the envelope, and numbers that are the kernel's",
    async (t) => {
      await t.create("sleep 1000", ownCgroup(t));
      await t.ok(["start", t.id]);
      writeFileSync(cgroup(t, "pids", "pids.max"), "17");
      // runc's init has threads until it has executed the program.
      await until("one process", () => readFileSync(cgroup(t, "pids", "pids.current"), "utf8") === "1\n");
      const event = await oneEvent(t);
      expect(Object.keys(event)).toEqual(["type", "id", "data"]);
      expect([event.type, event.id]).toEqual(["stats", t.id]);
      expect(event.data).toMatchObject({ pids: { current: 1, limit: 17 }, network_interfaces: null, intel_rdt: {} });
    },
    { skip },
  );

  rule(
    "--stats: numbers of 64 bits are exact",
    async (t) => {
      await t.create("sleep 1000", ownCgroup(t));
      const { stdout } = await t.ok(["events", "--stats", t.id]);
      const limit = readFileSync(cgroup(t, "memory", "memory.limit_in_bytes"), "utf8").trim();
      expect(limit.length).toBeGreaterThan(16);
      expect(stdout).toContain(`"memory":{"usage":{"limit":${limit},`);
      expect(stdout).toContain(`"hierarchical_memory_limit":${limit},`);
    },
    { skip },
  );

  rule(
    "prints statistics once every interval, and ends with 0 when the container is deleted",
    async (t) => {
      await t.create("sleep 1000", ownCgroup(t));
      await t.ok(["start", t.id]);
      const stream = follow(t, "--interval", "100ms");
      await until("three statistics", () => stats(stream).length >= 3, 10_000);
      await t.ok(["delete", "--force", t.id]);
      expect(await stream.running.done).toMatchObject({ code: 0, timedOut: false });
      expect(ooms(stream)).toEqual([]);
    },
    { skip },
  );

  rule(
    "ends with 0 when the container stops",
    async (t) => {
      await t.create("sleep 1000", ownCgroup(t));
      await t.ok(["start", t.id]);
      const stream = follow(t, "--interval=100ms");
      await isWatching(stream);
      await t.ok(["kill", t.id, "KILL"]);
      expect(await stream.running.done).toMatchObject({ code: 0, stderr: "" });
    },
    { skip, except: { runc: "on v1 it goes on until the cgroup is removed" } },
  );

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    rule(
      `${signal} ends it`,
      async (t) => {
        await t.create("sleep 1000", ownCgroup(t));
        const stream = follow(t, "--interval", "50ms");
        await isWatching(stream);
        stream.running.child.kill(signal);
        const { timedOut, stderr } = await stream.running.done;
        expect([timedOut, stderr]).toEqual([false, ""]);
      },
      { skip },
    );
  }

  rule(
    "a process over the memory limit: an oom event, and the stream goes on",
    async (t) => {
      const script = "mkfifo /tmp/go; read go </tmp/go; dd if=/dev/zero of=/dev/null bs=64M count=1; sleep 1000";
      await t.create(script, (config) => {
        ownCgroup(t)(config);
        Object.assign(config.linux.resources as object, { memory: { limit: 16 * MIB, swap: 16 * MIB } });
      });
      await t.ok(["start", t.id]);
      const stream = follow(t, "--interval", "50ms");
      await isWatching(stream);
      writeFileSync(join(t.dir, "bundle/rootfs/tmp/go"), "\n");
      await until("an oom event", () => ooms(stream).length > 0, 10_000);
      expect(ooms(stream)[0]).toEqual({ type: "oom", id: t.id });
      const seen = stats(stream).length;
      await until("statistics after it", () => stats(stream).length > seen);
      const memory = stats(stream).at(-1)?.data?.memory as { usage: Record<string, number> };
      expect(memory.usage.limit).toBe(16 * MIB);
      expect(memory.usage.max).toBeGreaterThan(15 * MIB);
      expect((await t.state()).status).toBe("running");
    },
    { skip },
  );

  rule(
    "an OOM that ends the container is reported",
    async (t) => {
      const script = "mkfifo /tmp/go; read go </tmp/go; exec dd if=/dev/zero of=/dev/null bs=64M count=1";
      await t.create(script, ownCgroup(t));
      limitMemory(t, 16 * MIB);
      await t.ok(["start", t.id]);
      const stream = follow(t, "--interval", "50ms");
      await isWatching(stream);
      writeFileSync(join(t.dir, "bundle/rootfs/tmp/go"), "\n");
      expect((await stream.running.done).code).toBe(0);
      expect(ooms(stream)).toEqual([{ type: "oom", id: t.id }]);
    },
    { skip, except: { runc: "on v1 it goes on until the cgroup is removed" } },
  );

  rule(
    "an OOM that ends a `run`, which removes the cgroup at once, is reported",
    async (t) => {
      const bundle = t.bundle(
        "mkfifo /tmp/go; read go </tmp/go; exec dd if=/dev/zero of=/dev/null bs=64M count=1",
        ownCgroup(t),
      );
      const run = t.start(["run", "--bundle", bundle, t.id]);
      await t.waitFor("running");
      await until("the fifo", () => t.exists("bundle/rootfs/tmp/go"));
      limitMemory(t, 16 * MIB);
      const stream = follow(t, "--interval", "50ms");
      await isWatching(stream);
      writeFileSync(join(t.dir, "bundle/rootfs/tmp/go"), "\n");
      expect((await run.done).code).toBe(128 + 9);
      expect((await stream.running.done).code).toBe(0);
      expect(ooms(stream).length).toBe(1);
    },
    { skip, except: { runc: "takes it for the removal of the cgroup now and then" } },
  );

  rule(
    "processes in a cgroup below the container's are counted and watched",
    async (t) => {
      const script = "mkfifo /tmp/go; read go </tmp/go; dd if=/dev/zero of=/dev/null bs=64M count=1; sleep 1000";
      await t.create(script, ownCgroup(t));
      limitMemory(t, 16 * MIB);
      for (const controller of ["memory", "pids"]) {
        mkdirSync(cgroup(t, controller, "inner"));
        writeFileSync(cgroup(t, controller, "inner/cgroup.procs"), String((await t.state()).pid));
      }
      await t.ok(["start", t.id]);
      const stream = follow(t, "--interval", "50ms");
      await isWatching(stream);
      expect((await oneEvent(t)).data?.pids).toMatchObject({ current: 1 });
      writeFileSync(join(t.dir, "bundle/rootfs/tmp/go"), "\n");
      await until("an oom event", () => ooms(stream).length > 0, 10_000);
    },
    { skip },
  );

  rule("of a container that does not exist or has stopped is an error", async (t) => {
    expect((await t.fails(["events", t.id])).stderr).toContain("container does not exist");
    await t.create("true", ownCgroup(t));
    await t.ok(["start", t.id]);
    await t.waitFor("stopped");
    for (const flags of [[], ["--stats"]]) {
      const { stderr, stdout } = await t.fails(["events", ...flags, t.id]);
      expect(stderr).toContain(`container with id ${t.id} is not running`);
      expect(stdout).toBe("");
    }
  });

  rule("an interval that is none is refused", async (t) => {
    await t.create("sleep 1000", ownCgroup(t));
    for (const interval of ["0", "-1s"]) {
      const { stderr } = await t.fails(["events", `--interval=${interval}`, t.id]);
      expect(stderr).toContain("duration interval must be greater than 0");
    }
    const { stdout, stderr } = await t.fails(["events", "--interval", "soon", t.id]);
    expect(stdout + stderr).toContain('invalid value "soon" for flag -interval: parse error');
  });

  rule(
    "--stats has the JSON of runc: the same paths and types for the same container",
    async (t) => {
      const peer = new Sandbox(reference() as Runtime);
      let theirs: string[] = [];
      try {
        await busy(peer);
        theirs = [...shape(await oneEvent(peer))].sort();
      } finally {
        await peer.end();
      }
      await busy(t);
      const ours = [...shape(await oneEvent(t))].sort();
      expect(ours).toEqual(theirs);
      expect(ours).toContain(".data.blkio.ioServiceBytesRecursive[].value: number");
      expect(ours).toContain(".data.cpu.throttling.throttledTime: number");
    },
    { skip: skip || (reference() === undefined && "no runc"), only: ["berth"], timeout: 60_000 },
  );
});
