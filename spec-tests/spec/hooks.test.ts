// The hooks of config.md and the lifecycle of runtime.md, as the specification says it and no more.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { expect } from "vitest";
import type { Config, Hook } from "../support/config.ts";
import { type Sandbox, until } from "../support/sandbox.ts";
import { suite } from "../support/suite.ts";

const CREATE = ["prestart", "createRuntime", "createContainer"] as const;
const KINDS = [...CREATE, "startContainer", "poststart", "poststop"] as const;
type Kind = (typeof KINDS)[number];

const LATE = "runs poststart hooks before the program is executed";
/** crun 1.8's state for hooks. */
const WRONG_STATE: Partial<Record<Kind, string>> = {
  createContainer: "gives the pid 0",
  startContainer: "gives / for the bundle",
};
const PATH = "PATH=/usr/bin:/bin";

/**
 * Two hooks of each kind that append `KIND NUMBER` to shared/log and run SCRIPT, of which $1 is the kind and $state what came
 * on standard input. They are at the same place inside and outside.
 */
function hooks(t: Sandbox, script = "", kinds: readonly Kind[] = KINDS): (config: Config) => void {
  const shared = t.path("shared");
  mkdirSync(shared, { recursive: true });
  const path = t.script("shared/hook", `S=${shared}; state=$(cat); echo "$1 $2" >> $S/log\n${script}`);
  const two = (kind: Kind): Hook[] => [1, 2].map((n) => ({ path, args: ["hook", kind, String(n)], env: [PATH] }));
  return (config) => {
    config.mounts.push({ destination: shared, type: "bind", source: shared, options: ["rbind", "rw"] });
    config.hooks = Object.fromEntries(kinds.map((kind) => [kind, two(kind)]));
  };
}

const PID = `pid=$(echo "$state" | sed -n 's/.*"pid": *\\([0-9]*\\).*/\\1/p' | head -n 1)`;
const log = (t: Sandbox): string[] => (t.exists("shared/log") ? t.read("shared/log").trim().split("\n") : []);
const both = (...kinds: readonly Kind[]): string[] => kinds.flatMap((kind) => [`${kind} 1`, `${kind} 2`]);

/** A hook of that kind that fails, and one behind it. */
function failing(t: Sandbox, kind: Kind): (config: Config) => void {
  return hooks(t, '[ "$2" != 1 ]', [kind]);
}

suite("hooks of the specification", (rule) => {
  rule("create runs prestart, createRuntime, createContainer hooks: in this order, a list in its own", async (t) => {
    await t.create("exec sleep 1000", hooks(t, "", CREATE));
    expect(log(t)).toEqual(both(...CREATE));
  });

  rule("start runs startContainer hooks before the program", async (t) => {
    const id = await t.create(`echo program >> ${t.path("shared/log")}; sleep 1000`, hooks(t, "", ["startContainer"]));
    expect(log(t)).toEqual([]);
    await t.ok(["start", id]);
    await until("the program ran", () => log(t).includes("program"));
    expect(log(t)).toEqual([...both("startContainer"), "program"]);
  });

  rule(
    "start runs poststart hooks after the program is executed, and before it returns",
    async (t) => {
      const look = `${PID}\ntr '\\0' ' ' < /proc/$pid/cmdline >> $S/seen`;
      const id = await t.create("exec sleep 1234", hooks(t, look, ["poststart"]));
      expect(log(t)).toEqual([]);
      await t.ok(["start", id]);
      expect(log(t)).toEqual(both("poststart"));
      expect(t.read("shared/seen")).toMatch(/sh -c exec sleep 1234|sleep 1234/);
    },
    { except: { runc: LATE } },
  );

  rule("delete runs poststop hooks when the process is gone, and before it returns", async (t) => {
    const look = "[ -e /proc/$(cat $S/pid) ] && echo alive >> $S/seen || echo gone >> $S/seen";
    const id = await t.create("exec sleep 1000", hooks(t, look, ["poststop"]));
    writeFileSync(t.path("shared/pid"), String((await t.state()).pid));
    await t.ok(["start", id]);
    await t.ok(["kill", id, "KILL"]);
    await t.waitFor("stopped");
    expect(log(t)).toEqual([]);
    await t.ok(["delete", id]);
    expect(log(t)).toEqual(both("poststop"));
    expect(t.read("shared/seen")).toBe("gone\ngone\n");
  });

  rule("prestart and createRuntime hooks find the mounts made, and the root not yet changed", async (t) => {
    const look = `${PID}
grep -c bundle/rootfs/proc /proc/$pid/mountinfo >> $S/seen
[ -e /proc/$pid/root$S/hook ] && echo host >> $S/seen`;
    await t.create("exec sleep 1000", hooks(t, look, ["prestart", "createRuntime"]));
    expect(
      t
        .read("shared/seen")
        .split("\n")
        .filter((line) => line === "host"),
    ).toHaveLength(4);
    expect(t.read("shared/seen")).not.toMatch(/^0$/m);
  });

  rule("createContainer hooks find the mounts made, and the root not yet changed", async (t) => {
    const look = `grep -c bundle/rootfs/proc /proc/self/mountinfo >> $S/seen
[ -e ${t.path("bundle/config.json")} ] && echo host >> $S/seen`;
    await t.create("exec sleep 1000", hooks(t, look, ["createContainer"]));
    expect(
      t
        .read("shared/seen")
        .split("\n")
        .filter((line) => line === "host"),
    ).toHaveLength(2);
    expect(t.read("shared/seen")).not.toMatch(/^0$/m);
  });

  for (const kind of KINDS) {
    const where = kind === "startContainer" ? "container" : "runtime";
    rule(`the path of a ${kind} hook is resolved in the ${where} namespace`, async (t) => {
      const script = "#!/bin/sh\ncat > /dev/null\n/bin/true; echo ran > OUT\n";
      const outside = t.write("hook", script.replace("OUT", t.path("ran")), 0o755);
      const id = await t.create("exec sleep 1000", (config) => {
        config.hooks = { [kind]: [{ path: kind === "startContainer" ? "/inside" : outside, env: [PATH] }] };
        writeFileSync(t.path("bundle/rootfs/inside"), script.replace("OUT", "/ran"), { mode: 0o755 });
      });
      await t.ok(["start", id]);
      if (kind === "poststop") await t.ok(["delete", "--force", id]);
      const proof = kind === "startContainer" ? "bundle/rootfs/ran" : "ran";
      await until("the hook ran", () => t.exists(proof));
    });

    const wrong = WRONG_STATE[kind];
    rule(
      `${kind} hooks get the state on standard input`,
      async (t) => {
        const edit = hooks(t, 'printf %s "$state" > $S/$1.$2', [kind]);
        const id = await t.create("exec sleep 1000", edit);
        await t.ok(["start", id]);
        await t.ok(["kill", id, "KILL"]);
        await t.waitFor("stopped");
        await t.ok(["delete", id]);
        for (const number of [1, 2]) {
          const state = JSON.parse(readFileSync(t.path(`shared/${kind}.${number}`), "utf8")) as Record<string, unknown>;
          expect(state).toMatchObject({ id, bundle: t.path("bundle") });
          expect(state.ociVersion).toEqual(expect.any(String));
          expect(state.status).toEqual(expect.any(String));
          if (kind !== "poststop") expect(state.pid).toBeGreaterThan(0);
        }
      },
      wrong === undefined ? {} : { except: { crun: wrong } },
    );
  }

  for (const kind of CREATE) {
    rule(`a ${kind} hook that fails is the error of create, the next is not run, and nothing is left`, async (t) => {
      const bundle = t.bundle("true", failing(t, kind));
      await t.fails(["create", "--bundle", bundle, t.id]);
      expect(log(t)).toEqual([`${kind} 1`]);
      expect(await t.left()).toEqual([]);
    });
  }

  rule(
    "a startContainer hook that fails is the error of start, and the container is stopped without having run",
    async (t) => {
      const id = await t.create("touch /ran", failing(t, "startContainer"));
      await t.fails(["start", id]);
      const state = await t.call(["state", id]);
      if (state.code === 0) await t.waitFor("stopped");
      expect(t.exists("bundle/rootfs/ran")).toBe(false);
    },
    { except: { runc: "reports success", crun: "reports success" } },
  );

  rule(
    "a poststart hook that fails is the error of start, and the container is stopped",
    async (t) => {
      const id = await t.create("exec sleep 1000", (config) => {
        failing(t, "poststart")(config);
        config.ociVersion = "1.3.0";
      });
      await t.fails(["start", id]);
      const state = await t.call(["state", id]);
      if (state.code === 0) await t.waitFor("stopped");
    },
    { except: { runc: LATE, crun: "goes on" } },
  );

  rule(
    "a poststop hook that fails changes nothing: the next one is run, and delete succeeds",
    async (t) => {
      const id = await t.create("exec sleep 1000", failing(t, "poststop"));
      await t.ok(["delete", "--force", id]);
      expect(log(t)).toEqual(both("poststop"));
      expect(await t.left()).toEqual([]);
    },
    { except: { runc: "stops at the first" } },
  );

  rule("a hook over its timeout fails", async (t) => {
    const bundle = t.bundle("true", (config) => {
      config.hooks = { createRuntime: [{ path: "/bin/sleep", args: ["sleep", "1234"], timeout: 1 }] };
    });
    const result = await t.fails(["create", "--bundle", bundle, t.id]);
    expect(result.ms).toBeGreaterThan(900);
    expect(result.ms).toBeLessThan(4000);
    expect(await t.left()).toEqual([]);
  });
});
