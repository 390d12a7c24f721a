// NOTIFY_SOCKET: what a container says of itself by sd_notify(3) reaches the service manager that started the runtime.

import { chmodSync, copyFileSync, existsSync, mkdirSync } from "node:fs";
import { expect } from "vitest";
import { type Config, withUserNamespace } from "./support/config.ts";
import { helper } from "./support/helpers.ts";
import { startProgram } from "./support/runtime.ts";
import { type Sandbox, sleep, until } from "./support/sandbox.ts";
import { suite } from "./support/suite.ts";

interface Manager {
  env: NodeJS.ProcessEnv;
  /** What it has been told, a line a datagram. */
  told: () => string[];
  /** Waits for so many. */
  hears: (n: number) => Promise<string[]>;
}

async function manager(t: Sandbox, address = t.path("manager.sock")): Promise<Manager> {
  t.helper(startProgram([helper("notify"), "manager", address, t.path("told")], { timeout: 60_000 }).child);
  await until("the service manager listens", () => t.exists("told"));
  const told = () => t.read("told").split("\n").slice(0, -1);
  return {
    env: { ...process.env, NOTIFY_SOCKET: address },
    told,
    hears: (n) => until(`${n} datagrams, not ${told().join(", ")}`, () => told().length >= n && told()),
  };
}

/** Ready, and this process. BARRIER=1 came with runc 1.2. */
function saysReady(t: Sandbox, told: string[], pid: number): void {
  const rest = told.length < 3 && t.runtime.kind === "runc" ? [] : ["BARRIER=1 +fd"];
  expect(told).toEqual(["READY=1|", `MAINPID=${pid}|`, ...rest]);
}

function bundle(t: Sandbox, script: string, edit?: (config: Config) => void): string {
  const folder = t.bundle(script, edit);
  copyFileSync(helper("notify"), `${folder}/rootfs/bin/notify`);
  chmodSync(`${folder}/rootfs/bin/notify`, 0o755);
  mkdirSync(`${folder}/rootfs/run/notify`, { recursive: true });
  return folder;
}

suite("NOTIFY_SOCKET", (rule) => {
  rule("run --detach returns once the container is ready, and tells the manager its process", async (t) => {
    const { env, told } = await manager(t);
    const folder = bundle(t, "sleep 0.5; : >/late; notify say READY=1; sleep 100");
    const begin = Date.now();
    await t.ok(["run", "--detach", "--bundle", folder, t.id], { env });
    expect(Date.now() - begin).toBeGreaterThan(450);
    expect(existsSync(`${folder}/rootfs/late`)).toBe(true);
    // With BARRIER=1 the runtime waits until the manager has come to it, so all is there now.
    saysReady(t, told(), (await t.state()).pid);
    await t.ok(["delete", "--force", t.id]);
    expect(await t.left()).toEqual([]);
  });

  rule("create does not wait, start does", async (t) => {
    const { env, told } = await manager(t);
    const folder = bundle(t, "sleep 0.3; notify say STATUS=nearly READY=1 STATUS=there; sleep 100");
    await t.ok(["create", "--bundle", folder, t.id], { env });
    expect((await t.state()).status).toBe("created");
    expect(told()).toEqual([]);
    await t.ok(["start", t.id], { env });
    saysReady(t, told(), (await t.state()).pid);
  });

  rule(
    "READY=1 counts on any line of a datagram",
    async (t) => {
      const { env, told } = await manager(t);
      await t.ok(
        ["run", "--detach", "--bundle", bundle(t, "notify say 'MAINPID=1\\nREADY=1\\nX=1'; sleep 100"), t.id],
        {
          env,
        },
      );
      expect(told().slice(0, 2)).toEqual(["READY=1|", `MAINPID=${(await t.state()).pid}|`]);
    },
    { except: { runc: "runc only looks at the first" } },
  );

  rule("in the foreground the main process is the runtime, and its exit code the container's", async (t) => {
    const { env, hears } = await manager(t);
    const folder = bundle(t, "trap 'exit 7' TERM; notify say READY=1; while :; do sleep 0.05; done");
    const running = t.start(["run", "--bundle", folder, t.id], { env });
    expect((await hears(2)).slice(0, 2)).toEqual(["READY=1|", `MAINPID=${running.pid}|`]);
    await t.waitFor("running");
    running.child.kill("SIGTERM");
    expect((await running.done).code).toBe(7);
  });

  rule(
    "a container that ends without a word: run and start end, too",
    async (t) => {
      const { env, told } = await manager(t);
      const folder = bundle(t, "exit 3");
      expect((await t.call(["run", "--bundle", folder, t.id], { env })).code).toBe(3);
      await t.ok(["run", "--detach", "--bundle", folder, t.id], { env });
      await t.ok(["delete", "--force", t.id]);
      await t.ok(["create", "--bundle", folder, t.id], { env });
      await t.ok(["start", t.id], { env });
      expect(told()).toEqual([]);
    },
    { except: { runc: "runc waits for ever in the foreground" } },
  );

  rule("the container gets a socket of its own, for any user, that it cannot replace", async (t) => {
    const { env } = await manager(t);
    const script = [
      'echo "$NOTIFY_SOCKET"',
      "stat -c '%a %F' /run/notify/notify.sock",
      "grep ' /run/notify ' /proc/mounts | cut -d' ' -f4 | grep -oE 'ro|nosuid|nodev|noexec' | sort | tr '\\n' ' '",
      "notify say READY=1",
    ].join("; ");
    const folder = bundle(t, script, (config) => {
      config.process.user = { uid: 1000, gid: 1000 };
      config.process.env.push("NOTIFY_SOCKET=/from/config");
    });
    const result = await t.ok(["run", "--bundle", folder, t.id], { env });
    expect(result.stdout).toBe("/run/notify/notify.sock\n777 socket\nnodev noexec nosuid ro ");
    expect(result.stderr).toBe("");
  });

  rule("works in a user namespace", async (t) => {
    const { env, told } = await manager(t);
    const folder = bundle(t, "notify say READY=1; sleep 100", withUserNamespace);
    await t.ok(["run", "--detach", "--bundle", folder, t.id], { env });
    expect(told()[0]).toBe("READY=1|");
  });

  rule("works with an abstract address", async (t) => {
    const { env, hears } = await manager(t, `@${t.id}`);
    await t.ok(["run", "--detach", "--bundle", bundle(t, "notify say READY=1; sleep 100"), t.id], { env });
    expect((await hears(1))[0]).toBe("READY=1|");
  });

  rule("a start that was killed while it waited can be followed by nothing, and delete removes all", async (t) => {
    const { env } = await manager(t);
    await t.ok(["create", "--bundle", bundle(t, "sleep 100"), t.id], { env });
    const starting = t.start(["start", t.id], { env });
    await t.waitFor("running");
    starting.child.kill("SIGKILL");
    await starting.done;
    expect((await t.state()).status).toBe("running");
    await t.ok(["delete", "--force", t.id]);
    expect(await t.left()).toEqual([]);
  });

  rule(
    "SIGTERM to run --detach that waits: nothing is left",
    async (t) => {
      const { env } = await manager(t);
      const running = t.start(["run", "--detach", "--bundle", bundle(t, "sleep 100"), t.id], { env });
      await t.waitFor("running");
      await sleep(50);
      running.child.kill("SIGTERM");
      expect((await running.done).code).toBe(128 + 15);
      expect(await t.left()).toEqual([]);
    },
    { only: ["berth"] },
  );

  rule(
    "a container that never stops talking without being ready keeps run from no signal",
    async (t) => {
      const { env, told } = await manager(t);
      const waiting = t.start(["run", "--detach", "--bundle", bundle(t, "exec notify flood X=1"), t.id], { env });
      await t.waitFor("running");
      await sleep(200);
      waiting.child.kill("SIGTERM");
      expect((await waiting.done).code).toBe(128 + 15);
      const foreground = t.start(["run", "--bundle", t.path("bundle"), t.id], { env });
      await t.waitFor("running");
      await sleep(200);
      await t.ok(["kill", t.id, "KILL"]);
      expect((await foreground.done).code).toBe(128 + 9);
      expect(told()).toEqual([]);
    },
    { only: ["berth"] },
  );

  rule(
    "a service manager that cannot be reached is an error before the program runs",
    async (t) => {
      const folder = bundle(t, ": >/ran");
      for (const NOTIFY_SOCKET of [t.path("nobody"), "relative", "vsock:2:1"]) {
        const env = { ...process.env, NOTIFY_SOCKET };
        const result = await t.fails(["run", "--bundle", folder, t.id], { env });
        expect(result.stderr).toContain("NOTIFY_SOCKET");
        expect(await t.left()).toEqual([]);
      }
      const env = { ...process.env, NOTIFY_SOCKET: t.path("nobody") };
      await t.ok(["create", "--bundle", folder, t.id], { env });
      expect((await t.fails(["start", t.id], { env })).stderr).toContain("NOTIFY_SOCKET");
      expect((await t.state()).status).toBe("created");
      expect(existsSync(`${folder}/rootfs/ran`)).toBe(false);
    },
    { only: ["berth"] },
  );

  rule("without the variable, or with an empty one, there is nothing of it", async (t) => {
    for (const NOTIFY_SOCKET of [undefined, ""]) {
      const env = { ...process.env, NOTIFY_SOCKET };
      expect(
        await t.sh("env | grep NOTIFY || echo none; ls -d /run/notify 2>/dev/null; true", undefined, { env }),
      ).toBe("none\n");
    }
  });

  rule(
    "who starts a container that was created without it is not told",
    async (t) => {
      const { env, told } = await manager(t);
      await t.create("sleep 100");
      await t.ok(["start", t.id], { env });
      expect(told()).toEqual([]);
    },
    { except: { runc: "runc fails" } },
  );
});
