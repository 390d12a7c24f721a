// config-linux.md, as the specification says it and no more. Limits of cgroups are in ../resources.test.ts, device rules in
// ../devices.test.ts, whatever filters do in ../seccomp.test.ts.

import { execFileSync } from "node:child_process";
import { existsSync, lstatSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { cgroupOf, view } from "../support/cgroup-of.ts";
import { type Config, withUserNamespace } from "../support/config.ts";
import { mkdirSync } from "../support/files.ts";
import { removeOwnCgroups } from "../support/leaks.ts";
import { Network } from "../support/network.ts";
import { startProgram } from "../support/runtime.ts";
import { type Sandbox, until } from "../support/sandbox.ts";
import { allowing, notifying, type Profile, startAgent } from "../support/seccomp.ts";
import { suite } from "../support/suite.ts";
import { set } from "./set.ts";

/** Create refuses it; what crun 1.8 leaves when it fails in the middle is another rule's matter. */
async function refused(t: Sandbox, edit: (config: Config) => void): Promise<void> {
  await t.fails(["create", "--bundle", t.bundle("true", edit), t.id]);
  if (t.runtime.kind === "crun") removeOwnCgroups(`${t.id}*`);
}

const seccomp =
  (profile: Profile | Record<string, unknown>) =>
  (config: Config): void => {
    config.linux.seccomp = profile;
  };

suite("namespaces and devices of the specification", (rule) => {
  rule("/proc, /sys, /dev/pts and /dev/shm are there when they are asked for", async (t) => {
    const out = await t.sh("awk '{ print $2, $3 }' /proc/mounts");
    for (const line of ["/proc proc", "/sys sysfs", "/dev/pts devpts", "/dev/shm tmpfs"]) {
      expect(out.split("\n")).toContain(line);
    }
  });

  rule(
    "a namespace type that is listed twice is an error",
    (t) => refused(t, (config) => void config.linux.namespaces.push({ type: "pid" })),
    { except: { crun: "takes it" } },
  );

  rule("a namespace path of another type, or of no namespace, is an error", async (t) => {
    for (const path of ["/proc/self/ns/uts", t.write("file", ""), t.path("missing")]) {
      await refused(t, (config) => {
        for (const namespace of config.linux.namespaces) if (namespace.type === "ipc") namespace.path = path;
      });
    }
  });

  rule("mappings of users change no owner in the root file system or a mount", async (t) => {
    mkdirSync(t.path("data"));
    const file = t.write("data/file", "");
    const owner = (path: string) => [lstatSync(path).uid, lstatSync(path).gid];
    const bundle = t.bundle("sleep 1000", (config) => {
      withUserNamespace(config);
      config.mounts.push({ destination: "/data", source: t.path("data"), options: ["bind"] });
    });
    mkdirSync(join(bundle, "rootfs/data"));
    const paths = [
      file,
      t.path("data"),
      ...["", "bin", "bin/busybox", "etc/passwd"].map((p) => join(bundle, "rootfs", p)),
    ];
    const before = paths.map(owner);
    await t.ok(["create", "--bundle", bundle, t.id]);
    expect(paths.map(owner)).toEqual(before);
  });

  rule("devices that are asked for are there: kind, numbers, mode, owner, anywhere", async (t) => {
    const out = await t.sh("stat -c '%n %F %t %T %a %u %g' /dev/mine /else/where/blk /dev/fifo", (config) => {
      config.linux.devices = [
        { path: "/dev/mine", type: "c", major: 1, minor: 7, fileMode: 0o640, uid: 3, gid: 4 },
        { path: "/else/where/blk", type: "b", major: 7, minor: 200, fileMode: 0o600 },
        { path: "/dev/fifo", type: "p", fileMode: 0o622, uid: 5, gid: 6 },
      ];
    });
    expect(out).toBe(
      "/dev/mine character special file 1 7 640 3 4\n/else/where/blk block special file 7 c8 600 0 0\n/dev/fifo fifo 0 0 622 5 6\n",
    );
  });

  for (const [what, make] of [
    ["an ordinary file", (path: string) => writeFileSync(path, "text")],
    ["another device", (path: string) => void execFileSync("mknod", [path, "c", "1", "5"])],
  ] as const) {
    rule(
      `a device where there is ${what} already is an error`,
      async (t) => {
        t.bundle("true");
        make(t.path("bundle/rootfs/node"));
        await refused(t, (config) => {
          config.linux.devices = [{ path: "/node", type: "c", major: 1, minor: 3 }];
        });
      },
      { except: { runc: "leaves what is there", crun: "leaves what is there" } },
    );
  }

  rule("the default devices are there, and ptmx is that of the container's devpts", async (t) => {
    const names = "null zero full random urandom tty";
    const out = await t.sh(
      `cd /dev; stat -c '%n %F %t %T' ${names}; stat -L -c '%n %t %T' ptmx pts/ptmx; head -c 2 zero | wc -c; echo x > null`,
    );
    expect(out).toBe(
      `${[
        ["null", "1 3"],
        ["zero", "1 5"],
        ["full", "1 7"],
        ["random", "1 8"],
        ["urandom", "1 9"],
        ["tty", "5 0"],
      ]
        .map(([name, numbers]) => `${name} character special file ${numbers}`)
        .join("\n")}\nptmx 5 2\npts/ptmx 5 2\n2\n`,
    );
  });
});

suite("cgroups of the specification", (rule) => {
  rule("an absolute cgroupsPath counts from the mount point, and is the same place each time", async (t) => {
    const path = `/${t.id}/same`;
    for (let round = 0; round < 2; round++) {
      const id = await t.create("exec sleep 1000", (config) => {
        config.linux.cgroupsPath = path;
      });
      const folder = cgroupOf((await t.state()).pid, "pids");
      expect(folder.endsWith(path)).toBe(true);
      expect(existsSync(folder)).toBe(true);
      await t.ok(["delete", "--force", id]);
    }
    removeOwnCgroups(`${t.id}*`);
  });

  rule("a relative cgroupsPath is the same place each time", async (t) => {
    const found: string[] = [];
    for (let round = 0; round < 2; round++) {
      const id = await t.create("exec sleep 1000", (config) => {
        config.linux.cgroupsPath = `${t.id}/same`;
      });
      found.push(cgroupOf((await t.state()).pid, "pids"));
      await t.ok(["delete", "--force", id]);
    }
    expect(found[0]).toBe(found[1]);
    removeOwnCgroups(`${t.id}*`);
  });

  rule(
    "v1: the container's cgroups belong to root, whoever its user is",
    async (t) => {
      await t.create("exec sleep 1000", (config) => {
        withUserNamespace(config);
        config.mounts.push({ destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["rw"] });
      });
      const folder = cgroupOf((await t.state()).pid, "pids");
      for (const file of ["", "tasks", "cgroup.procs"]) expect(statSync(join(folder, file)).uid).toBe(0);
    },
    { skip: view === "v2" && "needs cgroup v1" },
  );

  const delegated = (options: string[], change?: (config: Config) => void) => async (t: Sandbox) => {
    await t.create("exec sleep 1000", (config) => {
      withUserNamespace(config);
      config.mounts.push({ destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options });
      change?.(config);
    });
    const folder = cgroupOf((await t.state()).pid, "pids");
    return ["", "cgroup.procs", "cgroup.threads", "cgroup.subtree_control", "cgroup.type", "cgroup.max.depth"].map(
      (file) => statSync(join(folder, file)).uid,
    );
  };
  const V2 = { skip: view !== "v2" && "needs cgroup v2" };
  rule(
    "v2: without a writable cgroup mount, or without a cgroup namespace, the cgroup stays root's",
    async (t) => {
      expect(await delegated(["ro"])(t)).toEqual([0, 0, 0, 0, 0, 0]);
      await t.ok(["delete", "--force", t.id]);
      const shared = (config: Config): void => {
        config.linux.namespaces = config.linux.namespaces.filter(({ type }) => type !== "cgroup");
      };
      expect(await delegated(["rw"], shared)(t)).toEqual([0, 0, 0, 0, 0, 0]);
    },
    V2,
  );

  rule(
    "v2: with a writable cgroup mount the cgroup, and the files to delegate alone, are the user's",
    async (t) => {
      expect(await delegated(["rw"])(t)).toEqual([100000, 100000, 100000, 100000, 0, 0]);
    },
    { ...V2, except: { runc: "leaves it to root, unless systemd makes it" } },
  );

  rule(
    "a pids limit of 0 lets nothing more begin",
    async (t) => {
      const bundle = t.bundle("(echo child); echo after", (config) => {
        config.linux.resources = { pids: { limit: 0 } };
      });
      const { stdout } = await t.call(["run", "--bundle", bundle, t.id]);
      expect(stdout).not.toContain("child");
    },
    { except: { runc: "takes it for none", crun: "takes it for none" } },
  );
});

const hasResctrl = /^resctrl /m.test(readFileSync("/proc/mounts", "utf8"));

suite("intelRdt, netDevices and memoryPolicy", (rule) => {
  rule(
    "intelRdt where no resctrl file system is mounted is an error",
    (t) => refused(t, set("/linux/intelRdt", { closID: "x", l3CacheSchema: "L3:0=f" })),
    { except: { crun: "crun 1.8 takes it" }, skip: hasResctrl && "this machine has one" },
  );

  rule("without intelRdt no resctrl file system is touched", async (t) => {
    const trace = t.path("trace");
    const bundle = t.bundle("true");
    const words = ["strace", "-f", "-o", trace, "-e", "trace=file", t.runtime.path, "--root", t.root];
    const { code } = await startProgram([...words, "run", "--bundle", bundle, t.id]).done;
    expect(code).toBe(0);
    expect(readFileSync(trace, "utf8")).not.toMatch(
      /"[^"]*resctrl[^"]*", (O_WRONLY|O_RDWR|O_CREAT)|mkdir[^"]*"[^"]*resctrl/,
    );
  });

  const NET = { runc: "came after this version", crun: "came after this version" };
  rule(
    "netDevices: a device of the host is moved, renamed, has its addresses and is up",
    async (t) => {
      const host = await Network.withDevice(t, "192.0.2.7/24");
      const edit = set("/linux/netDevices", { here: { name: "inside" } });
      const out = await t.sh("ip addr show inside", edit, host.inside);
      expect(out).toContain("192.0.2.7/24");
      expect(out).toMatch(/[<,]UP[,>]/);
      expect(host.links().map(({ name }) => name)).not.toContain("here");
    },
    { except: NET },
  );

  rule(
    "what asks for netDevices, memoryPolicy or intelRdt is an error, or done",
    async (t) => {
      for (const [pointer, value] of [
        ["/linux/netDevices", { nosuchdevice: {} }],
        ["/linux/memoryPolicy", { mode: "MPOL_NOSUCH", nodes: "0" }],
        ["/linux/intelRdt", { closID: "x", enableMonitoring: true }],
      ] as const) {
        await refused(t, set(pointer, value));
      }
      expect(await t.left()).toEqual([]);
    },
    { except: { runc: "runc 1.1 does not know the first two", crun: "crun 1.8 does not know the first two" } },
  );
});

suite("seccomp of the specification", (rule) => {
  const errno = { names: ["acct"], errnoRet: 5 };
  rule(
    "an errno for an action that has none is an error",
    async (t) => {
      for (const action of ["SCMP_ACT_KILL", "SCMP_ACT_ALLOW", "SCMP_ACT_LOG"]) {
        await refused(t, seccomp({ defaultAction: "SCMP_ACT_ERRNO", syscalls: [{ ...errno, action }] }));
        if (action === "SCMP_ACT_KILL") continue;
        await refused(t, seccomp({ defaultAction: action, defaultErrnoRet: 5 }));
      }
    },
    { except: { runc: "takes it beside KILL" } },
  );

  const zero = { runc: "takes it for 0", crun: "takes it for 0" };
  for (const [key, except] of [
    ["index", zero],
    ["value", { ...zero, berth: "takes it for 0, as runc does" }],
    ["op", {}],
  ] as const) {
    rule(
      `a condition without ${key} is an error`,
      async (t) => {
        const { [key]: _, ...rest } = { index: 0, value: 1, op: "SCMP_CMP_EQ" };
        const profile = allowing({ names: ["acct"], action: "SCMP_ACT_ERRNO" });
        await refused(t, seccomp({ ...profile, syscalls: [{ ...profile.syscalls?.[0], args: [rest] }] }));
      },
      { except },
    );
  }

  const agentRule = async (t: Sandbox): Promise<void> => {
    const agent = await startAgent(t);
    await t.create("mkdir /tmp/a; sleep 1000", (config) => {
      config.linux.seccomp = notifying(agent.path, ["mkdir"], { listenerMetadata: "some data" });
    });
    const { pid } = await t.state();
    await until("the state is there", () => agent.states().length > 0);
    expect(agent.states()).toHaveLength(1);
    expect(agent.states()[0]).toMatchObject({
      ociVersion: expect.any(String),
      fds: ["seccompFd"],
      pid,
      metadata: "some data",
      state: { ociVersion: expect.any(String), id: t.id, status: expect.any(String), bundle: t.path("bundle") },
    });
    await t.ok(["start", t.id]);
    await until("the folder is made", () => existsSync(`/proc/${pid}/root/tmp/a-made`));
  };
  rule("the agent gets one state on a connection that is closed behind it, with one descriptor", agentRule, {
    except: { crun: "the agent of this test gets none" },
  });

  rule("an agent that cannot be reached is an error", (t) =>
    refused(t, seccomp(notifying(t.path("nobody"), ["mkdir"]))),
  );

  rule(
    "without a rule that notifies listenerPath is ignored",
    async (t) => {
      const profile = { ...allowing({ names: ["acct"], action: "SCMP_ACT_ERRNO" }), listenerPath: t.path("nobody") };
      expect(await t.sh("echo ran", seccomp(profile))).toBe("ran\n");
    },
    { except: { crun: "wants an agent all the same" } },
  );

  rule(
    "listenerMetadata without listenerPath is an error",
    (t) => refused(t, seccomp({ ...allowing({ names: ["acct"], action: "SCMP_ACT_ERRNO" }), listenerMetadata: "x" })),
    { except: { runc: "takes it", crun: "takes it" } },
  );
});
