// runtime.md and runtime-linux.md: what an operation does and when it is refused, as the specification says it and no more.

import { existsSync, writeFileSync } from "node:fs";
import { expect } from "vitest";
import type { Config } from "../support/config.ts";
import { type Sandbox, sleep, until } from "../support/sandbox.ts";
import { suite } from "../support/suite.ts";

/** What schema/state-schema.json asks of a state, and that the pid is there when it must be. */
function expectState(state: Record<string, unknown>, status: string, t: Sandbox): void {
  expect(state.ociVersion).toMatch(/^\d+\.\d+\.\d+/);
  expect(state).toMatchObject({ id: t.id, status, bundle: t.path("bundle") });
  if (status !== "stopped") expect(state.pid).toEqual(expect.any(Number));
  if (state.pid !== undefined) expect(state.pid).toBeGreaterThanOrEqual(status === "stopped" ? 0 : 1);
  for (const value of Object.values((state.annotations ?? {}) as object)) expect(value).toEqual(expect.any(String));
}

const withoutProcess = (config: Config): void => {
  delete (config as { process?: unknown }).process;
};

suite("runtime.md", (rule) => {
  rule("the state has the shape of its schema: created, running, stopped", async (t) => {
    const id = await t.create("exec sleep 1000", (config) => {
      config.annotations = { "org.example.key": "value" };
    });
    const look = async () => (await t.state()) as unknown as Record<string, unknown>;
    const created = await look();
    expectState(created, "created", t);
    await t.ok(["start", id]);
    const running = await look();
    expectState(running, "running", t);
    expect(running.pid).toBe(created.pid);
    expect(running.annotations).toMatchObject({ "org.example.key": "value" });
    await t.ok(["kill", id, "KILL"]);
    await t.waitFor("stopped");
    expectState(await look(), "stopped", t);
  });

  rule("what is neither of the four words for a status is a state of its own: paused", async (t) => {
    const id = await t.create("exec sleep 1000");
    await t.ok(["start", id]);
    await t.ok(["pause", id]);
    expect((await t.state()).status).toBe("paused");
    await t.ok(["resume", id]);
    expect((await t.state()).status).toBe("running");
  });

  rule("a config.json that is changed after create changes nothing", async (t) => {
    const id = await t.create("hostname > /out; sleep 1000");
    t.bundle("echo other > /out", (config) => {
      config.hostname = "other";
      config.process.args = ["/no/such/program"];
    });
    await t.ok(["start", id]);
    await until("the program ran", () => t.exists("bundle/rootfs/out") && t.read("bundle/rootfs/out") !== "");
    expect(t.read("bundle/rootfs/out")).toBe("spec-test\n");
  });

  rule("a bundle that is gone after create changes nothing for kill and delete", async (t) => {
    const id = await t.create("exec sleep 1000");
    await t.ok(["start", id]);
    writeFileSync(t.path("bundle/config.json"), "{");
    await t.ok(["kill", id, "KILL"]);
    await t.waitFor("stopped");
    await t.ok(["delete", id]);
    expect(await t.left()).toEqual([]);
  });

  rule("an operation without the id of a container is an error", async (t) => {
    for (const command of ["state", "start", "kill", "delete"]) await t.fails([command]);
    const bundle = t.bundle("true");
    await t.fails(["create", "--bundle", bundle]);
    expect(await t.left()).toEqual([]);
  });

  rule("create without a bundle where it is called, or at the path that is given, is an error", async (t) => {
    await t.fails(["create", t.id], { cwd: t.dir });
    await t.fails(["create", "--bundle", t.path("nowhere"), t.id]);
    expect(await t.left()).toEqual([]);
  });

  rule("an operation on a container that does not exist is an error", async (t) => {
    for (const command of ["state", "start", "kill", "delete"]) await t.fails([command, t.id]);
    expect(await t.left()).toEqual([]);
  });

  rule("an id that is in use is an error, and its container goes on", async (t) => {
    const id = await t.create("touch /ran; sleep 1000");
    const before = await t.state();
    const other = t.bundle("true", undefined, "other");
    await t.fails(["create", "--bundle", other, id]);
    expect(await t.state()).toEqual(before);
    await t.ok(["start", id]);
    await until("the program ran", () => t.exists("bundle/rootfs/ran"));
  });

  rule("an id that is not valid is an error, and nothing is made", async (t) => {
    const bundle = t.bundle("true");
    for (const id of ["", "..", "a/b", "../x"]) await t.fails(["create", "--bundle", bundle, id]);
    expect(await t.left()).toEqual([]);
  });

  rule("create fails and leaves nothing where a property cannot be applied", async (t) => {
    const wrong: ((config: Config) => void)[] = [
      (config) => {
        config.mounts.push({ destination: "/m", source: t.path("missing"), options: ["bind"] });
      },
      (config) => {
        config.mounts.push({ destination: "/m", type: "nosuchfs", source: "x" });
      },
      (config) => {
        config.linux.sysctl = { "net.ipv4.nosuchthing": "1" };
      },
      (config) => {
        config.root.path = "missing";
      },
      (config) => {
        config.process.rlimits = [{ type: "RLIMIT_NOSUCH", soft: 1, hard: 1 }];
      },
    ];
    for (const edit of wrong) {
      await t.fails(["create", "--bundle", t.bundle("true", edit), t.newId()]);
      expect(await t.left()).toEqual([]);
    }
  });

  rule("create makes what config.json asks for and does not run the program", async (t) => {
    mounted(t);
    await t.create("touch /tmp/ran; sleep 1000", (config) => {
      config.hostname = "made";
      config.mounts.push({ destination: "/data", source: t.path("data"), options: ["bind"] });
    });
    const { pid } = await t.state();
    await sleep(50);
    expect(existsSync(`/proc/${pid}/root/data/here`)).toBe(true);
    expect(t.exists("bundle/rootfs/tmp/ran")).toBe(false);
  });

  rule("start of a container that runs, or has stopped, is an error and changes nothing", async (t) => {
    const id = await t.create("echo x >> /count; exec sleep 1000");
    await t.ok(["start", id]);
    await until("the program ran", () => t.exists("bundle/rootfs/count"));
    await t.fails(["start", id]);
    expect((await t.state()).status).toBe("running");
    await t.ok(["kill", id, "KILL"]);
    await t.waitFor("stopped");
    await t.fails(["start", id]);
    expect((await t.state()).status).toBe("stopped");
    expect(t.read("bundle/rootfs/count")).toBe("x\n");
  });

  rule("without process there is no start", async (t) => {
    const bundle = t.bundle("touch /ran", withoutProcess);
    // Create may refuse it already.
    const created = await t.call(["create", "--bundle", bundle, t.id]);
    if (created.code === 0) await t.fails(["start", t.id]);
    expect(created.signal).toBeNull();
    expect(t.exists("bundle/rootfs/ran")).toBe(false);
  });

  rule("kill sends the given signal to the container's process", async (t) => {
    const id = await t.create(
      'for s in TERM HUP USR1; do trap "echo $s >> /got" $s; done; touch /ready; while :; do sleep 0.02; done',
    );
    await t.ok(["start", id]);
    await until("the traps are set", () => t.exists("bundle/rootfs/ready"));
    for (const [word, text] of [
      ["HUP", "HUP\n"],
      ["SIGUSR1", "HUP\nUSR1\n"],
      ["15", "HUP\nUSR1\nTERM\n"],
    ] as const) {
      await t.ok(["kill", id, word]);
      await until(`${word} came`, () => t.exists("bundle/rootfs/got") && t.read("bundle/rootfs/got") === text);
    }
  });

  rule("kill reaches a created container", async (t) => {
    const id = await t.create("exec sleep 1000");
    await t.ok(["kill", id, "KILL"]);
    await t.waitFor("stopped");
  });

  rule("kill of a stopped container is an error and changes nothing", async (t) => {
    const id = await t.create("true");
    await t.ok(["start", id]);
    const before = await t.waitFor("stopped");
    await t.fails(["kill", id, "TERM"]);
    expect(await t.state()).toEqual(before);
  });

  rule("delete of a running container is an error and changes nothing", async (t) => {
    const id = await t.create("exec sleep 1000");
    await t.ok(["start", id]);
    const before = await t.state();
    await t.fails(["delete", id]);
    expect(await t.state()).toEqual(before);
  });

  rule(
    "delete of a created container is an error and changes nothing",
    async (t) => {
      const id = await t.create("exec sleep 1000");
      const before = await t.state();
      await t.fails(["delete", id]);
      expect(await t.state()).toEqual(before);
    },
    {
      except: {
        berth: "deletes it, as runc and crun do: engines rely on that",
        runc: "deletes it",
        crun: "deletes it",
      },
    },
  );

  rule("delete removes what create made, and nothing else; the id can be used again", async (t) => {
    mounted(t);
    const edit = (config: Config): void => {
      config.mounts.push({ destination: "/data", source: t.path("data"), options: ["bind"] });
    };
    for (let round = 0; round < 2; round++) {
      const id = await t.create("exec sleep 1000", edit);
      await t.ok(["start", id]);
      await t.ok(["kill", id, "KILL"]);
      await t.waitFor("stopped");
      await t.ok(["delete", id]);
      expect(await t.left()).toEqual([]);
      expect(t.exists("data/here")).toBe(true);
      expect(t.exists("bundle/config.json") && t.exists("bundle/rootfs/bin/sh")).toBe(true);
      await t.fails(["state", id]);
    }
  });

  rule("/dev/fd, /dev/stdin, /dev/stdout and /dev/stderr are links to /proc/self/fd", async (t) => {
    const out = await t.sh("cd /dev; for l in fd stdin stdout stderr; do readlink $l; done");
    expect(out).toBe("/proc/self/fd\n/proc/self/fd/0\n/proc/self/fd/1\n/proc/self/fd/2\n");
  });
});

/** A folder to mount, with a file. */
function mounted(t: Sandbox): void {
  t.bundle("true", undefined, "data");
  t.write("data/here", "");
}
