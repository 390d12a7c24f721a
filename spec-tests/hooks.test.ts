// Hooks: which run when, where, with what on their standard input, and what their failure does.

import { mkdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { expect } from "vitest";
import type { Config, Hook } from "./support/config.ts";
import type { Sandbox } from "./support/sandbox.ts";
import { until } from "./support/sandbox.ts";
import { suite } from "./support/suite.ts";

const KINDS = ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"] as const;
type Kind = (typeof KINDS)[number];
/** Runs in the runtime namespace. */
const OUTSIDE: readonly Kind[] = ["prestart", "createRuntime", "poststart", "poststop"];

/** A hook for every kind: SCRIPT of the host, which startContainer finds at the same path inside. */
function hooks(t: Sandbox, script: string, kinds: readonly Kind[] = KINDS): (config: Config) => void {
  mkdirSync(t.path("shared"), { recursive: true });
  const path = t.script("shared/hook", script);
  return (config) => {
    config.mounts.push({
      destination: t.path("shared"),
      type: "bind",
      source: t.path("shared"),
      options: ["rbind", "rw"],
    });
    const hook = (kind: Kind, number: number): Hook => ({
      path,
      args: ["hook-name", kind, String(number)],
      env: [`SHARED=${t.path("shared")}`, "PATH=/usr/bin:/bin"],
    });
    config.hooks = Object.fromEntries(kinds.map((kind) => [kind, [hook(kind, 1), hook(kind, 2)]]));
  };
}

function expectedLog(kinds: readonly Kind[]): string {
  return kinds.flatMap((kind) => [`${kind} 1`, `${kind} 2`]).join("\n");
}

suite("hooks", (rule) => {
  rule(
    "run in the order of the lifecycle, those of one kind in the order of the list",
    async (t) => {
      const edit = hooks(t, 'cat >/dev/null; echo "$1 $2" >> "$SHARED/log"');
      const id = await t.create(`echo program >> ${t.path("shared/log")}; sleep 1000`, edit);
      expect(t.read("shared/log").trim()).toBe(expectedLog(["prestart", "createRuntime", "createContainer"]));
      await t.ok(["start", id]);
      await until("the program ran", () => t.read("shared/log").includes("program"));
      const lines = t.read("shared/log").trim().split("\n");
      expect(lines.slice(0, 8).join("\n")).toBe(
        expectedLog(["prestart", "createRuntime", "createContainer", "startContainer"]),
      );
      expect(lines.slice(8).sort()).toEqual(["poststart 1", "poststart 2", "program"]);
      await t.ok(["delete", "--force", id]);
      expect(t.read("shared/log").trim().split("\n").slice(11).join("\n")).toBe(expectedLog(["poststop"]));
      expect(await t.left()).toEqual([]);
    },
    { except: { runc: "runc 1.1 runs poststart in create", crun: "crun 1.8 does not wait for startContainer" } },
  );

  rule(
    "run too when run does everything",
    async (t) => {
      const bundle = t.bundle("true", hooks(t, 'cat >/dev/null; echo "$1 $2" >> "$SHARED/log"'));
      await t.ok(["run", "--bundle", bundle, t.id]);
      expect(t.read("shared/log").trim()).toBe(expectedLog(KINDS));
    },
    { except: { runc: "runc 1.1 runs poststart in create", crun: "crun 1.8 does not wait for startContainer" } },
  );

  rule(
    "get the state on standard input: status and pid of their moment, id, bundle, annotations",
    async (t) => {
      const id = await t.create("sleep 1000", (config) => {
        hooks(t, 'cat > "$SHARED/$1.$2"')(config);
        config.annotations = { "org.example.a": 'with "quotes" and \u00fc' };
      });
      const { pid } = await t.state();
      await t.ok(["start", id]);
      await t.ok(["delete", "--force", id]);
      const expected: Record<Kind, [string, unknown]> = {
        prestart: ["created", pid],
        createRuntime: ["creating", pid],
        createContainer: ["creating", expect.any(Number)],
        startContainer: ["created", 1],
        poststart: ["running", pid],
        poststop: ["stopped", expect.toBeOneOf([0, undefined, pid])],
      };
      for (const kind of KINDS) {
        for (const number of [1, 2]) {
          const state = JSON.parse(t.read(`shared/${kind}.${number}`)) as Record<string, unknown>;
          const [status, seen] = expected[kind];
          expect({ kind, ...state }).toMatchObject({ kind, id, status, bundle: t.path("bundle") });
          expect({ kind, pid: state.pid }).toEqual({ kind, pid: seen });
          expect(state.annotations).toEqual({ "org.example.a": 'with "quotes" and \u00fc' });
          expect(state.ociVersion).toMatch(/^1\./);
        }
      }
    },
    { except: { crun: "crun 1.8 has its own status words", runc: "runc 1.1 adds a bundle annotation" } },
  );

  rule(
    "prestart, createRuntime, poststart and poststop run in the caller's namespaces, createContainer and startContainer in the container's",
    async (t) => {
      const namespaces = ["mnt", "uts", "ipc", "net"];
      const script = `cat >/dev/null; for n in ${namespaces.join(" ")}; do readlink /proc/self/ns/$n; done > "$SHARED/$1"`;
      const id = await t.create("sleep 1000", hooks(t, script));
      const { pid } = await t.state();
      const read = (who: string) => namespaces.map((name) => readlinkSync(`/proc/${who}/ns/${name}`)).join("\n");
      const inside = read(String(pid));
      const outside = read("self");
      await t.ok(["start", id]);
      // crun does not wait for it.
      const last = "shared/startContainer";
      await until("the hooks ran", () => t.exists(last) && t.read(last).split("\n").length > namespaces.length, 20_000);
      await t.ok(["delete", "--force", id]);
      for (const kind of KINDS) {
        expect(`${kind}\n${t.read(`shared/${kind}`).trim()}`).toBe(
          `${kind}\n${OUTSIDE.includes(kind) ? outside : inside}`,
        );
      }
    },
  );

  rule("get args with args[0] as their name, and no more environment than env says", async (t) => {
    const program = t.script(
      "probe",
      `tr '\\0' '\\n' < /proc/self/environ > ${t.path("env")}; tr '\\0' ' ' < /proc/self/cmdline > ${t.path("args")}`,
    );
    const bundle = t.bundle("true", (config) => {
      config.hooks = { createRuntime: [{ path: program, args: ["name", "one", "two words"], env: ["A=1", "B=x y"] }] };
    });
    await t.ok(["run", "--bundle", bundle, t.id], { env: { ...process.env, SECRET: "not for hooks" } });
    expect(t.read("env")).toBe("A=1\nB=x y\n");
    expect(t.read("args")).toBe(`/bin/sh ${program} one two words `);
  });

  rule(
    "createContainer runs before pivot_root with the host's paths in sight, startContainer inside",
    async (t) => {
      mkdirSync(t.path("shared"));
      const script = t.script(
        "shared/look",
        `cat >/dev/null; pwd -P > ${t.path("shared")}/pwd-$1; ls / > ${t.path("shared")}/ls-$1`,
      );
      const id = await t.create("sleep 1000", (config) => {
        config.mounts.push({
          destination: t.path("shared"),
          type: "bind",
          source: t.path("shared"),
          options: ["rbind"],
        });
        config.hooks = {
          createContainer: [{ path: script, args: ["look", "create"], env: ["PATH=/bin:/usr/bin"] }],
          startContainer: [{ path: script, args: ["look", "start"], env: ["PATH=/bin:/usr/bin"] }],
        };
        config.root.readonly = false;
      });
      await t.ok(["start", id]);
      expect(t.read("shared/pwd-start")).toBe("/\n");
      expect(t.read("shared/ls-create")).toContain("home");
      expect(t.read("shared/ls-start")).not.toContain("home");
      await t.ok(["delete", "--force", id]);
    },
    { except: { crun: "crun 1.8 does not wait for startContainer" } },
  );

  for (const kind of ["prestart", "createRuntime", "createContainer"] as const) {
    rule(
      `a failing ${kind} hook is the error of create, with its words, and everything is undone`,
      async (t) => {
        const program = t.script("fail", "echo these words >&2; exit 3");
        const bundle = t.bundle("sleep 1000", (config) => {
          config.hooks = { [kind]: [{ path: program }] };
        });
        const result = await t.fails(["create", "--bundle", bundle, t.id]);
        expect(result.stderr).toMatch(/exit status 3|status 3|code 3|exited with 3/);
        expect(result.stderr).toContain("these words");
        expect(result.stderr).toMatch(new RegExp(`hooks?.*${kind}|${kind}.*hook|hook #0`));
        expect(await t.left()).toEqual([]);
      },
      { except: { crun: "crun 1.8 says less" } },
    );
  }

  rule(
    "a failing startContainer hook is the error of start, and the program does not run",
    async (t) => {
      const id = await t.create("echo ran > /proof; sleep 1000", (config) => {
        config.hooks = { startContainer: [{ path: "/bin/sh", args: ["sh", "-c", "echo inner words >&2; exit 4"] }] };
      });
      const result = await t.fails(["start", id]);
      expect(result.stderr).toMatch(/startContainer|4/);
      expect(t.exists("bundle/rootfs/proof")).toBe(false);
      expect((await t.waitFor("stopped")).pid).toBe(0);
      await t.ok(["delete", "--force", id]);
    },
    { except: { runc: "runc 1.1 reports success", crun: "crun 1.8 reports success" } },
  );

  rule(
    "a failing poststart hook is the error of start, and the container is stopped",
    async (t) => {
      const program = t.script("fail", "exit 5");
      const id = await t.create("sleep 1000", (config) => {
        config.ociVersion = "1.3.0";
        config.hooks = { poststart: [{ path: program }] };
      });
      await t.fails(["start", id]);
      await t.call(["delete", "--force", id]);
      expect(await t.left()).toEqual([]);
    },
    { except: { runc: "runc 1.1 runs poststart in create", crun: "crun 1.8 goes on" } },
  );

  rule(
    "a failing poststart hook is a warning, and the next one runs, in a bundle for runtime-spec before 1.3",
    async (t) => {
      const program = t.script("fail", "exit 5");
      const next = t.script("next", `touch ${t.path("ran")}`);
      const id = await t.create("sleep 1000", (config) => {
        config.ociVersion = "1.2.1";
        config.hooks = { poststart: [{ path: program }, { path: next }] };
      });
      expect((await t.ok(["start", id])).stderr).toContain("hook failed: exit status 5");
      expect(t.read("ran")).toBe("");
      expect((await t.state()).status).toBe("running");
    },
    { except: { runc: "runc 1.1 runs poststart in create", crun: "crun 1.8 warns without a reason" } },
  );

  rule(
    "a failing poststop hook is a warning, the next one runs, and delete succeeds",
    async (t) => {
      const program = t.script("fail", "exit 6");
      const next = t.script("next", `touch ${t.path("proof")}`);
      const id = await t.create("sleep 1000", (config) => {
        config.hooks = { poststop: [{ path: program }, { path: next, env: ["PATH=/bin:/usr/bin"] }] };
      });
      await t.ok(["delete", "--force", id]);
      expect(t.exists("proof")).toBe(true);
      expect(await t.left()).toEqual([]);
    },
    { except: { runc: "runc 1.1 stops at the first", crun: "crun 1.8 stops at the first" } },
  );

  for (const kind of ["prestart", "createRuntime", "createContainer"] as const) {
    rule(
      `a ${kind} hook over its timeout is killed, create fails and everything is undone`,
      async (t) => {
        const bundle = t.bundle("sleep 1000", (config) => {
          config.hooks = { [kind]: [{ path: "/bin/sleep", args: ["sleep", "1234"], timeout: 1 }] };
        });
        const result = await t.fails(["create", "--bundle", bundle, t.id]);
        expect(result.ms).toBeGreaterThan(900);
        expect(result.ms).toBeLessThan(20_000);
        expect(result.stderr).toMatch(/time|deadline/i);
        expect(await t.left()).toEqual([]);
      },
      { except: { crun: "crun 1.8 says nothing about time" } },
    );
  }

  rule("a hook that does not exist is an error with its path", async (t) => {
    const bundle = t.bundle("true", (config) => {
      config.hooks = { createRuntime: [{ path: "/no/such/hook" }] };
    });
    const result = await t.fails(["create", "--bundle", bundle, t.id]);
    expect(result.stderr).toContain("/no/such/hook");
    expect(await t.left()).toEqual([]);
  });

  rule(
    "a hook that does not read its standard input is no error",
    async (t) => {
      const bundle = t.bundle("true", (config) => {
        config.annotations = { big: "x".repeat(300_000) };
        config.hooks = { createRuntime: [{ path: "/bin/true" }], createContainer: [{ path: "/bin/true" }] };
      });
      await t.ok(["run", "--bundle", bundle, t.id]);
    },
    { except: { crun: "crun 1.8 dies of the broken pipe" } },
  );

  rule(
    "a createRuntime hook can ask for the state: creating, with the pid",
    async (t) => {
      const program = t.script(
        "ask",
        `cat > ${t.path("stdin")}; exec ${t.runtime.path} --root ${t.root} state ${t.id} > ${t.path("answer")}`,
      );
      const id = await t.create("sleep 1000", (config) => {
        config.hooks = { createRuntime: [{ path: program, env: [`PATH=${process.env.PATH}`] }] };
      });
      const { pid } = await t.state();
      const answer = JSON.parse(t.read("answer")) as Record<string, unknown>;
      expect(answer).toMatchObject({ id, pid, status: "creating" });
      await t.ok(["delete", "--force", id]);
    },
    { except: { runc: "runc has no state before create ends", crun: "crun has no such status" } },
  );

  rule(
    "delete --force takes over a create whose hook sleeps: both end, nothing is left",
    async (t) => {
      const bundle = t.bundle("sleep 1000", (config) => {
        config.hooks = {
          createRuntime: [
            { path: t.script("sleep", `touch ${t.path("sleeping")}; exec sleep 1234`), env: ["PATH=/bin:/usr/bin"] },
          ],
        };
      });
      const create = t.start(["create", "--bundle", bundle, t.id]);
      await until("the hook sleeps", () => t.exists("sleeping"));
      await t.ok(["delete", "--force", t.id]);
      const result = await create.done;
      expect(result.code).not.toBe(0);
      expect(await t.left()).toEqual([]);
    },
    { except: { runc: "runc has no state before create ends", crun: "crun leaves the hook" } },
  );

  rule(
    "state, list and kill answer while a hook of the same container sleeps",
    async (t) => {
      const bundle = t.bundle("sleep 1000", (config) => {
        config.hooks = {
          createRuntime: [
            {
              path: t.script(
                "sleep",
                `touch ${t.path("sleeping")}; while [ ! -e ${t.path("go")} ]; do sleep 0.02; done`,
              ),
              env: ["PATH=/bin:/usr/bin"],
            },
          ],
        };
      });
      const create = t.start(["create", "--bundle", bundle, t.id]);
      await until("the hook sleeps", () => t.exists("sleeping"));
      expect((await t.state()).status).toBe("creating");
      expect((await t.ok(["list", "-q"])).stdout).toBe(`${t.id}\n`);
      writeFileSync(t.path("go"), "");
      expect((await create.done).code).toBe(0);
      await t.ok(["delete", "--force", t.id]);
    },
    { except: { runc: "runc has no state before create ends", crun: "crun has no state before create ends" } },
  );

  rule(
    "startContainer hooks run with the program's capabilities and noNewPrivileges",
    async (t) => {
      const id = await t.create("sleep 1000", (config) => {
        mkdirSync(t.path("shared"), { recursive: true });
        config.mounts.push({
          destination: "/shared",
          type: "bind",
          source: t.path("shared"),
          options: ["rbind", "rw"],
        });
        config.hooks = {
          startContainer: [
            {
              path: "/bin/sh",
              args: ["sh", "-c", "grep -E '^(CapEff|NoNewPrivs)' /proc/self/status > /shared/status"],
              env: ["PATH=/bin"],
            },
          ],
        };
      });
      await t.ok(["start", id]);
      expect(readFileSync(t.path("shared/status"), "utf8")).toMatch(/CapEff:\t0000000020000420\nNoNewPrivs:\t1/);
      await t.ok(["delete", "--force", id]);
    },
    { except: { crun: "crun 1.8 runs them with all capabilities", runc: "runc 1.1 runs them before noNewPrivileges" } },
  );
});
