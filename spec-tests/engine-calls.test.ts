// The calls of containerd's shim (go-runc) and of Podman's conmon, word for word: order and spelling of the flags, what is
// read back, and the log.

import { openSync, readFileSync, writeFileSync } from "node:fs";
import { expect } from "vitest";
import type { Config } from "./support/config.ts";
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

const waits = "echo up; while :; do sleep 0.1; done";

/** As the shim creates and starts. */
async function started(t: Sandbox, script = waits, edit?: (config: Config) => void): Promise<number> {
  const bundle = t.bundle(script, edit);
  await shimOk(t, ["create", "--bundle", bundle, "--pid-file", t.path("init.pid"), "--no-new-keyring", t.id]);
  await shimOk(t, ["start", t.id]);
  return Number(t.read("init.pid"));
}

function processFile(t: Sandbox, args: string[], more: object = {}): string {
  const process = { args, cwd: "/", env: ["PATH=/bin"], user: { uid: 0, gid: 0 }, ...more };
  return t.write("process.json", JSON.stringify(process));
}

/** runc does not wait until it has executed the program. */
function runsSleep(pid: string): Promise<boolean> {
  return until("the program runs", () => readFileSync(`/proc/${pid}/cmdline`, "utf8") === "sleep\0" + "1000\0");
}

/** containerd reads the last entry of the log that is an error. */
function lastError(t: Sandbox): string {
  const entries = t
    .read("log.json")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { level: string; msg: string; time: string });
  const errors = entries.filter((entry) => entry.level === "error");
  for (const { time } of entries) expect(Number.isNaN(Date.parse(time))).toBe(false);
  return errors.at(-1)?.msg ?? "";
}

suite("go-runc", (rule) => {
  rule("create, state, start, kill by number, delete", async (t) => {
    const pid = await started(t);
    const state = JSON.parse(await shimOk(t, ["state", t.id])) as Record<string, unknown>;
    expect(state).toMatchObject({ id: t.id, pid, status: "running", bundle: t.path("bundle") });
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
    const socket = t.path("console.sock");
    const receiving = startProgram([helper("receiver"), socket]);
    await until("the receiver listens", () => t.exists("console.sock"));
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
    const socket = t.path("exec.sock");
    const receiving = startProgram([helper("receiver"), socket]);
    await until("the receiver listens", () => t.exists("exec.sock"));
    const terminal = processFile(t, ["tty"], { terminal: true });
    const args = ["--console-socket", socket, "--detach", "--pid-file", t.path("tty.pid"), t.id];
    await shimOk(t, ["exec", "--process", terminal, ...args]);
    expect((await receiving.done).stdout).toContain("/dev/pts/");
  });

  rule("events --stats, events --interval", async (t) => {
    await started(t);
    const stats = JSON.parse(await shimOk(t, ["events", "--stats", t.id])) as Record<string, unknown>;
    expect(stats).toMatchObject({ type: "stats", id: t.id });
    const running = t.runtime.start([...globals(t), "events", "--interval=1s", t.id]);
    await t.waitFor("running");
    await new Promise((resolve) => setTimeout(resolve, 1500));
    await shimOk(t, ["kill", t.id, "9"]);
    await t.waitFor("stopped");
    await shimOk(t, ["delete", t.id]);
    const lines = (await running.done).stdout.trim().split("\n");
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

  rule("update --resources -, and --resources=-", async (t) => {
    await started(t);
    const resources = t.write("resources.json", JSON.stringify({ pids: { limit: 77 } }));
    await shimOk(t, ["update", "--resources", "-", t.id], { stdin: resources });
    writeFileSync(resources, JSON.stringify({ pids: { limit: 78 } }));
    await shimOk(t, ["update", "--resources=-", t.id], { stdin: resources });
    const stats = JSON.parse(await shimOk(t, ["events", "--stats", t.id])) as { data: { pids: { limit: number } } };
    expect(stats.data.pids.limit).toBe(78);
  });

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
      const socket = t.path(name);
      const receiving = startProgram([helper("receiver"), socket]);
      await until("the receiver listens", () => t.exists(name));
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
