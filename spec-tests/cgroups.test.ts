// cgroups that are somebody else's: there before, appearing, frozen. What is not ours is neither killed nor removed.

import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { type Running, Runtime, runtimes, startProgram } from "./support/runtime.ts";
import { type Sandbox, until } from "./support/sandbox.ts";
import { suite } from "./support/suite.ts";

/** The folder of that name at the top of each hierarchy that a container gets a cgroup in. */
function tops(name: string): string[] {
  const root = "/sys/fs/cgroup";
  if (process.env.BERTH_VIEW === "v2") return [join(root, name)];
  const names = readdirSync(root).filter((entry) => lstatSync(join(root, entry)).isDirectory());
  return names.map((entry) => join(root, entry, name));
}

const PROCS = "cgroup.procs";
const procs = (folder: string): string => readFileSync(join(folder, PROCS), "utf8");

/** A new v1 cpuset has no CPUs, so that nothing can be put into it. */
const takesProcesses = (folder: string): boolean => !folder.includes("/cpuset/");

/** A process of somebody else; ended with the test. */
function stranger(t: Sandbox): Running {
  const running = startProgram(["sleep", "1000"]);
  t.later(async () => {
    running.child.kill("SIGKILL");
    await running.done;
  });
  return running;
}

/** A container of the given name in cgroups that are there already, one folder of them for each hierarchy. */
function oldCgroups(t: Sandbox): string[] {
  const folders = tops(t.id);
  for (const folder of folders) mkdirSync(folder);
  t.later(() => {
    for (const folder of folders) if (existsSync(folder)) rmdirSync(folder);
  });
  return folders;
}

suite(
  "cgroups that were there before",
  (rule) => {
    rule("are left as they were by a create that fails, and used by one that does not", async (t) => {
      const folders = oldCgroups(t);
      const bundle = t.bundle("cat /proc/self/cgroup", (config) => {
        config.linux.cgroupsPath = `/${t.id}`;
        config.process.args = ["/no/such/program"];
      });
      await t.fails(["create", "--bundle", bundle, t.id]);
      expect(folders.filter((folder) => !existsSync(folder))).toEqual([]);
      t.bundle("sleep 1000", (config) => {
        config.linux.cgroupsPath = `/${t.id}`;
      });
      await t.ok(["create", "--bundle", bundle, t.id]);
      const { pid } = await t.state();
      for (const folder of folders) expect(procs(folder)).toBe(`${pid}\n`);
      await t.ok(["delete", "--force", t.id]);
      expect(folders.filter((folder) => existsSync(folder))).toEqual([]);
    });

    rule("with processes are refused in whichever hierarchy, and the processes live", async (t) => {
      const folders = oldCgroups(t);
      const other = stranger(t);
      const bundle = t.bundle("true", (config) => {
        config.linux.cgroupsPath = `/${t.id}`;
      });
      for (const folder of folders.filter(takesProcesses)) {
        writeFileSync(join(folder, PROCS), String(other.pid));
        const result = await t.fails(["create", "--bundle", bundle, t.id]);
        expect(result.stderr).toContain("container's cgroup is not empty");
        expect(result.stderr).toContain(folder);
        await t.ok(["delete", "--force", t.id]);
        expect(procs(folder)).toBe(`${other.pid}\n`);
        writeFileSync(join(folder, "..", PROCS), String(other.pid));
      }
      expect(other.child.exitCode).toBe(null);
    });
  },
  runtimes().filter(({ kind }) => kind === "berth"),
);

const TEST_BUILD = process.env.TEST_BERTH ?? "dist/test/berth";

/** Starts the command again and again, stopped at one native call after the other, until `when` holds. */
async function stopWhen(
  t: Sandbox,
  words: readonly string[],
  when: (pid: number) => boolean,
  before: () => void = () => {},
): Promise<Running> {
  for (let call = 1; call < 1000; call++) {
    before();
    const running = t.start(words, { env: { ...process.env, BERTH_STOP_NATIVE: String(call) }, timeout: 20_000 });
    let ended = false;
    running.done.then(() => {
      ended = true;
    });
    await until("it stops", () => ended || /\) T /.test(readFileSync(`/proc/${running.pid}/stat`, "utf8")));
    if (ended) break;
    if (when(running.pid)) return running;
    running.child.kill("SIGKILL");
    await running.done;
    await t.call(["delete", "--force", t.id]);
  }
  throw new Error("the moment did not come");
}

suite(
  "cgroups that change while a container is created",
  (rule) => {
    rule("one that appears with processes is not taken, and they live", async (t) => {
      const bundle = t.bundle("true", (config) => {
        config.linux.cgroupsPath = `/${t.id}`;
      });
      // It has looked before it records anything.
      const recorded = (): boolean => existsSync(join(t.root, t.id, "state.json"));
      const running = await stopWhen(t, ["create", "--bundle", bundle, t.id], recorded);
      const folders = oldCgroups(t).filter(takesProcesses);
      const other = stranger(t);
      for (const folder of folders) writeFileSync(join(folder, PROCS), String(other.pid));
      running.child.kill("SIGCONT");
      expect((await running.done).stderr).toMatch(/mkdir .*file exists/i);
      for (const folder of folders) expect(procs(folder)).toBe(`${other.pid}\n`);
    });

    rule(
      "an old one that is frozen between the look and the clone does not make create deaf to SIGTERM",
      async (t) => {
        const unified = process.env.BERTH_VIEW === "v2" ? "/sys/fs/cgroup" : "/sys/fs/cgroup/unified";
        const folder = join(unified, t.id);
        t.later(() => rmdirSync(folder));
        const bundle = t.bundle("true", (config) => {
          config.linux.cgroupsPath = `/${t.id}`;
        });
        const opened = (pid: number): boolean =>
          readdirSync(`/proc/${pid}/fd`).some((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`) === join(folder, PROCS));
        const running = await stopWhen(t, ["create", "--bundle", bundle, t.id], opened, () =>
          mkdirSync(folder, { recursive: true }),
        );
        writeFileSync(join(folder, "cgroup.freeze"), "1");
        running.child.kill("SIGCONT");
        await until("init is in it", () => procs(folder) !== "");
        running.child.kill("SIGTERM");
        expect((await running.done).stderr).toContain("interrupted by signal 15");
        expect(procs(folder)).toBe("");
      },
      { skip: process.env.BERTH_VIEW === "v1" && "there is no unified hierarchy" },
    );

    rule(
      "a v1 freezer that is frozen before init is in it: SIGTERM undoes all",
      async (t) => {
        const freezer = join("/sys/fs/cgroup/freezer", t.id);
        const bundle = t.bundle("true", (config) => {
          config.linux.cgroupsPath = `/${t.id}`;
        });
        const running = await stopWhen(t, ["create", "--bundle", bundle, t.id], () => existsSync(freezer));
        writeFileSync(join(freezer, "freezer.state"), "FROZEN");
        running.child.kill("SIGCONT");
        await until("init is in it", () => readFileSync(join(freezer, "tasks"), "utf8") !== "");
        running.child.kill("SIGTERM");
        expect((await running.done).stderr).toContain("interrupted by signal 15");
        expect(await t.left()).toEqual([]);
      },
      { skip: process.env.BERTH_VIEW === "v2" && "there is no v1 freezer" },
    );
  },
  existsSync(TEST_BUILD) ? [new Runtime(TEST_BUILD)] : [],
);
