// What stands between a hostile container and the host: see docs/security.md, which names the rule each test proves.

import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { type Config, withUserNamespace } from "./support/config.ts";
import { mknodAt } from "./support/files.ts";
import { helper } from "./support/helpers.ts";
import { type Running, Runtime, startProgram } from "./support/runtime.ts";
import { copyRootfs, type Sandbox, until } from "./support/sandbox.ts";
import { suite } from "./support/suite.ts";

const JOINS = Number(process.env.HARDENING_JOINS ?? 200);
const MINUTES = 60_000;
const SEEN = "bundle/rootfs/spy/seen";
const HITS = "bundle/rootfs/spy/hits";

const EVERY_CAPABILITY = [
  "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE",
  "NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN",
  "SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP",
]
  .join(" ")
  .split(" ")
  .map((name) => `CAP_${name}`);

function allCapabilities(config: Config): void {
  config.process.capabilities = {
    bounding: EVERY_CAPABILITY,
    effective: EVERY_CAPABILITY,
    permitted: EVERY_CAPABILITY,
  };
}

/** Starts a container that runs the spy; its pid. */
async function spy(t: Sandbox, edit: (config: Config) => void): Promise<number> {
  const rootfs = t.path("bundle/rootfs");
  mkdirSync(t.path("bundle"));
  copyRootfs(rootfs);
  copyFileSync(helper("spy"), `${rootfs}/bin/spy`);
  mkdirSync(`${rootfs}/spy`);
  chmodSync(`${rootfs}/spy`, 0o777);
  const id = await t.create("unused", (config) => {
    config.process.args = ["/bin/spy", "/spy"];
    edit(config);
  });
  await t.ok(["start", id]);
  await until("the spy runs", () => t.exists(SEEN));
  return (await t.state(id)).pid;
}

function joinNamespace(config: Config, type: string, path: string): void {
  config.linux.namespaces = config.linux.namespaces.filter((namespace) => namespace.type !== type);
  config.linux.namespaces.push({ type, path });
}

suite("a hostile program in a joined pid namespace reaches nothing of a container that is being created", (rule) => {
  const CASES: readonly [string, (config: Config) => void, (config: Config, pid: number) => void][] = [
    [
      "root of the joined user namespace, with every capability there",
      (config) => {
        withUserNamespace(config);
        allCapabilities(config);
      },
      (config, pid) => {
        joinNamespace(config, "pid", `/proc/${pid}/ns/pid`);
        joinNamespace(config, "user", `/proc/${pid}/ns/user`);
      },
    ],
    [
      "root of the host's user namespace",
      () => {},
      (config, pid) => joinNamespace(config, "pid", `/proc/${pid}/ns/pid`),
    ],
    [
      "root of the host's user namespace, and the new container makes a user namespace",
      () => {},
      (config, pid) => {
        joinNamespace(config, "pid", `/proc/${pid}/ns/pid`);
        withUserNamespace(config);
      },
    ],
  ];
  for (const [who, hostile, victim] of CASES) {
    rule(
      `${who}: ptrace, exe, mem, root, cwd, fd`,
      async (t) => {
        const pid = await spy(t, hostile);
        const bundle = t.bundle(
          "unused",
          (config) => {
            victim(config, pid);
            // What shows a namespace that is not the container's own cannot be mounted by it.
            config.mounts = config.mounts.filter((mount) => !["proc", "sysfs", "mqueue"].includes(mount.type ?? ""));
          },
          "second",
        );
        for (let i = 0; i < JOINS; i++) {
          const id = t.newId();
          await t.ok(["create", "--bundle", bundle, id]);
          await t.ok(["delete", "--force", id]);
        }
        expect(t.read(HITS).slice(0, 500)).toBe("");
        // It was there and looked.
        expect(Number(t.read(SEEN))).toBeGreaterThan(JOINS * 0.9);
      },
      { timeout: 5 * MINUTES },
    );
  }
});

suite("a hostile image", (rule) => {
  rule("/etc/passwd is read for HOME only when it is a regular file: a device is not even opened", async (t) => {
    const home = async (): Promise<[string, string]> => {
      const watch = startProgram([helper("watch"), passwd]);
      await until("it watches", () => readFileSync(`/proc/${watch.pid}/fd/1`, "utf8") !== "");
      const out = await t.ok(["run", "--bundle", bundle, t.newId()]);
      watch.child.kill();
      return [out.stdout, (await watch.done).stdout];
    };
    const bundle = t.bundle("echo $HOME");
    const passwd = `${bundle}/rootfs/etc/passwd`;
    expect(await home()).toEqual(["/root\n", "watching\nopened\n"]);
    rmSync(passwd);
    mknodAt(passwd, 1, 3);
    expect(await home()).toEqual(["/\n", "watching\n"]);
  });
});

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

suite("cgroups that were there before", (rule) => {
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
});

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
      const running = await stopWhen(t, ["create", "--bundle", bundle, t.id], () => existsSync(join(t.root, t.id)));
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
