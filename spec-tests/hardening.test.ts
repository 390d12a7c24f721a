// What stands between a hostile container and the host: see docs/security.md, which names the rule each test proves.

import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { expect } from "vitest";
import { type Config, withUserNamespace } from "./support/config.ts";
import { mknodAt } from "./support/files.ts";
import { helper } from "./support/helpers.ts";
import { startProgram } from "./support/runtime.ts";
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

function join(config: Config, type: string, path: string): void {
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
        join(config, "pid", `/proc/${pid}/ns/pid`);
        join(config, "user", `/proc/${pid}/ns/user`);
      },
    ],
    ["root of the host's user namespace", () => {}, (config, pid) => join(config, "pid", `/proc/${pid}/ns/pid`)],
    [
      "root of the host's user namespace, and the new container makes a user namespace",
      () => {},
      (config, pid) => {
        join(config, "pid", `/proc/${pid}/ns/pid`);
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
