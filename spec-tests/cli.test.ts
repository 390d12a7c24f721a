// The command line as engines and people use it: runc's flags, words, output and exit codes.

import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { expect } from "vitest";
import type { Process } from "./support/config.ts";
import { type CallOptions, runtimes } from "./support/runtime.ts";
import type { Edit, Sandbox } from "./support/sandbox.ts";
import { suite } from "./support/suite.ts";

suite("version and help", (rule) => {
  rule(
    "--version prints name and version, commit, spec, as engines parse it",
    async (t) => {
      for (const flag of ["--version", "-v"]) {
        const { stdout } = await t.ok([flag]);
        const lines = stdout.split("\n");
        expect(lines[0]).toMatch(/^(berth|runc|crun) version \d+\.\d+\.\d+/);
        expect(lines[1]).toMatch(/^commit: /);
        expect(stdout).toMatch(/^spec: 1\.\d+\.\d+/m);
      }
    },
    { except: { crun: "crun knows -V" } },
  );

  rule(
    "--help and -h succeed and list the commands; each command has help",
    async (t) => {
      for (const flag of ["--help", "-h", "help"]) {
        const { stdout } = await t.ok([flag]);
        for (const command of ["create", "start", "state", "kill", "delete", "run", "list", "spec"]) {
          expect(stdout).toContain(command);
        }
      }
      const { stdout } = await t.ok(["create", "--help"]);
      for (const flag of ["bundle", "pid-file", "console-socket", "no-pivot", "no-new-keyring", "preserve-fds"]) {
        expect(stdout).toContain(`--${flag}`);
      }
    },
    { except: { crun: "crun has -?" } },
  );

  rule(
    "a wrong number of arguments, an unknown flag or command exit with 1 and say what was wrong",
    async (t) => {
      for (const [words, said] of [
        [["state"], /argument/i],
        [["state", "a", "b"], /argument/i],
        [["create"], /argument/i],
        [["kill"], /argument/i],
        [["create", "--no-such-flag", "x"], /no-such-flag/],
        [["--no-such-flag", "list"], /no-such-flag/],
        [["list", "--format", "xml"], /xml|format/i],
      ] as const) {
        const result = await t.fails(words);
        expect(result.code).toBe(1);
        expect(result.stdout + result.stderr).toMatch(said);
      }
    },
    { except: { crun: "crun has its own words" } },
  );
});

suite("flags", (rule) => {
  rule(
    "--flag=value, --flag value, short forms and a single dash mean the same",
    async (t) => {
      const bundle = t.bundle("true");
      for (const words of [
        ["run", `--bundle=${bundle}`],
        ["run", "--bundle", bundle],
        ["run", "-b", bundle],
        ["run", `-b=${bundle}`],
        ["run", "-bundle", bundle],
        ["run", `-bundle=${bundle}`],
        ["run", "-no-subreaper", "--bundle", bundle],
        ["run", "--no-subreaper=true", "--no-pivot=false", "--bundle", bundle],
        ["run", "--no-new-keyring", "--bundle", bundle],
      ]) {
        await t.ok([...words, t.newId()]);
      }
    },
    { except: { crun: "crun parses as GNU does" } },
  );

  rule(
    "--root may be given by =, and must not be taken from the words after the command",
    async (t) => {
      const bundle = t.bundle("true");
      const result = await t.runtime.call([`--root=${t.root}`, "run", "--bundle", bundle, t.id]);
      expect(result.code).toBe(0);
      await t.fails(["list", "--root", t.root]);
    },
    { except: { crun: "crun parses as GNU does" } },
  );

  rule("the words after kill's id are the signal, not flags", async (t) => {
    const id = await t.create("sleep 1000");
    const result = await t.call(["kill", id, "-9"]);
    expect(result.code).not.toBeNull();
    await t.ok(["delete", "--force", id]);
  });

  rule(
    "--systemd-cgroup fails clearly as long as there is no driver",
    async (t) => {
      const result = await t.fails(["--systemd-cgroup", "run", "--bundle", t.bundle("true"), t.id]);
      expect(result.stderr).toMatch(/systemd/);
      expect(await t.left()).toEqual([]);
    },
    { except: { crun: "no systemd here: its own message" } },
  );

  rule("--no-pivot runs the program in the root file system all the same", async (t) => {
    const out = await t.ok([
      "run",
      "--no-pivot",
      "--bundle",
      t.bundle("ls /bin/busybox; ls -d /home 2>&1 | tail -1; cd /; cd ..; pwd"),
      t.id,
    ]);
    expect(out.stdout).toMatch(/^\/bin\/busybox\n.*No such file.*\n\/\n$/);
  });

  rule(
    "without --no-new-keyring the program has a session keyring of its own",
    async (t) => {
      const out = await t.ok([
        "run",
        "--bundle",
        t.bundle("cat /proc/keys | grep -c _ses; cat /proc/keys | grep keyring", (config) => {
          config.linux.maskedPaths = [];
        }),
        t.id,
      ]);
      expect(out.stdout).toContain(`_ses.${t.id}`);
    },
    { except: { crun: "crun names it otherwise" } },
  );
});

suite("list", (rule) => {
  rule(
    "prints a table with a line for each container, -q only the ids, -f json objects as state has them",
    async (t) => {
      const id = await t.create("sleep 1000");
      const state = await t.state();
      const table = (await t.ok(["list"])).stdout.trim().split("\n");
      expect(table[0]?.split(/\s+/)).toEqual(["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"]);
      expect(table[1]?.split(/\s+/)).toEqual([
        id,
        String(state.pid),
        "created",
        state.bundle,
        state.created,
        userInfo().username,
      ]);
      expect(table.length).toBe(2);
      for (const flag of ["-q", "--quiet"]) expect((await t.ok(["list", flag])).stdout).toBe(`${id}\n`);
      for (const words of [["-f", "json"], ["--format=json"]]) {
        const { stdout } = await t.ok(["list", ...words]);
        const list = JSON.parse(stdout) as Record<string, unknown>[];
        expect(list.length).toBe(1);
        expect(list[0]).toMatchObject({
          id,
          pid: state.pid,
          status: "created",
          bundle: state.bundle,
          owner: userInfo().username,
        });
      }
      await t.ok(["delete", "--force", id]);
    },
    { except: { crun: "crun has its own table" } },
  );

  rule(
    "with no containers prints only the head, and null as JSON",
    async (t) => {
      mkdirSync(t.root);
      expect((await t.ok(["list"])).stdout.trim().split(/\s+/)).toEqual([
        "ID",
        "PID",
        "STATUS",
        "BUNDLE",
        "CREATED",
        "OWNER",
      ]);
      expect((await t.ok(["list", "-f", "json"])).stdout.trim()).toBe("null");
      expect((await t.ok(["list", "-q"])).stdout).toBe("");
    },
    { except: { crun: "crun has its own table" } },
  );

  rule(
    "a --root that does not exist is an error",
    async (t) => {
      await t.fails(["list"]);
    },
    { except: { runc: "runc 1.1 prints an empty list", crun: "crun makes it" } },
  );

  rule(
    "a folder that is no container is skipped with a word on stderr",
    async (t) => {
      const id = await t.create("sleep 1000");
      mkdirSync(`${t.root}/broken`);
      const result = await t.ok(["list", "-q"]);
      expect(result.stdout).toBe(`${id}\n`);
      expect(result.stderr).toContain("broken");
      await t.ok(["delete", "--force", id]);
      await t.call(["delete", "--force", "broken"]);
      expect(await t.left()).toEqual([]);
    },
    { except: { crun: "crun prints nothing", runc: "runc 1.1 leaves the folder" } },
  );
});

suite("spec", (rule) => {
  rule(
    "writes a config.json that runs, with a sh in a terminal, and does not overwrite one",
    async (t) => {
      const bundle = t.bundle("unused");
      await t.fails(["spec", "--bundle", bundle]);
      mkdirSync(t.path("new"));
      await t.ok(["spec", "--bundle", t.path("new")]);
      const config = JSON.parse(t.read("new/config.json")) as {
        process: { args: string[]; terminal: boolean };
        root: { path: string };
      };
      expect(config.process).toMatchObject({ args: ["sh"], terminal: true });
      config.process.terminal = false;
      config.process.args = ["echo", "from spec"];
      config.root.path = t.path("bundle/rootfs");
      writeFileSync(t.path("new/config.json"), JSON.stringify(config));
      expect((await t.ok(["run", "--bundle", t.path("new"), t.id])).stdout).toBe("from spec\n");
    },
    { except: { crun: "crun overwrites with --bundle" } },
  );

  rule(
    "writes into the current folder by default; --rootless adds a user namespace",
    async (t) => {
      mkdirSync(t.path("new"));
      await t.ok(["spec", "--rootless"], { cwd: t.path("new") });
      const config = JSON.parse(t.read("new/config.json")) as {
        linux: { namespaces: { type: string }[]; uidMappings: unknown };
      };
      const types = config.linux.namespaces.map((namespace) => namespace.type);
      expect(types).toContain("user");
      expect(types).not.toContain("network");
      expect(config.linux.uidMappings).toEqual([{ containerID: 0, hostID: 0, size: 1 }]);
    },
    { except: { crun: "crun 1.8 keeps the network namespace" } },
  );

  rule(
    "writes what runc writes, field by field",
    async (t) => {
      mkdirSync(t.path("ours"));
      mkdirSync(t.path("theirs"));
      await t.ok(["spec"], { cwd: t.path("ours") });
      execFileSync(process.env.REFERENCE ?? "runc", ["spec"], { cwd: t.path("theirs") });
      const read = (name: string) => {
        const config = JSON.parse(t.read(name)) as { ociVersion?: string; hostname?: string; process: Process };
        delete config.ociVersion;
        delete config.hostname;
        // runc 1.1 wrote them, runc since 1.2 does not.
        delete config.process.capabilities?.ambient;
        return config;
      };
      expect(read("ours/config.json")).toEqual(read("theirs/config.json"));
    },
    { except: { crun: "crun writes its own" } },
  );
});

suite("log", (rule) => {
  rule(
    "errors go to --log as well as to stderr; json has level, msg and time",
    async (t) => {
      const log = t.path("log");
      const result = await t.runtime.call([
        "--root",
        t.root,
        "--log",
        log,
        "--log-format",
        "json",
        "state",
        "no-such-id",
      ]);
      expect(result.code).toBe(1);
      expect(result.stderr).toMatch(/does not exist|not found/);
      const lines = readFileSync(log, "utf8").trim().split("\n");
      const entry = JSON.parse(lines.at(-1) ?? "") as Record<string, string>;
      expect(entry.level).toBe("error");
      expect(entry.msg).toMatch(/does not exist|not found/);
      expect(Number.isNaN(Date.parse(entry.time ?? ""))).toBe(false);
    },
    { except: { crun: "crun 1.8 says it once" } },
  );

  rule(
    "the text format is one line with time, level and msg; the log is appended to",
    async (t) => {
      const log = t.write("log", "before\n");
      await t.runtime.call(["--root", t.root, "--log", log, "state", "no-such-id"]);
      await t.runtime.call(["--root", t.root, "--log", log, "--log-format=text", "state", "no-such-id"]);
      const lines = t.read("log").trim().split("\n");
      expect(lines.length).toBe(3);
      expect(lines[0]).toBe("before");
      expect(lines[2]).toMatch(/^time="?[^ ]+"? level=error msg=".*"$/);
    },
    { except: { crun: "crun has its own text" } },
  );

  rule(
    "an unknown --log-format is an error",
    async (t) => {
      const result = await t.fails(["--log-format", "xml", "list"]);
      expect(result.stderr).toMatch(/log-format|xml/);
    },
    { except: { crun: "crun 1.8 has other words" } },
  );
});

/** Standard error is a pipe that nobody reads any more. */
function unheard(t: Sandbox): CallOptions {
  const pipe = t.path("unheard");
  execFileSync("mkfifo", [pipe]);
  const script = 'exec 4<>"$1"; exec 3>"$1"; exec 4<&-; shift; exec "$@" 2>&3 3>&-';
  return { prefix: ["sh", "-c", script, "sh", pipe] };
}

suite(
  "warnings that nobody reads",
  (rule) => {
    rule("end no command: a container is made, runs, and all its hooks run", async (t) => {
      const options = unheard(t);
      const hook = (text: string, name: string) => ({ path: t.script(name, text) });
      const edit: Edit = (config) => {
        config.process.capabilities = { bounding: ["CAP_NO_SUCH"] };
        config.hooks = { poststop: [hook("exit 1", "first"), hook(`touch ${t.path("last")}`, "second")] };
      };
      await t.create("exit 7", edit, [], options);
      expect((await t.state()).status).toBe("created");
      expect((await t.call(["delete", t.id], options)).code).toBe(0);
      expect(t.exists("last")).toBe(true);
      expect((await t.call(["run", "--bundle", t.path("bundle"), t.id], options)).code).toBe(7);
    });
  },
  runtimes().filter(({ kind }) => kind === "berth"),
);
