// --systemd-cgroup with a D-Bus that does what it likes: silent, slow, talking nonsense, refusing, gone. Whatever it does,
// the command ends in time with an error, and nothing is left. The bus and its service manager are the test's own
// (support/fake-systemd.ts); the real ones are in the guest (guest/systemd.sh).

import { existsSync, openSync, readFileSync } from "node:fs";
import { expect } from "vitest";
import type { Variant } from "../src/dbus/value.ts";
import type { Config } from "./support/config.ts";
import { processFile } from "./support/engine.ts";
import { type Behaviour, FakeSystemd } from "./support/fake-systemd.ts";
import { type CallOptions, type Result, type Running, runtimes, tag } from "./support/runtime.ts";
import { type Sandbox, sleep, until } from "./support/sandbox.ts";
import { suite } from "./support/suite.ts";

/** runc's time for a job, ours for every answer, and what is allowed on top: an undo that asks once more for 5 s. */
const DEADLINE = 30_000;
const SLACK = 8000;
const LONG = { timeout: DEADLINE + 30_000 };

const NAME = "org.freedesktop.systemd1";
/** A machine that systemd has booted: the folder that says so. */
const BOOTED = [
  "unshare",
  "--mount",
  "--propagation=private",
  "sh",
  "-c",
  'mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/system && exec "$@"',
  "sh",
];

let buses = 0;

interface Bus {
  systemd: FakeSystemd;
  options: CallOptions;
}

function bus(t: Sandbox, behaviour: Behaviour = {}): Bus {
  const path = t.path(`bus-${buses++}`);
  const systemd = new FakeSystemd(path, behaviour);
  t.later(() => systemd.close());
  const env = { ...process.env, DBUS_SYSTEM_BUS_ADDRESS: `unix:path=${path}` };
  return { systemd, options: { prefix: BOOTED, env, timeout: DEADLINE + 20_000 } };
}

const unitOf = (id: string): string => `${tag()}-${id}.scope`;

/** The container's unit has the run's tag, so that what is left of it is found. */
function inUnit(id: string, edit?: (config: Config) => void): (config: Config) => void {
  return (config) => {
    config.linux.cgroupsPath = `-.slice:${tag()}:${id}`;
    edit?.(config);
  };
}

function create(t: Sandbox, { options }: Pick<Bus, "options">, id: string, edit?: (config: Config) => void): Running {
  const bundle = t.bundle("sleep 1000", inUnit(id, edit), `bundle-${id}`);
  return t.start(["--systemd-cgroup", "create", "--bundle", bundle, id], options);
}

async function refusal(t: Sandbox, behaviour: Behaviour): Promise<{ result: Result; systemd: FakeSystemd }> {
  const made = bus(t, behaviour);
  const result = await create(t, made, t.newId()).done;
  expect(result.code, JSON.stringify(result)).toBe(1);
  expect(await t.left()).toEqual([]);
  return { result, systemd: made.systemd };
}

const property = (systemd: FakeSystemd, unit: string, name: string): unknown =>
  (systemd.properties.get(unit)?.get(name) as Variant | undefined)?.value;

/** The lines of /proc/PID/cgroup that the view of this run is about. */
function ownLines(systemd: FakeSystemd, text: string): string[] {
  const unified = systemd.tree === "/sys/fs/cgroup";
  const lines = text
    .trim()
    .split("\n")
    .filter((line) => line.startsWith("0::") === unified);
  expect(lines.length).toBeGreaterThan(0);
  return lines;
}

/** The v2 view of a machine whose controllers are all on v1 has none to give. */
function pidsLimit(limit: number): { pids?: { limit: number } } {
  const list = "/sys/fs/cgroup/cgroup.controllers";
  return existsSync(list) && !readFileSync(list, "utf8").includes("pids") ? {} : { pids: { limit } };
}

const ours = runtimes().filter(({ kind }) => kind === "berth");

suite(
  "a container in a unit",
  (rule) => {
    rule("is made with all its properties at once, and its process is in the unit's cgroup", async (t) => {
      const made = bus(t);
      const { systemd } = made;
      const unit = unitOf(t.id);
      const done = await create(t, made, t.id, (config) => {
        config.linux.resources = { devices: [{ allow: false, access: "rwm" }], ...pidsLimit(77) };
        config.annotations = { "org.systemd.property.TimeoutStopSec": "uint64 5" };
      }).done;
      expect(done.code, done.stderr).toBe(0);
      expect(property(systemd, unit, "TasksMax")).toBe(pidsLimit(77).pids === undefined ? undefined : 77n);
      expect(property(systemd, unit, "TimeoutStopUSec")).toBe(5000000n);
      expect(property(systemd, unit, "Slice")).toBe("-.slice");
      expect(property(systemd, unit, "Delegate")).toBe(true);
      expect(property(systemd, unit, "DevicePolicy")).toBe("strict");
      expect(systemd.calls.filter((call) => call.includes(unit))).toEqual([`StartTransientUnit ${unit}`]);
      const { pid } = await t.state();
      expect(
        ownLines(systemd, readFileSync(`/proc/${pid}/cgroup`, "utf8")).filter((line) => !line.endsWith(`:/${unit}`)),
      ).toEqual([]);
      // The state knows of the unit: delete gets no --systemd-cgroup.
      await t.ok(["delete", "--force", t.id], made.options);
      expect(systemd.calls).toContain(`StopUnit ${unit}`);
      expect(await t.left()).toEqual([]);
    });

    rule("gets what conmon executes, which is without --systemd-cgroup, and without the bus", async (t) => {
      const made = bus(t);
      const unit = unitOf(t.id);
      const bundle = t.bundle("sleep 1000", inUnit(t.id));
      const log = ["--root", t.root, "--log-format=json", "--log", t.path("log")];
      const created = ["create", "--bundle", bundle, "--pid-file", t.path("pid"), "--no-new-keyring", t.id];
      const create = await t.runtime.call(["--systemd-cgroup", ...log, ...created], made.options);
      expect(create.code, create.stderr).toBe(0);
      await t.ok(["start", t.id]);
      const fds = [openSync("/etc/hostname", "r")];
      const file = processFile(t, ["sleep", "1000"]);
      const flags = ["--pid-file", t.path("exec.pid"), "--process", file, "--detach", "--preserve-fds", "1"];
      const exec = await t.runtime.call([...log, "exec", ...flags, t.id], { fds, cwd: "/" });
      expect(exec.code, exec.stderr).toBe(0);
      const lines = ownLines(made.systemd, readFileSync(`/proc/${t.read("exec.pid")}/cgroup`, "utf8"));
      expect(lines.filter((line) => !line.endsWith(`:/${unit}`))).toEqual([]);
      await t.ok(["delete", "--force", t.id], made.options);
      expect(await t.left()).toEqual([]);
    });

    rule("begins at the unit in its cgroup namespace", async (t) => {
      const made = bus(t);
      const bundle = t.bundle("cat /proc/self/cgroup", inUnit(t.id));
      const { stdout } = await t.ok(["--systemd-cgroup", "run", "--bundle", bundle, t.id], made.options);
      expect(ownLines(made.systemd, stdout).filter((line) => !line.endsWith(":/"))).toEqual([]);
      expect(made.systemd.calls).toContain(`StopUnit ${unitOf(t.id)}`);
    });

    rule("has a joiner's child in it, and the limit of pids only then", async (t) => {
      const made = bus(t);
      const { systemd } = made;
      const done = await create(t, made, t.id, (config) => {
        config.linux.namespaces.push({ type: "time" });
        config.linux.resources = { devices: [{ allow: false, access: "rwm" }], ...pidsLimit(1) };
      }).done;
      expect(done.code, done.stderr).toBe(0);
      const unit = unitOf(t.id);
      if (pidsLimit(1).pids !== undefined) {
        expect(systemd.calls).toContain(`SetUnitProperties ${unit}`);
        expect(property(systemd, unit, "TasksMax")).toBe(1n);
      }
      const { pid } = await t.state();
      expect(readFileSync(`${systemd.folder(unit)}/cgroup.procs`, "utf8")).toBe(`${pid}\n`);
      await t.ok(["delete", "--force", t.id], made.options);
    });

    rule("a unit of that name that has failed is taken away, once", async (t) => {
      let tries = 0;
      const made = bus(t, {
        call: (call, connection) => {
          if (call.member !== "StartTransientUnit" || tries++ > 0) return false;
          connection.error(call, `${NAME}.UnitExists`, "Unit exists.");
          return true;
        },
      });
      const done = await create(t, made, t.id).done;
      expect(done.code, done.stderr).toBe(0);
      const unit = unitOf(t.id);
      expect(made.systemd.calls.filter((call) => call.includes(unit))).toEqual([
        `StartTransientUnit ${unit}`,
        `ResetFailedUnit ${unit}`,
        `StartTransientUnit ${unit}`,
      ]);
      await t.ok(["delete", "--force", t.id], made.options);
    });

    rule("that was killed in the middle is deleted with its unit", async (t) => {
      let job = false;
      const made = bus(t, {
        call: (call, connection) => {
          if (call.member !== "StartTransientUnit") return false;
          // The unit is there, the job never ends.
          connection.removed = () => {
            job = true;
          };
          connection.start(call);
          delete (connection as { removed?: unknown }).removed;
          return true;
        },
      });
      const running = create(t, made, t.id);
      await until("the job", () => job);
      running.child.kill("SIGKILL");
      await running.done;
      await t.ok(["delete", "--force", t.id], made.options);
      expect(made.systemd.calls).toContain(`StopUnit ${unitOf(t.id)}`);
      expect(existsSync(made.systemd.folder(unitOf(t.id)))).toBe(false);
      expect(await t.left()).toEqual([]);
    });

    rule("of which systemd cannot be told any more is deleted with --force alone", async (t) => {
      const made = bus(t);
      await create(t, made, t.id).done;
      await t.ok(["kill", t.id, "KILL"], made.options);
      await t.waitFor("stopped");
      await made.systemd.close();
      const refused = await t.fails(["delete", t.id], made.options);
      expect(refused.stderr).toContain("nobody listens");
      const forced = await t.ok(["delete", "--force", t.id], made.options);
      expect(forced.stderr).toContain("nobody listens");
      expect(await t.left()).toEqual([]);
    });
  },
  ours,
);

suite(
  "a D-Bus that",
  (rule) => {
    rule("is not there is named", async (t) => {
      const env = { ...process.env, DBUS_SYSTEM_BUS_ADDRESS: `unix:path=${t.path("nobody")}` };
      const result = await create(t, { options: { prefix: BOOTED, env } }, t.newId()).done;
      expect(result.stderr).toContain(t.path("nobody"));
      expect(result.code).toBe(1);
    });

    rule("is on a machine that systemd has not booted is not asked", async (t) => {
      const made = bus(t);
      const prefix = BOOTED.map((word) => word.replace("mkdir -p /run/systemd/system", "true"));
      const result = await create(t, { ...made, options: { ...made.options, prefix } }, t.newId()).done;
      expect(result.stderr).toContain("systemd not running on this host, cannot use systemd cgroups manager");
      expect(made.systemd.calls).toEqual([]);
    });

    rule("refuses us", async (t) => {
      const { result } = await refusal(t, {
        line: (_, { socket }) => socket.write("REJECTED DBUS_COOKIE_SHA1\r\n") || true,
      });
      expect(result.stderr).toContain("REJECTED");
    });

    rule("talks nonsense instead of letting us in", async (t) => {
      await refusal(t, { connected: (socket) => socket.write(Buffer.alloc(5000, 0xfe)) || true });
      await refusal(t, { connected: (socket) => socket.write("HTTP/1.1 400 Bad Request\r\n\r\n") || true });
    });

    rule("talks nonsense after it", async (t) => {
      for (const bytes of [
        Buffer.alloc(100, 0xff),
        Buffer.from("l\x02\x00\x01\xff\xff\xff\x7f\x01\0\0\0\xff\xff\xff\x7f", "latin1"),
      ]) {
        const { result } = await refusal(t, {
          line: (line, { socket }) => line === "BEGIN" && (socket.write(bytes) || true),
        });
        expect(result.stderr).toContain("malformed D-Bus message");
      }
    });

    rule("goes away, at any time", async (t) => {
      await refusal(t, { connected: (socket) => socket.destroy() !== undefined });
      for (const gone of ["AUTH EXTERNAL", "DATA", "BEGIN"]) {
        await refusal(t, { line: (line, { socket }) => line === gone && socket.destroy() !== undefined });
      }
      for (const gone of ["Hello", "Get", "StartTransientUnit"]) {
        const { result } = await refusal(t, {
          call: (call, { socket }) => call.member === gone && socket.destroy() !== undefined,
        });
        expect(result.stderr).toMatch(/closed the connection|broke off/);
      }
      // The unit was made, and nobody has told us: it is taken back.
      const { systemd } = await refusal(t, {
        call: (call, connection) => {
          if (call.member !== "StartTransientUnit") return false;
          connection.reply = () => {
            connection.socket.destroy();
          };
          connection.start(call);
          return true;
        },
      });
      expect(systemd.calls.at(-2)).toMatch(/^StopUnit /);
    });

    rule("says no", async (t) => {
      for (const member of ["Hello", "AddMatch", "Get", "StartTransientUnit"]) {
        const { result, systemd } = await refusal(t, {
          call: (call, connection) => {
            if (call.member !== member) return false;
            connection.error(call, "org.freedesktop.DBus.Error.AccessDenied", "Not today");
            return true;
          },
        });
        expect(result.stderr).toContain("Not today");
        expect(systemd.calls.filter((call) => call.startsWith("StopUnit"))).toEqual([]);
      }
    });

    rule("has another's unit of that name: it is left alone", async (t) => {
      const { result, systemd } = await refusal(t, {
        call: (call, connection) => {
          if (call.member !== "StartTransientUnit") return false;
          connection.error(call, `${NAME}.UnitExists`, "Unit exists.");
          return true;
        },
      });
      expect(result.stderr).toContain("there is one with that name");
      expect(systemd.calls.filter((call) => call.startsWith("StopUnit"))).toEqual([]);
    });

    rule("fails to start the unit", async (t) => {
      const { result, systemd } = await refusal(t, {
        call: (call, connection) => {
          if (call.member !== "StartTransientUnit") return false;
          connection.start(call, "failed");
          return true;
        },
      });
      expect(result.stderr).toContain("failed");
      expect(systemd.calls.some((call) => call.startsWith("ResetFailedUnit"))).toBe(true);
    });

    rule("puts the process somewhere else", async (t) => {
      const { result } = await refusal(t, {
        call: (call, connection) => {
          if (call.member !== "StartTransientUnit") return false;
          const properties = call.body[2] as [string, Variant][];
          call.body[2] = properties.filter(([name]) => name !== "PIDs");
          connection.start(call);
          return true;
        },
      });
      expect(result.stderr).toContain("another cgroup");
    });

    rule("lets somebody else speak for systemd is not believed", async (t) => {
      let told = 0;
      const made = bus(t, {
        call: (call, connection) => {
          if (call.member !== "StartTransientUnit") return false;
          const removed = connection.removed.bind(connection);
          connection.removed = (job, unit, result) => {
            if (unit.startsWith("other")) return;
            removed(job, unit, "failed", ":1.666");
            told = Date.now();
            setTimeout(() => removed(job, unit, result), 200);
          };
          connection.start(call);
          return true;
        },
      });
      const done = await create(t, made, t.id).done;
      expect(done.code, done.stderr).toBe(0);
      expect(Date.now() - told).toBeGreaterThan(150);
      made.systemd.behaviour.call = () => false;
      await t.ok(["delete", "--force", t.id], made.options);
    });

    rule(
      "does not answer, or never comes to an end, is waited for until the deadline",
      async (t) => {
        const trickle: Behaviour = {
          connected: (socket) => {
            socket.on("data", () => {});
            const timer = setInterval(() => socket.write("D"), 100);
            socket.on("close", () => clearInterval(timer));
            return true;
          },
        };
        const ignore = (member: string): Behaviour => ({ call: (call) => call.member === member });
        const endless: Behaviour = {
          call: (call, connection) => {
            if (call.member !== "StartTransientUnit") return false;
            const removed = connection.removed.bind(connection);
            connection.removed = () => {};
            connection.start(call);
            const timer = setInterval(() => removed(`/org/freedesktop/systemd1/job/5`, "x.service", "done"), 10);
            connection.socket.on("close", () => clearInterval(timer));
            return true;
          },
        };
        const kinds: Behaviour[] = [
          { connected: () => true },
          trickle,
          { line: (line) => line === "DATA" },
          ignore("Hello"),
          ignore("StartTransientUnit"),
          endless,
        ];
        const running = kinds.map((kind) => create(t, bus(t, kind), t.newId()));
        for (const result of await Promise.all(running.map(({ done }) => done))) {
          expect(result.timedOut).toBe(false);
          expect(result.code).toBe(1);
          expect(result.stderr).toMatch(/does not answer/);
          expect(result.ms).toBeGreaterThan(DEADLINE - 1000);
          expect(result.ms).toBeLessThan(DEADLINE + SLACK);
        }
        expect(await t.left()).toEqual([]);
      },
      LONG,
    );

    rule("is waited for: SIGTERM ends that at once", async (t) => {
      for (const member of ["StartTransientUnit"]) {
        const made = bus(t, { call: (call) => call.member === member });
        const running = create(t, made, t.newId());
        await until(member, () => made.systemd.calls.some((call) => call.startsWith(member)));
        await sleep(50);
        const begin = Date.now();
        running.child.kill("SIGTERM");
        const result = await running.done;
        expect(result.stderr).toContain("interrupted by signal 15");
        expect(Date.now() - begin).toBeLessThan(5000);
        expect(await t.left()).toEqual([]);
      }
    });
  },
  ours,
);
