// create, start, state, kill, delete and run: what each does to a container, and what it refuses.

import { execFileSync } from "node:child_process";
import { mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect } from "vitest";
import { helper } from "./support/helpers.ts";
import { startProgram } from "./support/runtime.ts";
import { sleep, until } from "./support/sandbox.ts";
import { suite } from "./support/suite.ts";

const NO_KEEP = "crun 1.8 has no --keep";

function cmdline(pid: number): string {
  return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
}

/** A zombie, or gone: it may be reaped between any two looks. */
function isDead(pid: number): boolean {
  try {
    return / Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return true;
  }
}

suite("create and start", (rule) => {
  rule("create leaves a process that waits and has not executed the program", async (t) => {
    const id = await t.create("echo started > /proof; exec sleep 1000");
    const state = await t.state();
    expect(state).toMatchObject({ id, status: "created", bundle: t.path("bundle") });
    expect(state.pid).toBeGreaterThan(0);
    expect(cmdline(state.pid)).not.toContain("sleep");
    await sleep(50);
    expect(t.exists("bundle/rootfs/proof")).toBe(false);
    await t.ok(["delete", id]);
    expect(await t.left()).toEqual([]);
  });

  rule(
    "--pidfd-socket gets a hold of init",
    async (t) => {
      const receiving = startProgram([helper("pidfd"), t.path("pidfd.sock"), t.path("go")]);
      await until("the receiver listens", () => t.exists("pidfd.sock"));
      const bundle = t.bundle("sleep 1000");
      await t.ok(["run", "--detach", "--pidfd-socket", t.path("pidfd.sock"), "--bundle", bundle, t.id]);
      const { pid } = await t.state();
      writeFileSync(t.path("go"), "");
      const result = await receiving.done;
      expect(result.stdout).toBe(`message standard\npid ${pid}\n`);
      expect(result.code).toBe(0);
      await t.waitFor("stopped");
      await t.ok(["delete", t.id]);
      const refused = await t.fails(["create", "--pidfd-socket", t.path("nobody"), "--bundle", bundle, t.id]);
      expect(refused.stderr).toContain("nobody");
      expect(await t.left()).toEqual([]);
    },
    { only: ["berth"] },
  );

  rule(
    "start executes the program and returns while it runs; state has its pid, and 0 when it has stopped",
    async (t) => {
      const id = await t.create("echo started > /proof; read line < /stop; exit 3", (config) => {
        config.annotations = { "org.example.key": "value", __proto__x: "y" };
      });
      const before = await t.state();
      execFileSync("mkfifo", [t.path("bundle/rootfs/stop")]);
      await t.ok(["start", id]);
      const running = await t.state();
      expect(running).toMatchObject({ status: "running", pid: before.pid });
      expect(running.annotations).toEqual({ "org.example.key": "value", __proto__x: "y" });
      await until("the program wrote its file", () => t.exists("bundle/rootfs/proof"));
      writeFileSync(t.path("bundle/rootfs/stop"), "go\n");
      const stopped = await t.waitFor("stopped");
      expect(stopped.pid).toBe(0);
      await t.ok(["delete", id]);
      expect(await t.left()).toEqual([]);
    },
  );

  rule("state prints ociVersion, id, pid, status, bundle, rootfs and an RFC 3339 creation time", async (t) => {
    const id = await t.create("sleep 1000");
    const state = await t.state();
    expect(state.ociVersion).toMatch(/^1\.\d+\.\d+/);
    expect(resolve(t.path("bundle"), state.rootfs ?? "")).toBe(t.path("bundle/rootfs"));
    expect(Number.isNaN(Date.parse(state.created ?? ""))).toBe(false);
    expect(Math.abs(Date.parse(state.created ?? "") - Date.now())).toBeLessThan(60_000);
    await t.ok(["delete", "--force", id]);
  });

  rule("start fails the second time and disturbs nothing", async (t) => {
    const id = await t.create("sleep 1000");
    await t.ok(["start", id]);
    const second = await t.fails(["start", id]);
    expect(second.stderr).not.toBe("");
    expect((await t.state()).status).toBe("running");
    await t.ok(["delete", "--force", id]);
  });

  rule("start of a stopped container fails", async (t) => {
    const id = await t.create("true");
    await t.ok(["start", id]);
    await t.waitFor("stopped");
    await t.fails(["start", id]);
    await t.ok(["delete", id]);
  });

  rule(
    "of two starts at the same time exactly one wins",
    async (t) => {
      for (let round = 0; round < 10; round++) {
        const id = t.newId();
        await t.ok(["create", "--bundle", t.bundle("echo x >> /count; sleep 1000"), id]);
        const results = await Promise.all([t.call(["start", id]), t.call(["start", id])]);
        expect(results.map((result) => result.code).sort()).toEqual([0, 1]);
        const expected = "x\n".repeat(round + 1);
        await until(
          "the program ran",
          () => t.exists("bundle/rootfs/count") && t.read("bundle/rootfs/count").length >= expected.length,
        );
        await sleep(20);
        expect(t.read("bundle/rootfs/count")).toBe(expected);
        await t.ok(["delete", "--force", id]);
      }
    },
    { timeout: 60_000, except: { runc: "both may succeed", crun: "both may succeed" } },
  );

  rule(
    "when its process was killed while created, start says so and does not hang",
    async (t) => {
      const id = await t.create("sleep 1000");
      const { pid } = await t.state();
      process.kill(pid, "SIGKILL");
      // Until the kernel has come to it, it may still be started.
      await until("it is dead", () => isDead(pid));
      const result = await t.fails(["start", id], { timeout: 30_000 });
      expect(result.ms).toBeLessThan(20_000);
      expect(result.stderr).toMatch(/stopped|died|ended|exited|not.*created/i);
      expect((await t.state()).status).toBe("stopped");
      await t.ok(["delete", id]);
    },
    { except: { crun: "crun 1.8 hangs or succeeds" } },
  );

  rule("create refuses an id that is in use and leaves that container as it is", async (t) => {
    const id = await t.create("sleep 1000");
    const before = await t.state();
    const result = await t.fails(["create", "--bundle", t.path("bundle"), id]);
    expect(result.stderr).toMatch(/exist/);
    expect(await t.state()).toEqual(before);
    await t.ok(["start", id]);
    await t.ok(["delete", "--force", id]);
  });

  rule("the current folder is the bundle when --bundle is not given", async (t) => {
    const bundle = t.bundle("pwd");
    const result = await t.ok(["run", t.id], { cwd: bundle });
    expect(result.stdout).toBe("/\n");
  });

  rule(
    "a relative --bundle and --pid-file count from the caller's folder",
    async (t) => {
      t.bundle("sleep 1000");
      await t.ok(["create", "--bundle", "bundle", "--pid-file", "pid", t.id], { cwd: t.dir });
      const { pid, bundle } = await t.state();
      expect(bundle).toBe(t.path("bundle"));
      expect(t.read("pid")).toBe(String(pid));
      await t.ok(["delete", "--force", t.id]);
    },
    { except: { crun: "crun 1.8 writes a relative pid file into the bundle" } },
  );

  rule("a long id of all allowed characters works", async (t) => {
    const id = `${t.id}-a_B+c.d-`.padEnd(200, "x");
    await t.ok(["run", "--bundle", t.bundle("true"), id]);
  });
});

suite("run", (rule) => {
  rule("passes the program's output and exit code on and removes the container", async (t) => {
    const bundle = t.bundle("echo out; echo err >&2; exit 42");
    const result = await t.call(["run", "--bundle", bundle, t.id]);
    expect(result).toMatchObject({ code: 42, stdout: "out\n", stderr: "err\n" });
    expect(await t.left()).toEqual([]);
  });

  rule("exits with 128 + signal when the program is killed by a signal", async (t) => {
    // Without a pid namespace of its own: the first process of one is deaf to all but KILL.
    const bundle = t.bundle("exec sleep 1000", (config) => {
      config.linux.namespaces = config.linux.namespaces.filter((ns) => ns.type !== "pid");
    });
    for (const [name, number] of [
      ["KILL", 9],
      ["SEGV", 11],
      ["TERM", 15],
    ] as const) {
      const id = t.newId();
      const run = t.start(["run", "--bundle", bundle, id]);
      const { pid } = await t.waitFor("running", id);
      await until("sleep runs", () => cmdline(pid).includes("sleep 1000"));
      process.kill(pid, `SIG${name}`);
      expect((await run.done).code).toBe(128 + number);
    }
  });

  rule("forwards signals to the program", async (t) => {
    const bundle = t.bundle('trap "echo got; exit 7" USR1; touch /ready; while :; do sleep 0.05; done');
    const run = t.start(["run", "--bundle", bundle, t.id]);
    await until("the trap is set", () => t.exists("bundle/rootfs/ready"));
    process.kill(run.pid, "SIGUSR1");
    expect(await run.done).toMatchObject({ code: 7, stdout: "got\n" });
  });

  rule("--detach returns while the program runs and writes the pid file without a newline", async (t) => {
    const bundle = t.bundle("sleep 1000");
    await t.ok(["run", "--detach", "--bundle", bundle, "--pid-file", t.path("pid"), t.id]);
    const state = await t.state();
    expect(state.status).toBe("running");
    expect(t.read("pid")).toBe(String(state.pid));
    await t.ok(["delete", "--force", t.id]);
    expect(await t.left()).toEqual([]);
  });

  rule(
    "--keep leaves the stopped container for delete",
    async (t) => {
      const bundle = t.bundle("exit 5");
      expect((await t.call(["run", "--keep", "--bundle", bundle, t.id])).code).toBe(5);
      expect(await t.state()).toMatchObject({ status: "stopped", pid: 0 });
      await t.ok(["delete", t.id]);
      expect(await t.left()).toEqual([]);
    },
    { except: { crun: NO_KEEP } },
  );

  rule("a failing start of the program is the error of run, and nothing is left", async (t) => {
    const bundle = t.bundle("", (config) => {
      config.process.args = ["/no/such/program"];
    });
    const result = await t.fails(["run", "--bundle", bundle, t.id]);
    expect(result.stderr).toMatch(/no such file or directory|executable file not found/i);
    expect(await t.left()).toEqual([]);
  });

  rule("collects orphans of the container's program without hanging", async (t) => {
    expect(await t.sh("(sleep 0.05 &) ; (sleep 0.02 &); sleep 0.1; echo done")).toBe("done\n");
  });
});

suite("kill", (rule) => {
  const SCRIPT =
    'for s in TERM HUP USR1 KILL; do trap "echo $s >> /got" $s; done; touch /ready; while :; do sleep 0.02; done';

  rule(
    "sends TERM by default, and takes a number, a name, with SIG or without, in any case",
    async (t) => {
      const id = await t.create(SCRIPT);
      await t.ok(["start", id]);
      await until("the traps are set", () => t.exists("bundle/rootfs/ready"));
      const sent: string[] = [];
      for (const [word, name] of [
        [undefined, "TERM"],
        ["1", "HUP"],
        ["USR1", "USR1"],
        ["SIGHUP", "HUP"],
        ["sigusr1", "USR1"],
        ["term", "TERM"],
      ] as const) {
        await t.ok(["kill", id, ...(word === undefined ? [] : [word])]);
        sent.push(`${name}\n`);
        await until(
          `${word} arrived`,
          () => t.exists("bundle/rootfs/got") && t.read("bundle/rootfs/got") === sent.join(""),
        );
      }
      await t.ok(["kill", id, "KILL"]);
      await t.waitFor("stopped");
      await t.ok(["delete", id]);
    },
    { except: { crun: "crun 1.8 knows upper case names only" } },
  );

  rule(
    "refuses an unknown signal and names it",
    async (t) => {
      const id = await t.create("sleep 1000");
      for (const word of ["NOSUCH", "SIG", "0x9", "999", "-1"]) {
        const result = await t.fails(["kill", id, word]);
        expect(result.stderr).toContain(word);
      }
      expect((await t.state()).status).toBe("created");
      await t.ok(["delete", "--force", id]);
    },
    { except: { runc: "takes any number", crun: "takes any number" } },
  );

  rule("reaches a created container", async (t) => {
    const id = await t.create("sleep 1000");
    await t.ok(["kill", id, "KILL"]);
    await t.waitFor("stopped");
    await t.ok(["delete", id]);
  });

  rule("fails for a stopped container", async (t) => {
    const id = await t.create("true");
    await t.ok(["start", id]);
    await t.waitFor("stopped");
    const result = await t.fails(["kill", id, "TERM"]);
    expect(result.stderr).toMatch(/not running|stopped|no such process/i);
    await t.ok(["delete", id]);
  });
});

suite("delete", (rule) => {
  rule("refuses a running container without --force, removes it with --force", async (t) => {
    const id = await t.create("sleep 1000");
    await t.ok(["start", id]);
    const refused = await t.fails(["delete", id]);
    expect(refused.stderr).toContain(id);
    expect((await t.state()).status).toBe("running");
    await t.ok(["delete", "--force", id]);
    expect(await t.left()).toEqual([]);
    await t.fails(["state", id]);
  });

  rule(
    "removes a created container and ends its process",
    async (t) => {
      const id = await t.create("sleep 1000");
      await t.ok(["delete", id]);
      expect(await t.left()).toEqual([]);
    },
    { except: { crun: "crun 1.8 wants --force for a created container" } },
  );

  rule(
    "fails for an unknown id, and does nothing successfully with --force",
    async (t) => {
      const result = await t.fails(["delete", t.id]);
      expect(result.stderr).toMatch(/does not exist|not found|no such/i);
      await t.ok(["delete", "--force", t.id]);
    },
    { except: { crun: "crun 1.8 fails here with --force too" } },
  );

  rule("--force ends all processes of the container, also those that the program left in the background", async (t) => {
    const id = await t.create("sleep 1000 & sleep 1001 & touch /ready; exec sleep 1002");
    await t.ok(["start", id]);
    await until("they run", () => t.exists("bundle/rootfs/ready"));
    await t.ok(["delete", "--force", id]);
    expect(await t.left()).toEqual([]);
  });

  rule("--force ends all processes of a container that shares the pid namespace", async (t) => {
    const id = await t.create("setsid sleep 1000 & setsid sleep 1001 & touch /ready; exec sleep 1002", (config) => {
      config.linux.namespaces = config.linux.namespaces.filter((ns) => ns.type !== "pid");
    });
    await t.ok(["start", id]);
    await until("they run", () => t.exists("bundle/rootfs/ready"));
    await t.ok(["delete", "--force", id]);
    expect(await t.left()).toEqual([]);
  });

  rule("the id can be used again", async (t) => {
    for (let i = 0; i < 3; i++) {
      await t.create("sleep 1000");
      await t.ok(["delete", "--force", t.id]);
    }
  });
});

suite("descriptors", (rule) => {
  rule("the program gets 0, 1 and 2 and no other", async (t) => {
    const file = openSync("/dev/zero", "r");
    const out = await t.sh("ls /proc/self/fd | tr '\\n' ' '", undefined, { fds: [file, file] });
    // 3 is the folder that ls reads.
    expect(out).toBe("0 1 2 3 ");
  });

  rule("--preserve-fds N passes N more on, at their places", async (t) => {
    const file = openSync(t.write("note", "from outside\n"), "r");
    const other = openSync(t.write("other", "second\n"), "r");
    const bundle = t.bundle("cat <&3; cat <&4; ls /proc/self/fd | tr '\\n' ' '");
    const result = await t.ok(["run", "--preserve-fds", "2", "--bundle", bundle, t.id], { fds: [file, other] });
    expect(result.stdout).toBe("from outside\nsecond\n0 1 2 3 4 5 ");
  });

  rule(
    "--preserve-fds over a closed descriptor is an error",
    async (t) => {
      const bundle = t.bundle("true");
      const result = await t.fails(["run", "--preserve-fds", "40", "--bundle", bundle, t.id]);
      expect(result.stderr).toMatch(/descriptor|preserve|fd/i);
      expect(await t.left()).toEqual([]);
    },
    { except: { crun: "crun 1.8 ignores it" } },
  );

  rule(
    "LISTEN_FDS of the caller reach the program, with LISTEN_PID 1",
    async (t) => {
      const file = openSync(t.write("note", "socket\n"), "r");
      const bundle = t.bundle('cat <&3; echo "$LISTEN_FDS $LISTEN_PID"');
      const result = await t.ok(["run", "--bundle", bundle, t.id], {
        fds: [file],
        // LISTEN_PID must be the runtime's own pid, which the shell knows before exec.
        prefix: ["sh", "-c", 'LISTEN_FDS=1 LISTEN_PID=$$ exec "$@"', "sh"],
      });
      expect(result.stdout).toBe("socket\n1 1\n");
    },
    { except: { crun: "crun 1.8 sets LISTEN_PID alone" } },
  );

  rule("a container outlives the command that created it when its streams are files", async (t) => {
    await t.create("sleep 0.2; echo late");
    await t.ok(["start", t.id]);
    await t.waitFor("stopped");
    await t.ok(["delete", t.id]);
  });

  rule("the state root is made when it is missing", async (t) => {
    mkdirSync(t.path("deep"));
    await t.runtime.call(["--root", t.path("deep/a/b"), "run", "--bundle", t.bundle("true"), t.id]).then((result) => {
      expect(result.code).toBe(0);
    });
    expect(t.exists("deep/a/b")).toBe(true);
  });
});
