// The calls of Podman itself, CRI-O, conmon-rs, buildah and Docker's daemon, in the environment that each gives a runtime.

import { openSync } from "node:fs";
import { expect } from "vitest";
import { view } from "./support/cgroup-of.ts";
import { processFile, receiver, runsSleep, waits } from "./support/engine.ts";
import { helper } from "./support/helpers.ts";
import { type CallOptions, type Result, startProgram } from "./support/runtime.ts";
import { type Sandbox, until } from "./support/sandbox.ts";
import { suite } from "./support/suite.ts";

async function ok(result: Promise<Result>): Promise<string> {
  const { code, stdout, stderr } = await result;
  expect(`${code} ${stderr}`).toBe("0 ");
  return stdout;
}

const pidsLimit = async (t: Sandbox): Promise<number> => {
  const { stdout } = await t.ok(["events", "--stats", t.id]);
  return (JSON.parse(stdout) as { data: { pids: { limit: number } } }).data.pids.limit;
};

suite("Podman", (rule, runtime) => {
  // No $PATH but where Podman passes it on. The Node host is started by a script that needs it.
  const bare: NodeJS.ProcessEnv = runtime.name === "node-berth" ? { PATH: process.env.PATH } : {};
  const call = (t: Sandbox, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Result> =>
    t.runtime.call(["--root", t.root, ...args], { env: { XDG_RUNTIME_DIR: t.dir, ...bare, ...env } });

  rule("start, pause, resume, kill, kill --all, delete --force with next to no environment", async (t) => {
    await t.create(waits);
    await ok(call(t, ["start", t.id], { PATH: process.env.PATH }));
    for (const command of ["pause", "resume"]) await ok(call(t, [command, t.id]));
    await ok(call(t, ["kill", t.id, "28"]));
    await ok(call(t, ["kill", "--all", t.id, "9"]));
    await t.waitFor("stopped");
    await ok(call(t, ["delete", "--force", t.id]));
    expect(await t.left()).toEqual([]);
  });

  rule(
    "update --resources=FILE",
    async (t) => {
      await t.create(waits);
      await t.ok(["start", t.id]);
      const file = t.write("podman123", JSON.stringify({ pids: { limit: 55 }, cpu: {}, memory: {} }));
      await ok(call(t, ["update", `--resources=${file}`, t.id]));
      expect(await pidsLimit(t)).toBe(55);
    },
    { skip: view === "v2" && "the limits of this machine are v1's" },
  );

  rule("the sockets of podman's own unit: --preserve-fds, and LISTEN_* in config.json", async (t) => {
    const fd = openSync(t.write("socket", "activated\n"), "r");
    const bundle = t.bundle("cat <&3; tr '\\0' '\\n' </proc/$$/environ | grep LISTEN | sort", (config) => {
      config.process.env.push("LISTEN_PID=1", "LISTEN_FDS=1", "LISTEN_FDNAMES=web");
    });
    // conmon leaves $LISTEN_PID alone: it is Podman's.
    const env = { ...process.env, LISTEN_PID: "1", LISTEN_FDS: "1", LISTEN_FDNAMES: "web" };
    const args = ["run", "--bundle", bundle, "--preserve-fds", "1", t.id];
    const { stdout } = await t.ok(args, { fds: [fd], env });
    expect(stdout).toBe("activated\nLISTEN_FDNAMES=web\nLISTEN_FDS=1\nLISTEN_PID=1\n");
  });

  rule(
    "the same where conmon has put the runtime's pid into $LISTEN_PID: nothing is there twice",
    async (t) => {
      const fds = [1, 2].map((n) => openSync(t.write(`socket${n}`, `${n}\n`), "r"));
      const bundle = t.bundle("cat <&3; cat <&4; tr '\\0' '\\n' </proc/$$/environ | grep LISTEN | sort", (config) => {
        config.process.env.push("LISTEN_PID=1", "LISTEN_FDS=1", "LISTEN_FDNAMES=web");
      });
      const prefix = ["sh", "-c", 'LISTEN_FDS=1 LISTEN_PID=$$ exec "$@"', "sh"];
      const args = ["run", "--bundle", bundle, "--preserve-fds", "1", t.id];
      const { stdout } = await t.ok(args, { fds, prefix });
      expect(stdout).toBe("1\n2\nLISTEN_FDNAMES=web\nLISTEN_FDS=1\nLISTEN_PID=1\n");
    },
    { except: { crun: "crun 1.8 sets LISTEN_PID alone" } },
  );

  rule(
    "sockets that are somebody else's are not passed on",
    async (t) => {
      const fd = openSync("/etc/hostname", "r");
      const bundle = t.bundle("echo /proc/self/fd/*; env | grep -c LISTEN");
      const env = { ...process.env, LISTEN_PID: "1", LISTEN_FDS: "1", LISTEN_FDNAMES: "web" };
      const { stdout } = await t.call(["run", "--bundle", bundle, t.id], { fds: [fd], env });
      expect(stdout).toMatch(
        /^\/proc\/self\/fd\/0 \/proc\/self\/fd\/1 \/proc\/self\/fd\/2( \/proc\/self\/fd\/3)?\n0\n$/,
      );
    },
    { except: { crun: "crun 1.8 does not look at LISTEN_PID" } },
  );
});

suite("CRI-O", (rule) => {
  const env = { CRI_O_EXTERNAL: "1", XDG_RUNTIME_DIR: "/run", PATH: process.env.PATH };
  const call = (t: Sandbox, args: readonly string[], options: CallOptions = {}): Promise<Result> =>
    t.runtime.call(["--root", t.root, ...args], { env, ...options });

  async function started(t: Sandbox): Promise<void> {
    const bundle = t.bundle(waits);
    const log = [`--root=${t.root}`, "create", "--bundle", bundle, "--pid-file", t.path("pid")];
    await ok(t.runtime.call([...log, t.id], { env }));
    await ok(call(t, ["start", t.id]));
  }

  rule("start, state, exec --process in the foreground, kill, kill -a, delete --force", async (t) => {
    await started(t);
    expect(JSON.parse(await ok(call(t, ["state", t.id])))).toMatchObject({ id: t.id, status: "running" });
    const input = t.write("input", "typed\n");
    const exec = ["exec", "--process", processFile(t, ["sh", "-c", "cat; echo err >&2; exit 5"]), t.id];
    const { code, stdout, stderr } = await call(t, exec, { stdin: input });
    expect([code, stdout, stderr]).toEqual([5, "typed\n", "err\n"]);
    await ok(call(t, ["kill", t.id, "28"]));
    await ok(call(t, ["kill", "-a", t.id, "9"]));
    await t.waitFor("stopped");
    await ok(call(t, ["kill", "-a", t.id, "9"]));
    await ok(call(t, ["delete", "--force", t.id]));
    await ok(call(t, ["delete", "--force", t.id]));
    expect(await t.left()).toEqual([]);
  });

  rule(
    "exec --process in the foreground of a terminal",
    async (t) => {
      await started(t);
      const file = processFile(t, ["sh", "-c", "tty; exit 7"], { terminal: true });
      const exec = [t.runtime.path, "--root", t.root, "exec", "--process", file, t.id];
      const result = await startProgram([helper("pty"), "24", "80", "--", ...exec]).done;
      expect(result.stdout).toContain("/dev/pts/0");
      expect(result.code).toBe(7);
    },
    { except: { crun: "crun 1.8 starts the program before the terminal is ready" } },
  );

  rule(
    "update --resources - ID",
    async (t) => {
      await started(t);
      const stdin = t.write("resources.json", JSON.stringify({ pids: { limit: 44 } }));
      await ok(call(t, ["update", "--resources", "-", t.id], { stdin }));
      expect(await pidsLimit(t)).toBe(44);
    },
    { skip: view === "v2" && "the limits of this machine are v1's" },
  );
});

suite("conmon-rs", (rule) => {
  rule("create with --console-socket=, exec -d with the words of the command, --root twice", async (t) => {
    const bundle = t.bundle(waits, (config) => {
      config.process.terminal = true;
    });
    const roots = [`--root=${t.root}`, `--root=${t.root}`];
    const console = await receiver(t, "create.sock");
    t.helper(console.receiving.child);
    const created = ["create", "--bundle", bundle, "--pid-file", t.path("pid"), `--console-socket=${console.socket}`];
    await ok(t.runtime.call([...roots, ...created, t.id]));
    await ok(t.runtime.call([`--root=${t.root}`, "start", t.id]));
    expect((await t.state()).pid).toBe(Number(t.read("pid")));
    const pidFile = `--pid-file=${t.path("exec.pid")}`;
    await ok(t.runtime.call([...roots, "exec", "-d", pidFile, t.id, "sleep", "1000"]));
    await runsSleep(t.read("exec.pid"));
    const { socket, receiving } = await receiver(t, "exec.sock");
    await ok(t.runtime.call([...roots, "exec", "-d", `--console-socket=${socket}`, "--tty", pidFile, t.id, "tty"]));
    expect((await receiving.done).stdout).toContain("/dev/pts/");
  });
});

suite("buildah", (rule) => {
  rule("create and start in the bundle, state until it has stopped, kill without a signal, delete", async (t) => {
    const cwd = t.bundle("trap 'exit 3' TERM; touch /ready; while :; do sleep 0.05; done");
    const call = (...args: string[]): Promise<Result> => t.runtime.call(["--root", t.root, ...args], { cwd });
    await ok(call("create", "--bundle", cwd, "--pid-file", `${cwd}/pid`, t.id));
    await ok(call("start", t.id));
    await until("it is ready", () => t.exists("bundle/rootfs/ready"));
    expect(JSON.parse(await ok(call("state", t.id)))).toMatchObject({ status: "running" });
    await ok(call("kill", t.id));
    await t.waitFor("stopped");
    await ok(call("delete", t.id));
    await ok(call("create", "--bundle", cwd, "--pid-file", `${cwd}/pid`, t.id));
    await ok(call("start", t.id));
    await ok(call("kill", t.id, "SIGKILL"));
    await t.waitFor("stopped");
    await ok(call("delete", t.id));
    expect(await t.left()).toEqual([]);
  });
});

interface Features {
  ociVersionMin: string;
  ociVersionMax: string;
  mountOptions: string[];
  linux: { namespaces: string[]; mountExtensions: { idmap: { enabled: boolean } } };
}

suite("what engines ask a runtime about itself", (rule, runtime) => {
  const only = { only: ["berth"] } as const;
  const env: NodeJS.ProcessEnv = runtime.name === "node-berth" ? { PATH: process.env.PATH } : {};
  const both = async (t: Sandbox, ...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await t.runtime.call(args, { env, cwd: "/" });
    expect(code).toBe(0);
    return stdout + stderr;
  };

  rule(
    "features, without environment: what containerd and CRI-O look for, and nothing on standard error",
    async (t) => {
      // CRI-O reads both streams as one.
      const features = JSON.parse(await both(t, "features")) as Features;
      expect(features.ociVersionMin).toMatch(/^1\.\d+\.\d+$/);
      expect(features.ociVersionMax).toMatch(/^1\.\d+\.\d+/);
      // Read-only mounts of everything below, in Kubernetes.
      expect(features.mountOptions).toContain("rro");
      // Pods with user namespaces, and containerd's own check before it makes an idmapped mount.
      expect(features.linux.namespaces).toContain("user");
      expect(features.linux.mountExtensions.idmap.enabled).toBe(true);
    },
    only,
  );

  rule(
    "--version: what each makes of it",
    async (t) => {
      const text = await both(t, "--version");
      const lines = text.trim().split("\n");
      // Docker: the words around "version", and what is behind "commit:".
      const [named, ...more] = lines.filter((line) => line.includes("version"));
      expect(more).toEqual([]);
      const [name, version] = (named ?? "").split("version").map((word) => word.trim());
      expect([name, version]).toEqual(["berth", expect.stringMatching(/^\d+\.\d+\.\d+\S*$/)]);
      expect(lines.filter((line) => line.startsWith("commit:"))).toEqual([expect.stringMatching(/^commit: \S+$/)]);
      // go-runc reads the lines of a runc alone; older ones want exactly three.
      expect(lines.length).toBe(3);
      expect(lines.filter((line) => line.startsWith("spec: "))).toEqual([expect.stringMatching(/^spec: 1\.\d+\.\d+/)]);
    },
    only,
  );
});
