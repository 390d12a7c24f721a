// The words that engines look for in a runtime's errors, in the order in which they look, and what they make of them.

import { execFileSync } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import { expect } from "vitest";
import type { Config } from "./support/config.ts";
import type { Result } from "./support/runtime.ts";
import type { Sandbox } from "./support/sandbox.ts";
import { suite } from "./support/suite.ts";

const has = (text: string, ...words: readonly string[]): boolean => words.some((word) => text.includes(word));

/** The exit code of `docker run` and `docker exec`, of the daemon's setExitCodeFromError. */
function docker(error: string): number {
  const text = error.toLowerCase();
  if (has(text, "permission denied", "is a directory")) return 126;
  if (has(text, "not a directory", "executable file not found", "no such file or directory")) return 127;
  return 128;
}

/** The exit code of `podman run` and `podman exec`: libpod's getOCIRuntimeError. */
function podman(error: string): number {
  const text = error.toLowerCase();
  if (has(text, "permission denied", "operation not permitted")) return 126;
  return has(text, "executable file not found in", "no such file or directory", "open executable") ? 127 : 125;
}

/** containerd's shim: is what was to be killed gone? */
function containerdFindsItGone(error: string): boolean {
  const finished = has(error, "os: process already finished", "container not running", "does not exist");
  return finished || error.toLowerCase().includes("no such process");
}

/** CRI-O looks in standard error. */
const crioFindsItGone = (error: string): boolean =>
  has(error, "no such process", "container not running", "invalid process");

interface Failed extends Result {
  /** The message in the log. Podman reads the whole file as one document. */
  message: string;
}

async function failure(t: Sandbox, args: readonly string[]): Promise<Failed> {
  writeFileSync(t.path("log"), "");
  const result = await t.fails(["--log-format=json", "--log", t.path("log"), ...args]);
  const { level, msg } = JSON.parse(t.read("log")) as { level: string; msg: string };
  expect(level).toBe("error");
  return { ...result, message: msg };
}

interface Situation {
  title: string;
  edit: (config: Config, t: Sandbox) => void;
  docker: number;
  podman: number;
}

const program =
  (...args: string[]) =>
  (config: Config): void => {
    config.process.args = args;
  };

const bind =
  (source: (t: Sandbox) => string, destination: string) =>
  (config: Config, t: Sandbox): void => {
    config.mounts.push({ destination, type: "bind", source: source(t), options: ["bind"] });
  };

const file = (t: Sandbox): string => t.write("note", "x");

const PROGRAMS: readonly Situation[] = [
  { title: "a program that is not in $PATH", edit: program("no-such"), docker: 127, podman: 127 },
  { title: "a path that is not there", edit: program("/no/such"), docker: 127, podman: 127 },
  { title: "no name at all", edit: program(""), docker: 127, podman: 127 },
  { title: "a file that is no program", edit: program("/etc/passwd"), docker: 126, podman: 126 },
  { title: "a folder", edit: program("/etc"), docker: 126, podman: 126 },
  { title: "a folder that is in $PATH", edit: program("folder"), docker: 127, podman: 127 },
  { title: "a path below a file", edit: program("/etc/passwd/x"), docker: 127, podman: 125 },
  {
    title: "a program that the user cannot reach",
    edit: (config) => {
      config.process.args = ["/closed/sh"];
      config.process.user = { uid: 1000, gid: 1000 };
    },
    docker: 126,
    podman: 126,
  },
];

const OTHERS: readonly Situation[] = [
  {
    title: "a working folder that is a file",
    edit: (config) => {
      config.process.cwd = "/etc/passwd";
    },
    docker: 127,
    podman: 125,
  },
  { title: "a mount of what is not there", edit: bind(() => "/no/such", "/m"), docker: 127, podman: 127 },
  { title: "a mount of a file on a folder", edit: bind(file, "/etc"), docker: 127, podman: 125 },
  { title: "a mount of a folder on a file", edit: bind((t) => t.dir, "/etc/passwd"), docker: 127, podman: 125 },
  { title: "a mount below a file", edit: bind((t) => t.dir, "/etc/passwd/x"), docker: 127, podman: 125 },
  {
    title: "a namespace that is not there",
    edit: ({ linux }) => {
      linux.namespaces = linux.namespaces.filter(({ type }) => type !== "network");
      linux.namespaces.push({ type: "network", path: "/no/such" });
    },
    docker: 127,
    podman: 127,
  },
  {
    title: "a root file system that is not there",
    edit: ({ root }) => {
      root.path = "none";
    },
    docker: 127,
    podman: 127,
  },
  {
    title: "a hook that is not there",
    edit: (config) => {
      config.hooks = { prestart: [{ path: "/no/such" }] };
    },
    docker: 127,
    podman: 127,
  },
];

/** What PROGRAMS are about. */
const PREPARE = "mkdir bin/folder closed && cp -a bin/sh closed/ && chmod 700 closed";

function prepared(t: Sandbox, edit: (config: Config, t: Sandbox) => void): string {
  const bundle = t.bundle("sleep 1000", (config) => edit(config, t));
  execFileSync("sh", ["-c", PREPARE], { cwd: `${bundle}/rootfs` });
  return bundle;
}

const NO_CRUN = { except: { crun: "crun has its own words" } } as const;

suite("create: what is wrong has the exit code that it has with runc", (rule) => {
  for (const situation of [...PROGRAMS, ...OTHERS]) {
    rule(
      `${situation.title}: docker ${situation.docker}, podman ${situation.podman}`,
      async (t) => {
        const bundle = prepared(t, situation.edit);
        const { message, stderr } = await failure(t, ["create", "--bundle", bundle, t.id]);
        for (const text of [message, stderr]) {
          expect(`${docker(text)} ${podman(text)} ${text}`).toBe(`${situation.docker} ${situation.podman} ${text}`);
        }
        expect(await t.left()).toEqual([]);
      },
      NO_CRUN,
    );
  }
});

suite("exec: what is wrong has the exit code that it has with runc", (rule) => {
  rule(
    "as detached as conmon and the shim call it; there is no pid file then",
    async (t) => {
      const bundle = prepared(t, () => {});
      await t.ok(["create", "--bundle", bundle, t.id]);
      const folder: Situation = { ...(OTHERS[0] as Situation), title: "a working folder that is a file" };
      for (const situation of [...PROGRAMS, folder]) {
        const config = { process: { args: ["true"], cwd: "/", env: ["PATH=/bin"], user: { uid: 0, gid: 0 } } };
        situation.edit(config as unknown as Config, t);
        const process = t.write("process.json", JSON.stringify(config.process));
        const args = ["exec", "--process", process, "--detach", "--pid-file", t.path("pid"), t.id];
        const { message, stderr, code } = await failure(t, args);
        expect(code).toBe(255);
        expect(t.exists("pid")).toBe(false);
        for (const text of [message, stderr]) {
          expect(`${docker(text)} ${podman(text)} ${text}`).toBe(`${situation.docker} ${situation.podman} ${text}`);
        }
      }
    },
    NO_CRUN,
  );
});

suite("start: what cannot be executed is found here, not in the container's output", (rule) => {
  for (const [title, text, codes] of [
    ["a script without its interpreter", "#!/no/such\n", "127 127"],
    ["neither a program nor a script", "garbage", "128 125"],
  ] as const) {
    rule(
      title,
      async (t) => {
        const bundle = t.bundle("true", program("/program"));
        writeFileSync(`${bundle}/rootfs/program`, text);
        chmodSync(`${bundle}/rootfs/program`, 0o755);
        await t.ok(["create", "--bundle", bundle, t.id]);
        const { message, stderr } = await failure(t, ["start", t.id]);
        expect(`${docker(message)} ${podman(message)}`).toBe(codes);
        expect(`${docker(stderr)} ${podman(stderr)}`).toBe(codes);
      },
      { except: { runc: "it is in the output of the container", crun: "crun has its own words" } },
    );
  }
});

suite("kill and delete: what has ended is no error for an engine", (rule) => {
  rule(
    "a container that has stopped, or has been deleted",
    async (t) => {
      const bundle = t.bundle("true");
      await t.ok(["create", "--bundle", bundle, t.id]);
      await t.ok(["start", t.id]);
      await t.waitFor("stopped");
      const { message, stderr } = await failure(t, ["kill", t.id, "15"]);
      expect([message, stderr].map(containerdFindsItGone)).toEqual([true, true]);
      expect(crioFindsItGone(stderr)).toBe(true);
      await t.ok(["kill", "--all", t.id, "9"]);
      await t.ok(["delete", t.id]);
      for (const args of [
        ["delete", t.id],
        ["kill", t.id, "9"],
        ["kill", "--all", t.id, "9"],
      ]) {
        const gone = await failure(t, args);
        expect(has(gone.stderr, "does not exist")).toBe(true);
        expect(containerdFindsItGone(gone.message)).toBe(true);
      }
      await t.ok(["delete", "--force", t.id]);
    },
    NO_CRUN,
  );

  rule(
    "a container that ends meanwhile",
    async (t) => {
      const bundle = t.bundle("true");
      for (let round = 0; round < 10; round++) {
        await t.ok(["create", "--bundle", bundle, t.id]);
        await t.ok(["start", t.id]);
        const results: Result[] = [];
        do results.push(await t.call(["kill", t.id, "9"]));
        while (results.at(-1)?.code === 0);
        for (const { code, stderr } of results) expect(code === 0 || containerdFindsItGone(stderr)).toBe(true);
        await t.waitFor("stopped");
        await t.ok(["delete", t.id]);
      }
    },
    NO_CRUN,
  );
});
