// Whatever step fails, and whenever the runtime is killed, nothing is left behind. The test build (dist/test/berth) fails
// or stops where it is told: at the nth operation of init, at the nth call into the native library.

import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { expect } from "vitest";
import { type Config, withUserNamespace } from "./support/config.ts";
import { helper } from "./support/helpers.ts";
import type { Result, Running } from "./support/runtime.ts";
import { type Sandbox, sleep, until } from "./support/sandbox.ts";
import { allowing, notifying, startAgent } from "./support/seccomp.ts";
import { suite } from "./support/suite.ts";
import { testBuild } from "./support/test-build.ts";

const runtimes = testBuild("failure.test.ts");

const EIO = 5;
/** connect(2) of x86-64. */
const CONNECT = 42;
const EIO_TEXT = /input\/output error/i;
const MINUTES = 60_000;
/** More operations or native calls than any command has: an endless loop ends. */
const END = 3000;

interface Case {
  title: string;
  edit: (t: Sandbox) => Promise<(config: Config) => void>;
  args?: (t: Sandbox) => string[];
}

/** One of nearly everything that makes an operation. */
function much(t: Sandbox): (config: Config) => void {
  mkdirSync(t.path("src"), { recursive: true });
  writeFileSync(t.path("file"), "x");
  return (config) => {
    config.process.user = { uid: 1000, gid: 1000, umask: 0o27, additionalGids: [5, 7] };
    config.process.oomScoreAdj = 100;
    config.process.ioPriority = { class: "IOPRIO_CLASS_BE", priority: 5 };
    config.root.readonly = true;
    config.mounts.push(
      { destination: "/bound", type: "bind", source: t.path("src"), options: ["rbind", "ro", "rprivate"] },
      { destination: "/bound-file", type: "bind", source: t.path("file"), options: ["bind"] },
      { destination: "/etc", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup", "nosuid"] },
      { destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["ro", "nosuid", "noexec", "nodev"] },
    );
    config.linux.devices = [{ path: "/dev/extra", type: "c", major: 1, minor: 5 }];
    config.linux.sysctl = { "kernel.msgmax": "4096" };
    const hook = { path: "/bin/true", args: ["true"], timeout: 5 };
    config.hooks = { prestart: [hook], createRuntime: [hook], createContainer: [hook], startContainer: [hook] };
  };
}

async function holdNetwork(t: Sandbox): Promise<string> {
  const script = "echo ready; exec sleep 1000";
  const child = t.helper(spawn("unshare", ["--net", "sh", "-c", script], { stdio: ["ignore", "pipe", "ignore"] }));
  await new Promise((resolve) => child.stdout?.once("data", resolve));
  return `/proc/${child.pid}/ns/net`;
}

async function listen(t: Sandbox): Promise<void> {
  const connections: Socket[] = [];
  // Never read, so that the terminal stays open in the socket's queue.
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    connections.push(socket);
    socket.on("error", () => {});
  });
  await new Promise<void>((resolve) => server.listen(t.path("console"), resolve));
  t.later(() => {
    for (const socket of connections) socket.destroy();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
}

const CASES: readonly Case[] = [
  {
    title: "a container with much of everything",
    edit: async (t) => {
      const agent = await startAgent(t);
      const edit = much(t);
      return (config) => {
        edit(config);
        config.linux.seccomp = notifying(agent.path, ["mkdir"], { listenerMetadata: "data" });
      };
    },
  },
  {
    title: "a seccomp filter that needs a capability",
    edit: async () => (config) => {
      config.process.noNewPrivileges = false;
      config.process.user = { uid: 1000, gid: 1000 };
      config.linux.seccomp = allowing({ names: ["mkdir"], action: "SCMP_ACT_ERRNO" });
    },
  },
  {
    title: "user, time and joined namespaces",
    edit: async (t) => {
      const path = await holdNetwork(t);
      return (config) => {
        withUserNamespace(config);
        config.linux.namespaces = config.linux.namespaces.filter((namespace) => namespace.type !== "network");
        config.linux.namespaces.push({ type: "network", path }, { type: "time" });
        config.linux.timeOffsets = { boottime: { secs: 100 } };
        // The joined network namespace does not belong to the new user namespace: no sysfs of it.
        config.mounts = config.mounts.filter((mount) => mount.type !== "sysfs");
      };
    },
  },
  {
    title: "a terminal",
    edit: async (t) => {
      await listen(t);
      return (config) => {
        config.process.terminal = true;
      };
    },
    args: (t) => ["--console-socket", t.path("console")],
  },
];

const withFailpoint = (env: Record<string, string>) => ({ env: { ...process.env, ...env }, timeout: 10_000 });

/** The bundle of the case and the words of `create` and of `run --detach` but the id. */
async function prepare(t: Sandbox, item: Case): Promise<{ create: string[]; run: string[] }> {
  const bundle = t.bundle("true", await item.edit(t));
  const more = ["--bundle", bundle, ...(item.args?.(t) ?? [])];
  return { create: ["create", ...more], run: ["run", ...(item.args === undefined ? [] : ["--detach"]), ...more] };
}

/** Collects what is wrong in words; nothing of one round may spoil the next. */
class Findings {
  readonly #t: Sandbox;
  readonly list: string[] = [];

  constructor(t: Sandbox) {
    this.#t = t;
  }

  add(where: string, what: string): void {
    if (this.list.length < 20) this.list.push(`${where}: ${what}`);
  }

  /** Enough has been found: each finding costs seconds. */
  get full(): boolean {
    return this.list.length >= 20;
  }

  /** Nothing may be left now; if so, it is reported and taken away. */
  async nothingLeft(where: string, id: string): Promise<void> {
    const left = await this.#t.left();
    if (left.length === 0) return;
    this.add(where, `left behind ${left.join(", ")}`);
    await this.clean(id);
  }

  async clean(id: string): Promise<void> {
    await this.#t.call(["delete", "--force", id]);
    for (const line of await this.#t.left(200)) {
      const pid = /^process (\d+)/.exec(line)?.[1];
      if (pid !== undefined) process.kill(Number(pid), "SIGKILL");
    }
  }

  /** `delete --force` must take everything away in one try. */
  async deleted(where: string, id: string): Promise<void> {
    const result = await this.#t.call(["delete", "--force", id]);
    if (result.code !== 0) this.add(where, `delete --force: ${result.stderr}`);
    await this.nothingLeft(where, id);
  }
}

function describe(result: Result): string {
  return `exit ${result.code ?? result.signal}${result.timedOut ? " (timed out)" : ""}: ${result.stderr.trim()}`;
}

suite(
  "a failing operation of init",
  (rule) => {
    for (const item of CASES) {
      rule(
        `create or start reports operation, errno and config field and leaves nothing, for every operation of ${item.title}`,
        async (t) => {
          const { create } = await prepare(t, item);
          const findings = new Findings(t);
          let waits = 0;
          let op = 0;
          for (; op < END && !findings.full; op++) {
            const id = t.newId();
            const where = `op ${op}`;
            const created = await t.call([...create, id], withFailpoint({ BERTH_INIT_FAILPOINT: `fail=${op}:${EIO}` }));
            let failed = created;
            if (created.code === 0) {
              failed = await t.call(["start", id], { timeout: 10_000 });
              if (failed.code === 0) {
                await findings.deleted(where, id);
                break;
              }
              // What start could not do: the container has stopped and can be deleted without --force.
              await t.waitFor("stopped", id);
              const result = await t.call(["delete", id]);
              if (result.code !== 0) findings.add(where, `delete after a failed start: ${describe(result)}`);
            }
            // The two waits between create and start: nobody is there to be told which of them it was.
            if (!failed.timedOut && waits < 2 && /init process died|has stopped/.test(failed.stderr)) {
              waits++;
              await findings.nothingLeft(where, id);
              continue;
            }
            if (failed.timedOut || !EIO_TEXT.test(failed.stderr)) findings.add(where, describe(failed));
            if (!new RegExp(`\\bop ${op}\\b`).test(failed.stderr))
              findings.add(where, `names no operation: ${failed.stderr.trim()}`);
            await findings.nothingLeft(where, id);
          }
          process.stdout.write(`${item.title}: ${op} operations\n`);
          expect(findings.list).toEqual([]);
          expect(op).toBeGreaterThan(50);
          expect(op).toBeLessThan(END);
        },
        { timeout: 5 * MINUTES },
      );
    }

    rule(
      "run reports it as well, for every operation",
      async (t) => {
        const { run } = await prepare(t, CASES[0] as Case);
        const findings = new Findings(t);
        let waits = 0;
        let op = 0;
        for (; op < END && !findings.full; op++) {
          const id = t.newId();
          const result = await t.call([...run, id], withFailpoint({ BERTH_INIT_FAILPOINT: `fail=${op}:${EIO}` }));
          if (result.code === 0) break;
          // wait_start alone cannot be named: nobody is there to be told.
          if (/init process died/.test(result.stderr)) waits++;
          else if (!EIO_TEXT.test(result.stderr)) findings.add(`op ${op}`, describe(result));
          await findings.nothingLeft(`op ${op}`, id);
        }
        expect(findings.list).toEqual([]);
        expect(waits).toBeLessThanOrEqual(1);
        expect(op).toBeGreaterThan(50);
      },
      { timeout: 5 * MINUTES },
    );
  },
  runtimes,
);

/** All processes that are an init of ours, by their name. */
function inits(): number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => {
      try {
        return Number.isInteger(pid) && /^berth:/.test(readFileSync(`/proc/${pid}/comm`, "utf8"));
      } catch {
        return false;
      }
    });
}

function stoppedInit(): number | undefined {
  return inits().find((pid) => {
    try {
      return readFileSync(`/proc/${pid}/comm`, "utf8") === "berth:stop\n";
    } catch {
      return false;
    }
  });
}

/** "ended", or "stopped" when the process stopped itself. */
async function settled(running: Running): Promise<"ended" | "stopped"> {
  let ended = false;
  running.done.then(() => {
    ended = true;
  });
  for (;;) {
    await sleep(1);
    if (ended) return "ended";
    try {
      if (/\) T /.test(readFileSync(`/proc/${running.pid}/stat`, "utf8"))) return "stopped";
    } catch {
      // It has just ended.
    }
  }
}

suite(
  "the runtime is killed",
  (rule) => {
    for (const item of CASES) {
      rule(
        `while init is at any operation of ${item.title}: init ends by itself, delete --force removes all in one try`,
        async (t) => {
          const { create } = await prepare(t, item);
          const findings = new Findings(t);
          let op = 0;
          for (; op < END && !findings.full; op++) {
            const id = t.newId();
            const running = t.start([...create, id], withFailpoint({ BERTH_INIT_FAILPOINT: `stop=${op}` }));
            let ended = false;
            running.done.then(() => {
              ended = true;
            });
            await until("init stops or create ends", () => ended || stoppedInit() !== undefined);
            if (ended) {
              await findings.deleted(`op ${op}`, id);
              break;
            }
            running.child.kill("SIGKILL");
            await running.done;
            await until("init ends", () => inits().length === 0, 2000).catch(() =>
              findings.add(`op ${op}`, "init does not end"),
            );
            await findings.deleted(`op ${op}`, id);
          }
          expect(findings.list).toEqual([]);
          expect(op).toBeGreaterThan(50);
        },
        { timeout: 5 * MINUTES },
      );
    }

    for (const command of ["create", "start", "run", "delete", "kill"] as const) {
      rule(
        `at any native call of ${command}: delete --force removes all in one try`,
        async (t) => {
          const { create, run } = await prepare(t, CASES[0] as Case);
          const findings = new Findings(t);
          let call = 1;
          for (; call < END && !findings.full; call++) {
            const id = t.newId();
            const env = withFailpoint({ BERTH_STOP_NATIVE: String(call) });
            const words = {
              create: [...create, id],
              run: [...run, id],
              start: ["start", id],
              delete: ["delete", id],
              kill: ["kill", id, "KILL"],
            }[command];
            if (command !== "create" && command !== "run") await t.ok([...create, id]);
            const running = t.start(words, env);
            const how = await settled(running);
            if (how === "stopped") running.child.kill("SIGKILL");
            await running.done;
            // An init that was never started must not wait for ever for a runtime that is gone.
            await findings.deleted(`call ${call}`, id);
            if (how === "ended") break;
          }
          process.stdout.write(`${command}: ${call - 1} native calls\n`);
          expect(findings.list).toEqual([]);
          expect(call).toBeGreaterThan(5);
        },
        { timeout: 5 * MINUTES },
      );
    }
  },
  runtimes,
);

suite(
  "the runtime is asked to stop",
  (rule) => {
    for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
      for (const command of ["create", "run"] as const) {
        rule(
          `${signal} at any native call of ${command}: everything is undone, or it was done already`,
          async (t) => {
            const words = (await prepare(t, CASES[0] as Case))[command];
            const findings = new Findings(t);
            // All calls for TERM; every third for the others, which take the same way.
            const step = signal === "SIGTERM" ? 1 : 3;
            for (let call = 1; call < END && !findings.full; call += step) {
              const id = t.newId();
              const running = t.start([...words, id], withFailpoint({ BERTH_STOP_NATIVE: String(call) }));
              const how = await settled(running);
              if (how === "stopped") {
                running.child.kill(signal);
                running.child.kill("SIGCONT");
              }
              const result = await running.done;
              const where = `call ${call}`;
              if (result.timedOut) findings.add(where, "hangs");
              if (result.code === 0) await findings.deleted(where, id);
              else await findings.nothingLeft(where, id);
              if (how === "ended") break;
            }
            expect(findings.list).toEqual([]);
          },
          { timeout: 5 * MINUTES },
        );
      }
    }
  },
  runtimes,
);

suite(
  "a peer that never answers",
  (rule) => {
    const pidfdSocket = (path: string): string[] => ["--pidfd-socket", path];
    const cases: readonly [string, (config: Config, path: string) => void, (path: string) => string[]][] = [
      [
        "at the console socket",
        (config) => {
          config.process.terminal = true;
        },
        (path) => ["--console-socket", path],
      ],
      ["at the pidfd socket", () => {}, pidfdSocket],
      [
        "at the seccomp agent's socket",
        (config, path) => {
          config.linux.seccomp = notifying(path, ["chmod"]);
        },
        () => [],
      ],
    ];
    for (const [title, edit, options] of cases) {
      rule(`${title} does not keep create from ending at SIGTERM, undone`, async (t) => {
        const socket = t.path("deaf.sock");
        t.helper(spawn(helper("deaf"), [socket], { stdio: ["ignore", "ignore", "inherit"] }));
        await until("it is there", () => t.exists("deaf.sock"));
        const bundle = t.bundle("true", (config) => edit(config, socket));
        const running = t.start(["create", "--bundle", bundle, ...options(socket), t.id], { timeout: MINUTES });
        await until("create waits for it", () => isIn(running.pid, CONNECT));
        running.child.kill("SIGTERM");
        expect((await running.done).code).toBe(128 + 15);
        expect(await t.left()).toEqual([]);
      });
    }
  },
  runtimes,
);

/** Whether a process is in that system call; false when it has ended. */
function isIn(pid: number, call: number): boolean {
  const file = `/proc/${pid}/syscall`;
  return existsSync(file) && readFileSync(file, "utf8").startsWith(`${call} `);
}

suite(
  "a failing native call",
  (rule) => {
    for (const command of ["create", "run"] as const) {
      rule(
        `of ${command}: the message has the errno, nothing is left, for every call`,
        async (t) => {
          const words = (await prepare(t, CASES[0] as Case))[command];
          const findings = new Findings(t);
          let call = 1;
          let ignored = 0;
          for (; call < END && !findings.full; call++) {
            const id = t.newId();
            const env = withFailpoint({ BERTH_FAIL_NATIVE: `*:${call}:${EIO}`, BERTH_STOP_NATIVE: String(call + 1) });
            const running = t.start([...words, id], env);
            // It stops at the call after the one that fails: so we know whether there was one.
            const how = await settled(running);
            if (how === "stopped") running.child.kill("SIGCONT");
            const result = await running.done;
            const where = `call ${call}`;
            if (result.timedOut) findings.add(where, "hangs");
            if (result.code === 0) {
              ignored++;
              await findings.deleted(where, id);
            } else {
              if (!EIO_TEXT.test(result.stderr)) findings.add(where, describe(result));
              // When the clean-up itself fails, it says so and delete --force does it.
              const left = await t.left(500);
              if (left.length > 0) {
                if (command === "create")
                  findings.add(where, `left behind ${left.join(", ")} after ${describe(result)}`);
                await findings.deleted(where, id);
              }
            }
            if (how === "ended") break;
          }
          process.stdout.write(`${command}: ${call} native calls, the failure of ${ignored} changed nothing\n`);
          expect(findings.list).toEqual([]);
        },
        { timeout: 5 * MINUTES },
      );
    }
  },
  runtimes,
);
