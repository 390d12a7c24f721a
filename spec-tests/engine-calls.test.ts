// The calls of containerd's shim (go-runc) and of Podman's conmon, word for word: order and spelling of the flags, what is
// read back, and the log.

import { openSync, readFileSync, writeFileSync } from "node:fs";
import { expect } from "vitest";
import { cgroupOf, view } from "./support/cgroup-of.ts";
import type { Config } from "./support/config.ts";
import { processFile, receiver, runsSleep, waits } from "./support/engine.ts";
import { helper } from "./support/helpers.ts";
import { type CallOptions, type Result, startProgram } from "./support/runtime.ts";
import { type Sandbox, until } from "./support/sandbox.ts";
import { suite } from "./support/suite.ts";

/** go-runc's global flags; the log is the container's. */
const globals = (t: Sandbox): string[] => ["--root", t.root, "--log", t.path("log.json"), "--log-format", "json"];

function shim(t: Sandbox, args: readonly string[], options?: CallOptions): Promise<Result> {
  return t.runtime.call([...globals(t), ...args], options);
}

async function shimOk(t: Sandbox, args: readonly string[], options?: CallOptions): Promise<string> {
  const result = await shim(t, args, options);
  expect(`${args[0]} ${result.code} ${result.stderr}`).toBe(`${args[0]} 0 `);
  return result.stdout;
}

/** As the shim creates and starts. */
async function started(t: Sandbox, script = waits, edit?: (config: Config) => void): Promise<number> {
  const bundle = t.bundle(script, edit);
  await shimOk(t, ["create", "--bundle", bundle, "--pid-file", t.path("init.pid"), "--no-new-keyring", t.id]);
  await shimOk(t, ["start", t.id]);
  return Number(t.read("init.pid"));
}

/** What Go's time.Time takes. */
const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/** containerd reads the last entry of the log that is an error. */
function lastError(t: Sandbox): string {
  const entries = t
    .read("log.json")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { level: string; msg: string; time: string });
  const errors = entries.filter((entry) => entry.level === "error");
  for (const { time } of entries) expect(time).toMatch(RFC3339);
  return errors.at(-1)?.msg ?? "";
}

const NO_LIMITS = view === "v2" && "the controllers of this machine are v1's";

/** What go-runc's Stats do not have. */
const MORE = ["psi", "cpuset", "intel_rdt"];

/** go-runc's Stats are uint64 everywhere. */
function notUint64(value: unknown, path = "data"): string[] {
  if (typeof value === "number") return Number.isInteger(value) && value >= 0 ? [] : [`${path}: ${value}`];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    MORE.includes(key) ? [] : notUint64(inner, `${path}.${key}`),
  );
}

suite("go-runc", (rule) => {
  rule("create, state, start, kill by number, delete", async (t) => {
    const pid = await started(t);
    const state = JSON.parse(await shimOk(t, ["state", t.id])) as Record<string, unknown>;
    expect(state).toMatchObject({ id: t.id, pid, status: "running", bundle: t.path("bundle") });
    expect(state.created).toMatch(RFC3339);
    const listed = JSON.parse(await shimOk(t, ["list", "--format=json"])) as { id: string; pid: number }[];
    expect(listed.map(({ id }) => id)).toEqual([t.id]);
    await shimOk(t, ["kill", t.id, "9"]);
    await t.waitFor("stopped");
    await shimOk(t, ["delete", t.id]);
    expect(await t.left()).toEqual([]);
  });

  rule("delete --force of what runs and of what is not there", async (t) => {
    await started(t);
    await shimOk(t, ["delete", "--force", t.id]);
    await shimOk(t, ["delete", "--force", t.id]);
    expect(await t.left()).toEqual([]);
  });

  rule("kill --all reaches the container", async (t) => {
    await started(t);
    await shimOk(t, ["kill", "--all", t.id, "9"]);
    await t.waitFor("stopped");
  });

  rule("create with extra files: --preserve-fds", async (t) => {
    const file = openSync(t.write("note", "from outside\n"), "r");
    const bundle = t.bundle("cat <&3 >/got");
    const args = ["create", "--bundle", bundle, "--pid-file", t.path("pid"), "--no-pivot", "--preserve-fds", "1", t.id];
    await shimOk(t, args, { fds: [file] });
    await shimOk(t, ["start", t.id]);
    await t.waitFor("stopped");
    expect(t.read("bundle/rootfs/got")).toBe("from outside\n");
  });

  rule("create with a terminal: --console-socket", async (t) => {
    const { socket, receiving } = await receiver(t, "console.sock");
    const bundle = t.bundle("tty", (config) => {
      config.process.terminal = true;
    });
    await shimOk(t, ["create", "--bundle", bundle, "--pid-file", t.path("pid"), "--console-socket", socket, t.id]);
    await shimOk(t, ["start", t.id]);
    expect((await receiving.done).stdout).toContain("/dev/pts/0");
  });

  rule("run --detach --no-pivot", async (t) => {
    const bundle = t.bundle(waits);
    await shimOk(t, ["run", "--bundle", bundle, "--pid-file", t.path("pid"), "--no-pivot", "--detach", t.id]);
    expect((await t.state()).pid).toBe(Number(t.read("pid")));
  });

  rule("exec --process: attached, detached, with a terminal", async (t) => {
    await started(t);
    const attached = await shim(t, ["exec", "--process", processFile(t, ["sh", "-c", "echo out; exit 6"]), t.id]);
    expect(`${attached.code} ${attached.stdout}`).toBe("6 out\n");
    const sleeper = processFile(t, ["sleep", "1000"]);
    await shimOk(t, ["exec", "--process", sleeper, "--detach", "--pid-file", t.path("exec.pid"), t.id]);
    await runsSleep(t.read("exec.pid"));
    const { socket, receiving } = await receiver(t, "exec.sock");
    const terminal = processFile(t, ["tty"], { terminal: true });
    const args = ["--console-socket", socket, "--detach", "--pid-file", t.path("tty.pid"), t.id];
    await shimOk(t, ["exec", "--process", terminal, ...args]);
    expect((await receiving.done).stdout).toContain("/dev/pts/");
  });

  rule("events --stats, events --interval", async (t) => {
    await started(t);
    const stats = JSON.parse(await shimOk(t, ["events", "--stats", t.id])) as Record<string, unknown>;
    expect(stats).toMatchObject({ type: "stats", id: t.id });
    expect(notUint64(stats.data)).toEqual([]);
    if (NO_LIMITS) return; // Nobody can tell of OOM then.
    const out = t.path("events");
    const prefix = ["sh", "-c", `exec "$@" >${out}`, "sh"];
    const running = t.runtime.start([...globals(t), "events", "--interval=1s", t.id], { prefix });
    await until("a line", () => t.exists("events") && t.read("events").includes("\n"));
    await shimOk(t, ["kill", t.id, "9"]);
    await t.waitFor("stopped");
    await shimOk(t, ["delete", t.id]);
    expect((await running.done).code).toBe(0);
    const lines = t.read("events").trim().split("\n");
    expect(lines.map((line) => (JSON.parse(line) as { type: string }).type)).toContain("stats");
  });

  rule("ps --format json; --format table with options of ps behind the id", async (t) => {
    const pid = await started(t);
    const pids = JSON.parse(await shimOk(t, ["ps", "--format", "json", t.id])) as number[];
    expect(pids).toContain(pid);
    const table = (await shimOk(t, ["ps", "--format", "table", t.id, "-ef"])).trim().split("\n");
    expect(table[0]?.trim().split(/\s+/).slice(0, 2)).toEqual(["UID", "PID"]);
    expect(table.slice(1).map((line) => Number(line.trim().split(/\s+/)[1]))).toContain(pid);
  });

  rule(
    "update --resources -, and --resources=-",
    async (t) => {
      await started(t);
      const resources = t.write("resources.json", JSON.stringify({ pids: { limit: 77 } }));
      await shimOk(t, ["update", "--resources", "-", t.id], { stdin: resources });
      writeFileSync(resources, JSON.stringify({ pids: { limit: 78 } }));
      await shimOk(t, ["update", "--resources=-", t.id], { stdin: resources });
      const stats = JSON.parse(await shimOk(t, ["events", "--stats", t.id])) as { data: { pids: { limit: number } } };
      expect(stats.data.pids.limit).toBe(78);
    },
    { skip: NO_LIMITS },
  );

  rule(
    "update with all that a spec has, as the CRI sends it: a device that a hook has allowed stays",
    async (t) => {
      const devices: object[] = [{ allow: false, access: "rwm" }];
      devices.push({ allow: true, type: "c", major: 240, minor: 1, access: "rw" });
      const pid = await started(t, waits, ({ linux }) => {
        linux.resources = { devices };
      });
      const folder = cgroupOf(pid, "devices");
      const rules = (): string => readFileSync(`${folder}/devices.list`, "utf8");
      writeFileSync(`${folder}/devices.allow`, "c 195:0 rw");
      const before = rules();
      expect(before).toContain("c 195:0 rw\n");
      const update = async (rest: object): Promise<void> => {
        const limits = { pids: { limit: 66 }, memory: { limit: 1 << 28 }, cpu: { shares: 512 }, network: {} };
        const stdin = t.write("resources.json", JSON.stringify({ ...limits, hugepageLimits: [], ...rest }));
        await shimOk(t, ["update", "--resources=-", t.id], { stdin });
      };
      for (let times = 0; times < 2; times++) {
        await update({ devices });
        expect(rules()).toBe(before);
      }
      if (t.runtime.kind === "runc") return; // It changes no devices.
      // Rules that are new replace them all, and config.json's are new then.
      await update({ devices: devices.slice(0, 1) });
      expect(rules()).not.toContain("195:0");
      await update({ devices });
      expect(rules()).toContain("c 240:1 rw\n");
      expect(rules()).not.toContain("195:0");
    },
    { skip: NO_LIMITS, except: { crun: "crun replaces them" } },
  );

  rule(
    "run in the foreground; --debug and --rootless do not disturb",
    async (t) => {
      const bundle = t.bundle("echo out; exit 6");
      const args = ["--debug", ...globals(t), "--rootless=false"];
      const pidFile = ["--pid-file", t.path("pid"), "--no-pivot"];
      const result = await t.runtime.call([...args, "run", "--bundle", bundle, ...pidFile, t.id]);
      expect(`${result.code} ${result.stdout}`).toBe("6 out\n");
      const none = await t.runtime.call([...args, "state", t.id]);
      expect(none.code).toBe(1);
      expect(lastError(t)).toContain("does not exist");
    },
    { except: { crun: "has other words" } },
  );

  rule(
    "exec with a terminal and a pidfd",
    async (t) => {
      await started(t);
      const { socket, receiving } = await receiver(t, "exec.sock");
      const pidfd = startProgram([helper("pidfd"), t.path("pidfd.sock"), t.path("go")]);
      await until("the receiver listens", () => t.exists("pidfd.sock"));
      const process = processFile(t, ["sleep", "1000"], { terminal: true });
      const sockets = ["--console-socket", socket, "--pidfd-socket", t.path("pidfd.sock")];
      await shimOk(t, ["exec", "--process", process, ...sockets, "--detach", "--pid-file", t.path("p"), t.id]);
      const pid = t.read("p");
      writeFileSync(t.path("go"), "");
      expect((await pidfd.done).stdout).toBe(`message setns\npid ${pid}\n`);
      expect((await receiving.done).stdout).toContain("size ");
    },
    { only: ["berth"] },
  );

  rule(
    "create with a terminal, a pidfd and everything else",
    async (t) => {
      const { socket, receiving } = await receiver(t, "create.sock");
      t.helper(receiving.child);
      const pidfd = startProgram([helper("pidfd"), t.path("pidfd.sock"), t.path("go")]);
      await until("the receiver listens", () => t.exists("pidfd.sock"));
      const bundle = t.bundle(waits, (config) => {
        config.process.terminal = true;
      });
      const sockets = ["--console-socket", socket, "--pidfd-socket", t.path("pidfd.sock")];
      const more = ["--no-pivot", "--no-new-keyring", "--preserve-fds", "1"];
      const fds = [openSync("/etc/hostname", "r")];
      await shimOk(t, ["create", "--bundle", bundle, "--pid-file", t.path("pid"), ...sockets, ...more, t.id], { fds });
      expect((await t.state()).status).toBe("created");
      writeFileSync(t.path("go"), "");
      expect((await pidfd.done).stdout).toBe(`message standard\npid ${t.read("pid")}\n`);
      await t.waitFor("stopped");
      await shimOk(t, ["delete", t.id]);
    },
    { only: ["berth"] },
  );

  rule(
    "checkpoint and restore, which there are not: an error in the log, and the container lives on",
    async (t) => {
      await started(t);
      const image = ["--image-path", t.path("image"), "--work-path", t.path("work")];
      const modes = [
        "--tcp-established",
        "--ext-unix-sk",
        "--shell-job",
        "--file-locks",
        "--manage-cgroups-mode",
        "soft",
      ];
      expect((await shim(t, ["checkpoint", ...image, ...modes, "--leave-running", t.id])).code).toBe(1);
      expect(lastError(t)).toContain("cannot checkpoint");
      const created = ["--detach", "--pid-file", t.path("p"), "-no-subreaper", "--bundle", t.path("bundle")];
      expect((await shim(t, ["restore", ...image, ...created, t.newId()])).code).toBe(1);
      expect(lastError(t)).toContain("cannot restore");
      expect((await t.state()).status).toBe("running");
      // Podman and CRI-O find out so what a runtime can do.
      expect((await t.runtime.call(["checkpoint", "--help"])).code).not.toBe(0);
      const pod = await t.runtime.call(["restore", "--lsm-mount-context"]);
      expect(pod.stdout + pod.stderr).not.toMatch(/(flag needs|requires) an argument/);
    },
    { only: ["berth"] },
  );

  rule("pause, resume", async (t) => {
    await started(t);
    await shimOk(t, ["pause", t.id]);
    expect((JSON.parse(await shimOk(t, ["state", t.id])) as { status: string }).status).toBe("paused");
    await shimOk(t, ["resume", t.id]);
    expect((JSON.parse(await shimOk(t, ["state", t.id])) as { status: string }).status).toBe("running");
  });

  rule(
    "--version: three lines, the words behind `version ` and `: `",
    async (t) => {
      const lines = (await shimOk(t, ["--version"])).trim().split("\n");
      expect(lines.length).toBe(3);
      expect(lines[0]?.split("version ").length).toBe(2);
      for (const line of lines.slice(1)) expect(line.split(": ").length).toBe(2);
    },
    { except: { runc: "Debian's has two more lines", crun: "has other lines" } },
  );

  rule(
    "an error is in the log, as JSON, and on standard error",
    async (t) => {
      const bundle = t.bundle("true", (config) => {
        config.process.args = ["/no/such"];
      });
      const result = await shim(t, ["create", "--bundle", bundle, "--pid-file", t.path("pid"), t.id]);
      expect(result.code).toBe(1);
      expect(lastError(t)).toContain("no such file or directory");
      expect(t.exists("pid")).toBe(false);
      await started(t);
      const failed = await shim(t, [
        "exec",
        "--process",
        processFile(t, ["nosuch"]),
        "--pid-file",
        t.path("pid"),
        t.id,
      ]);
      expect(failed.code).not.toBe(0);
      expect(lastError(t)).toContain("executable file not found");
      await shimOk(t, ["kill", t.id, "9"]);
      await t.waitFor("stopped");
      expect((await shim(t, ["kill", t.id, "15"])).code).toBe(1);
      // What the shim takes for "it has ended already".
      expect(lastError(t)).toContain("container not running");
    },
    { except: { crun: "has other words" } },
  );
});

suite("conmon", (rule) => {
  const conmon = (t: Sandbox, args: readonly string[], options?: CallOptions) =>
    t.runtime.call(["--root", t.root, "--log-format=json", `--log=${t.path("oci-log")}`, ...args], options);

  rule("create --bundle --pid-file --no-pivot --no-new-keyring, start, exec --detach, delete", async (t) => {
    const bundle = t.bundle(waits);
    const pidFile = t.path("pidfile");
    const flags = ["--no-pivot", "--no-new-keyring"];
    expect((await conmon(t, ["create", "--bundle", bundle, "--pid-file", pidFile, ...flags, t.id])).code).toBe(0);
    expect((await conmon(t, ["start", t.id])).code).toBe(0);
    expect((await t.state()).pid).toBe(Number(t.read("pidfile")));
    const args = ["--pid-file", t.path("exec_pid"), "--process", processFile(t, ["sleep", "1000"]), "--detach", t.id];
    expect((await conmon(t, ["exec", ...args])).code).toBe(0);
    await runsSleep(t.read("exec_pid"));
    expect((await conmon(t, ["kill", t.id, "9"])).code).toBe(0);
    await t.waitFor("stopped");
    expect((await conmon(t, ["delete", t.id])).code).toBe(0);
    expect(await t.left()).toEqual([]);
  });

  rule("create and exec with a terminal", async (t) => {
    const session = async (name: string, args: (socket: string) => string[]): Promise<string> => {
      const { socket, receiving } = await receiver(t, name);
      const result = await conmon(t, args(socket));
      expect(`${result.code} ${result.stderr}`).toBe("0 ");
      if (name === "create.sock") expect((await conmon(t, ["start", t.id])).code).toBe(0);
      else return (await receiving.done).stdout;
      t.helper(receiving.child);
      return "";
    };
    const bundle = t.bundle(waits, (config) => {
      config.process.terminal = true;
    });
    await session("create.sock", (socket) => {
      return ["create", "--bundle", bundle, "--pid-file", t.path("pid"), "--console-socket", socket, t.id];
    });
    const shown = await session("exec.sock", (socket) => {
      const process = processFile(t, ["tty"], { terminal: true });
      return ["exec", "--pid-file", t.path("p"), "--process", process, "--detach", "--console-socket", socket, t.id];
    });
    expect(shown).toContain("/dev/pts/");
  });
});
