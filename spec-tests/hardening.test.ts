// What a hostile program, an inherited descriptor or another user could reach: the rules are in docs/security.md.

import {
  chmodSync,
  chownSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { type Config, withUserNamespace } from "./support/config.ts";
import { helper } from "./support/helpers.ts";
import { runtimes } from "./support/runtime.ts";
import { copyRootfs, type Sandbox, until } from "./support/sandbox.ts";
import { suite } from "./support/suite.ts";

const ours = runtimes().filter(({ kind }) => kind === "berth");
const JOINS = Number(process.env.HARDENING_JOINS ?? 200);
const MINUTES = 60_000;
/** For one command of many: the machine may stop for longer than the usual limit meanwhile. */
const PATIENT = { timeout: 3 * MINUTES };
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

suite(
  "a hostile program in a joined pid namespace reaches nothing of a container that is being created",
  (rule) => {
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
            await t.ok(["create", "--bundle", bundle, id], PATIENT);
            await t.ok(["delete", "--force", id], PATIENT);
          }
          expect(t.read(HITS).slice(0, 500)).toBe("");
          // It was there and looked.
          expect(Number(t.read(SEEN))).toBeGreaterThan(JOINS / 2);
        },
        { timeout: (3 + JOINS / 40) * MINUTES },
      );
    }
  },
  ours,
);

const NOEXEC = "/proc/sys/vm/memfd_noexec";

suite(
  "init's own file",
  (rule) => {
    for (const level of [1, 2]) {
      rule(
        `is executed where vm.memfd_noexec is ${level}, from a memfd or a detached tmpfs`,
        async (t) => {
          const set = `echo ${level} > ${NOEXEC} && exec "$@"`;
          const prefix = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", set, "sh"];
          expect(await t.sh("echo made", undefined, { prefix })).toBe("made\n");
          expect(await t.sh("id -u", withUserNamespace, { prefix })).toBe("0\n");
        },
        { skip: !existsSync(NOEXEC) && "the kernel has no vm.memfd_noexec" },
      );
    }
  },
  ours,
);

suite(
  "what the caller leaves behind",
  (rule) => {
    rule("in descriptors reaches neither hooks nor the program, except those to preserve", async (t) => {
      const names = ["prestart", "createRuntime", "createContainer", "poststart", "poststop"];
      const list = (to: string) => ({ path: "/bin/sh", args: ["sh", "-c", `ls /proc/self/fd > ${to}`] });
      const bundle = t.bundle("ls /proc/self/fd; cat /inside", (config) => {
        config.hooks = Object.fromEntries(names.map((name) => [name, [list(t.path(`fds-${name}`))]]));
        config.hooks.startContainer = [list("/inside")];
      });
      const fds = [0, 0, 0, 0].map(() => openSync("/", "r"));
      const { stdout } = await t.ok(["run", "--preserve-fds", "2", "--bundle", bundle, t.id], { fds });
      for (const fd of fds) closeSync(fd);
      // One more is the folder that ls reads.
      expect(stdout).toBe("0\n1\n2\n3\n4\n5\n0\n1\n2\n3\n");
      for (const name of names) expect([name, t.read(`fds-${name}`)]).toEqual([name, "0\n1\n2\n3\n"]);
    });

    rule("in descriptors is not even open in init while the container is created", async (t) => {
      const file = t.write("secret", "");
      const fds = [0, 0, 0].map(() => openSync(file, "r"));
      const targets = async (...flags: string[]): Promise<string[]> => {
        const id = t.newId();
        await t.ok(["create", ...flags, "--bundle", t.bundle("true"), id], { fds });
        const folder = `/proc/${(await t.state(id)).pid}/fd`;
        const names = readdirSync(folder).filter((name) => readlinkSync(join(folder, name)) === file);
        await t.ok(["delete", "--force", id]);
        return names;
      };
      expect(await targets()).toEqual([]);
      expect(await targets("--preserve-fds", "2")).toEqual(["3", "4"]);
      for (const fd of fds) closeSync(fd);
    });

    rule("in closed standard streams changes nothing for hooks, and nothing fills the gap", async (t) => {
      const bundle = t.bundle("ls /proc/self/fd > /fds; cat /state >> /fds", (config) => {
        const hook = { path: "/bin/sh", args: ["sh", "-c", "cat > /dev/null"] };
        config.hooks = { createRuntime: [hook], createContainer: [hook], startContainer: [hook], poststart: [hook] };
        config.hooks.startContainer = [{ path: "/bin/sh", args: ["sh", "-c", "cut -c1-14 > /state"] }];
      });
      const prefix = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh"];
      await t.ok(["run", "--bundle", bundle, t.id], { prefix });
      // 0 is the folder that ls reads. Node opens the null device for each stream that is closed.
      const fds = t.runtime.name === "berth" ? "0\n1\n" : "0\n1\n2\n3\n";
      expect(t.read("bundle/rootfs/fds")).toBe(`${fds}{"ociVersion":\n`);
    });
  },
  ours,
);

suite(
  "a state folder of another user",
  (rule) => {
    rule("is shown, and neither started, signalled nor deleted", async (t) => {
      const id = await t.create("sleep 1000");
      const folder = join(t.root, id);
      chownSync(folder, 1234, 1234);
      for (const words of [
        ["start", id],
        ["kill", id, "KILL"],
        ["delete", id],
        ["delete", "--force", id],
      ]) {
        expect((await t.fails(words)).stderr).toContain("belongs to uid 1234");
      }
      expect((await t.state(id)).status).toBe("created");
      chownSync(folder, 0, 0);
    });

    /** A state that its owner has made up: of a container whose init is this process. */
    const foreign = (t: Sandbox, cgroups: string[]): string => {
      const folder = join(t.root, t.id);
      mkdirSync(folder, { recursive: true });
      const stat = readFileSync("/proc/self/stat", "utf8");
      const startTime = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]);
      const init = { pid: process.pid, startTime };
      const texts = { id: t.id, bundle: "/b", rootfs: "/r", ociVersion: "1.3.0", created: "2026-01-01T00:00:00Z" };
      const rest = { annotations: [], hooks: { poststart: [], poststop: [] }, creator: init, uid: 1234 };
      const record = { ...texts, ...rest, cgroups, init, privatePid: true, rootless: false };
      writeFileSync(join(folder, "state.json"), `${JSON.stringify(record)}\n`);
      chownSync(folder, 1234, 1234);
      t.later(() => rmSync(folder, { recursive: true }));
      return folder;
    };
    const shown = async (t: Sandbox): Promise<string> => (await t.call(["list"])).stdout;

    rule("leads to no file that is none of a cgroup's: to open some devices has effects", async (t) => {
      mkdirSync(t.path("cgroup"));
      t.write("frozen", "1\n");
      symlinkSync(t.path("frozen"), t.path("cgroup/cgroup.freeze"));
      foreign(t, [t.path("cgroup")]);
      expect((await t.state()).status).toBe("running");
      expect(await shown(t)).toMatch(/running/);
    });

    rule("is not read through a link", async (t) => {
      const folder = foreign(t, []);
      renameSync(join(folder, "state.json"), t.path("elsewhere"));
      symlinkSync(t.path("elsewhere"), join(folder, "state.json"));
      expect((await t.fails(["state", t.id])).stderr).toMatch(/symbolic links|ELOOP/);
      expect(await shown(t)).not.toContain(t.id);
    });
  },
  ours,
);

suite(
  "masked paths",
  (rule) => {
    rule("are covered by what reads as empty, is read-only and takes no file", async (t) => {
      const paths = ["/proc/filesystems", "/masked/folder", "/masked/file"].sort();
      const bundle = t.bundle(
        [
          "touch /masked/folder/x 2>/dev/null && echo made; cat /proc/filesystems /masked/file; ls /masked/folder",
          `awk '$5 ~ "^(${paths.join("|")})$" { print $5, substr($6, 1, 3) }' /proc/self/mountinfo | sort`,
        ].join("\n"),
        (config) => {
          config.linux.maskedPaths = paths;
        },
      );
      mkdirSync(`${bundle}/rootfs/masked/folder`, { recursive: true });
      for (const name of ["file", "folder/file"]) t.write(`bundle/rootfs/masked/${name}`, "secret");
      const { stdout } = await t.ok(["run", "--bundle", bundle, t.id]);
      expect(stdout).toBe(paths.map((path) => `${path} ro,\n`).join(""));
    });
  },
  ours,
);
