// Terminals: the console socket of create and run --detach, and run in the foreground of a terminal.

import { expect } from "vitest";
import type { Config } from "./support/config.ts";
import { helper } from "./support/helpers.ts";
import { type Running, startProgram } from "./support/runtime.ts";
import { type Sandbox, until } from "./support/sandbox.ts";
import { suite } from "./support/suite.ts";

function withTerminal(config: Config): void {
  config.process.terminal = true;
}

async function receiver(t: Sandbox, text?: string): Promise<{ socket: string; receiving: Running }> {
  const socket = t.path("console.sock");
  const receiving = startProgram([helper("receiver"), socket, ...(text === undefined ? [] : [text])]);
  await until("the receiver listens", () => t.exists("console.sock"));
  return { socket, receiving };
}

suite("console socket", (rule) => {
  rule(
    "the engine gets the terminal of the program with a name and its size, and the program has it as its own",
    async (t) => {
      const { socket, receiving } = await receiver(t, "typed\n");
      const bundle = t.bundle(
        'tty; stty size; ls -l /dev/console | cut -c1; read line; echo "got $line"; tty <&2; echo x >/dev/tty',
        (config) => {
          withTerminal(config);
          config.process.consoleSize = { height: 33, width: 77 };
        },
      );
      await t.ok(["create", "--console-socket", socket, "--bundle", bundle, t.id]);
      await t.ok(["start", t.id]);
      const result = await receiving.done;
      expect(result.code).toBe(0);
      expect(result.stdout).toMatch(/^listening\nname .*\nsize 33 77\n/);
      const shown = result.stdout.replaceAll("\r", "");
      expect(shown).toContain("/dev/pts/0\n33 77\nc\n");
      expect(shown).toContain("got typed\n/dev/pts/0\nx\n");
      await t.waitFor("stopped");
      await t.ok(["delete", t.id]);
      expect(await t.left()).toEqual([]);
    },
  );

  rule("works for run --detach", async (t) => {
    const { socket, receiving } = await receiver(t);
    await t.ok([
      "run",
      "--detach",
      "--console-socket",
      socket,
      "--bundle",
      t.bundle("echo detached", withTerminal),
      t.id,
    ]);
    expect((await receiving.done).stdout).toContain("detached");
    await t.ok(["delete", "--force", t.id]);
  });

  rule(
    "works with a path longer than a socket address",
    async (t) => {
      const { socket, receiving } = await receiver(t);
      const far = t.path("d".repeat(120));
      t.bundle("echo far", withTerminal);
      startProgram(["sh", "-c", `mkdir ${far} && ln -s ${socket} ${far}/sock`]);
      await until("the link is there", () => t.exists(`${"d".repeat(120)}/sock`));
      await t.ok(["run", "--detach", "--console-socket", `${far}/sock`, "--bundle", t.path("bundle"), t.id]);
      expect((await receiving.done).stdout).toContain("far");
      await t.ok(["delete", "--force", t.id]);
    },
    { except: { runc: "runc cannot", crun: "crun 1.8 cannot" } },
  );

  rule("the terminal belongs to the user of the program", async (t) => {
    const { socket, receiving } = await receiver(t);
    const bundle = t.bundle("stat -c '%u %a' /dev/pts/0; echo ok > /dev/tty", (config) => {
      withTerminal(config);
      config.process.user = { uid: 1000, gid: 1000 };
    });
    await t.ok(["run", "--detach", "--console-socket", socket, "--bundle", bundle, t.id]);
    expect((await receiving.done).stdout.replaceAll("\r", "")).toContain("1000 620\nok\n");
    await t.ok(["delete", "--force", t.id]);
  });

  rule("works in a user namespace", async (t) => {
    const { socket, receiving } = await receiver(t);
    const bundle = t.bundle("tty; echo ok > /dev/tty", (config) => {
      withTerminal(config);
      config.linux.namespaces.push({ type: "user" });
      config.linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }];
      config.linux.gidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }];
    });
    await t.ok(["run", "--detach", "--console-socket", socket, "--bundle", bundle, t.id]);
    expect((await receiving.done).stdout.replaceAll("\r", "")).toContain("/dev/pts/0\nok\n");
    await t.ok(["delete", "--force", t.id]);
  });

  rule("create with terminal and without a socket is an error", async (t) => {
    const bundle = t.bundle("true", withTerminal);
    expect((await t.fails(["create", "--bundle", bundle, t.id])).stderr).toMatch(/console|terminal|tty/i);
    expect((await t.fails(["run", "--detach", "--bundle", bundle, t.id])).stderr).toMatch(/console|terminal|tty/i);
    expect(await t.left()).toEqual([]);
  });

  rule(
    "a socket without terminal is an error",
    async (t) => {
      const bundle = t.bundle("true");
      const result = await t.fails(["create", "--console-socket", t.path("sock"), "--bundle", bundle, t.id]);
      expect(result.stderr).toMatch(/console|terminal|tty/i);
      expect(await t.left()).toEqual([]);
    },
    { except: { crun: "crun 1.8 ignores it" } },
  );

  rule("a socket that nobody listens at is an error with its path, and everything is undone", async (t) => {
    const bundle = t.bundle("true", withTerminal);
    const result = await t.fails(["create", "--console-socket", t.path("nobody"), "--bundle", bundle, t.id]);
    expect(result.stderr).toContain("nobody");
    expect(await t.left()).toEqual([]);
  });
});

suite("terminal in the foreground", (rule) => {
  const user = (t: Sandbox, steps: readonly string[], script: string, edit?: (config: Config) => void) => {
    const bundle = t.bundle(script, (config) => {
      withTerminal(config);
      edit?.(config);
    });
    const run = [t.runtime.path, "--root", t.root, "run", "--bundle", bundle, t.id];
    return startProgram([helper("pty"), "24", "80", ...steps, "--", ...run]).done;
  };

  rule(
    "shows the program's output, passes what is typed and its size, and puts the terminal back",
    async (t) => {
      const result = await user(
        t,
        ["expect:ready", "send:hello\\n"],
        'stty size; echo ready; read x; echo "got $x"; exit 9',
      );
      expect(result.stdout.replaceAll("\r", "")).toContain("24 80\nready\n");
      expect(result.stdout).toContain("got hello");
      expect(result.code).toBe(9);
      expect(await t.left()).toEqual([]);
    },
    { except: { crun: "crun 1.8 starts the program before the terminal is ready" } },
  );

  rule("passes ^C to the program, not to the runtime", async (t) => {
    const result = await user(
      t,
      ["expect:ready", "send:\\3"],
      'trap "echo caught; exit 8" INT; echo ready; while :; do sleep 0.05; done',
    );
    expect(result.stdout).toContain("caught");
    expect(result.code).toBe(8);
  });

  rule(
    "follows the size of the window",
    async (t) => {
      const script = "echo ready; while [ \"$(stty size)\" = '24 80' ]; do sleep 0.02; done; stty size";
      const result = await user(t, ["expect:ready", "size:50x132"], script);
      expect(result.stdout).toContain("50 132");
      expect(result.code).toBe(0);
    },
    { except: { crun: "crun 1.8 starts the program before the terminal is ready" } },
  );

  rule("loses nothing of a long output that ends with the program", async (t) => {
    const result = await user(t, [], "i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done");
    expect(result.stdout).toContain("line 2999");
    expect(result.stdout.match(/line /g)?.length).toBe(3000);
  });

  rule("puts the terminal back when the container cannot be made", async (t) => {
    const result = await user(t, [], "true", (config) => {
      config.process.args = ["/no/such/program"];
    });
    expect(result.code).toBe(1);
    expect(result.stdout).toMatch(/no such file/i);
  });
});
