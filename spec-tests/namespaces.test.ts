// linux.namespaces: each kind made new, joined by path, left alone; user mappings; time offsets.

import { execFileSync, spawn, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { expect } from "vitest";
import { type Config, withUserNamespace } from "./support/config.ts";
import { removeOwnCgroups } from "./support/leaks.ts";
import { type Sandbox, until } from "./support/sandbox.ts";
import { suite } from "./support/suite.ts";

/** config.json's name and the file in /proc/PID/ns. */
const KINDS = [
  ["pid", "pid"],
  ["network", "net"],
  ["ipc", "ipc"],
  ["uts", "uts"],
  ["mount", "mnt"],
  ["cgroup", "cgroup"],
  ["user", "user"],
  ["time", "time"],
] as const;

const NO_TIME = "it came after this version";

/** A process in new namespaces of the given unshare(1) flags; its pid as we see it. */
async function holder(t: Sandbox, ...flags: string[]): Promise<number> {
  const words = [...flags, "--fork", "--kill-child", "sh", "-c", "echo ready; exec sleep 1000"];
  const child = t.helper(spawn("unshare", words, { stdio: ["ignore", "pipe", "ignore"] }));
  await new Promise((resolve) => child.stdout?.once("data", resolve));
  const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8").trim();
  return Number(children.split(" ")[0]);
}

const link = (pid: number | string, file: string) => readlinkSync(`/proc/${pid}/ns/${file}`);

suite("new namespaces", (rule) => {
  for (const [type, file] of KINDS) {
    rule(
      `${type}: listed, it is new; not listed, it is the caller's`,
      async (t) => {
        const script = `readlink /proc/self/ns/${file}`;
        const listed = await t.sh(script, (config) => {
          if (type === "user") withUserNamespace(config);
          else if (type === "time") config.linux.namespaces.push({ type });
        });
        expect(listed.trim()).toMatch(new RegExp(`^${file}:`));
        expect(listed.trim()).not.toBe(link("self", file));
        if (type === "mount") return;
        const absent = await t.sh(script, (config) => {
          config.linux.namespaces = config.linux.namespaces.filter((namespace) => namespace.type !== type);
          if (type === "uts") delete config.hostname;
        });
        expect(absent.trim()).toBe(link("self", file));
      },
      { except: type === "time" ? { runc: NO_TIME, crun: "crun 1.8 fails here" } : {} },
    );
  }

  rule(
    "mount: not listed, it is the caller's, in which nothing is mounted; exec is refused",
    async (t) => {
      const shared = t.path("shared");
      mkdirSync(`${shared}/inner`, { recursive: true });
      execFileSync("mount", ["--bind", "--make-shared", shared, shared]);
      t.later(() => void execFileSync("umount", [shared]));
      const before = readFileSync("/proc/self/mountinfo", "utf8");
      const script = "{ readlink /proc/self/ns/mnt; ls /dev/null; cat /shared/inner/file; } > /out; sleep 1000";
      const id = await t.create(script, (config) => {
        config.linux.namespaces = config.linux.namespaces.filter((namespace) => namespace.type !== "mount");
        config.linux.maskedPaths = [];
        config.linux.readonlyPaths = [];
        config.root.readonly = false;
        config.mounts.push(
          { destination: "/shared", type: "bind", source: shared, options: ["bind", "rshared"] },
          { destination: "/shared/inner", type: "tmpfs", source: "tmpfs" },
        );
        config.hooks = {
          createContainer: [{ path: "/bin/sh", args: ["sh", "-c", "echo from the hook > shared/inner/file"] }],
        };
      });
      expect(readFileSync("/proc/self/mountinfo", "utf8")).toBe(before);
      await t.ok(["start", id]);
      const out = "bundle/rootfs/out";
      await until("the program ran", () => t.exists(out) && t.read(out).includes("hook"));
      expect(t.read(out)).toBe(`${link("self", "mnt")}\n/dev/null\nfrom the hook\n`);
      expect((await t.fails(["exec", id, "true"])).stderr).toContain("without a mount namespace");
    },
    { only: ["berth"] },
  );

  rule("the program is pid 1 of a new pid namespace and a session leader", async (t) => {
    expect((await t.sh("echo $$; ps -o sid= -p $$ 2>/dev/null; cut -d' ' -f6 /proc/self/stat")).split("\n")[0]).toBe(
      "1",
    );
  });

  rule(
    "hostname and domainname are set in a new uts namespace",
    async (t) => {
      const out = await t.sh("hostname; cat /proc/sys/kernel/domainname", (config) => {
        config.hostname = "some-name";
        config.domainname = "example.org";
      });
      expect(out).toBe("some-name\nexample.org\n");
    },
    { except: { runc: NO_TIME, crun: NO_TIME } },
  );

  rule(
    "a hostname without a new uts namespace is an error",
    async (t) => {
      const bundle = t.bundle("true", (config) => {
        config.linux.namespaces = config.linux.namespaces.filter((namespace) => namespace.type !== "uts");
      });
      const result = await t.fails(["run", "--bundle", bundle, t.id]);
      expect(result.stderr).toMatch(/hostname|uts/i);
      expect(await t.left()).toEqual([]);
    },
    { except: { crun: "crun 1.8 sets it" } },
  );

  rule("the loopback device of a new network namespace is up", async (t) => {
    expect(await t.sh("ip addr show lo | grep -o '127.0.0.1/8'; ip link show lo | grep -c UP")).toBe(
      "127.0.0.1/8\n1\n",
    );
  });

  rule(
    "a namespace listed twice, an unknown type, a path without the type are errors of that entry",
    async (t) => {
      for (const bad of [{ type: "pid" }, { type: "nosuch" }, { type: "" }]) {
        const bundle = t.bundle("true", (config) => {
          config.linux.namespaces.push(bad);
        });
        const result = await t.fails(["run", "--bundle", bundle, t.newId()]);
        expect(result.stderr).toMatch(/namespace|ns /i);
      }
      expect(await t.left()).toEqual([]);
    },
    { except: { crun: "crun 1.8 takes duplicates" } },
  );

  rule(
    "sysctls of new namespaces are set, others refused",
    async (t) => {
      const out = await t.sh(
        "cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax /proc/sys/fs/mqueue/msg_max",
        (config) => {
          config.linux.sysctl = { "net.ipv4.ip_forward": "1", "kernel.msgmax": "4096", "fs.mqueue.msg_max": "7" };
        },
      );
      expect(out).toBe("1\n4096\n7\n");
      for (const [name, type] of [
        ["kernel.sysrq", undefined],
        ["vm.swappiness", undefined],
        ["net.ipv4.ip_forward", "network"],
        ["kernel.msgmax", "ipc"],
        ["kernel.hostname", undefined],
      ] as const) {
        const bundle = t.bundle("true", (config) => {
          config.linux.sysctl = { [name]: "1" };
          config.linux.namespaces = config.linux.namespaces.filter((namespace) => namespace.type !== type);
        });
        const result = await t.fails(["run", "--bundle", bundle, t.newId()]);
        expect(result.stderr).toContain(name);
      }
      expect(await t.left()).toEqual([]);
    },
    { except: { crun: "crun 1.8 has other words" } },
  );
});

suite("joined namespaces", (rule) => {
  const FLAG: Record<string, string> = {
    network: "--net",
    ipc: "--ipc",
    uts: "--uts",
    cgroup: "--cgroup",
    pid: "--pid",
    time: "--time",
    mount: "--mount",
  };
  for (const [type, file] of KINDS) {
    const flag = FLAG[type];
    if (flag === undefined || type === "mount") continue;
    rule(
      `${type}: the program is in the namespace of the path`,
      async (t) => {
        const pid = await holder(t, flag);
        const path = `/proc/${pid}/ns/${file}`;
        const out = await t.sh(`readlink /proc/self/ns/${file}`, (config) => {
          config.linux.namespaces = config.linux.namespaces.filter((namespace) => namespace.type !== type);
          config.linux.namespaces.push({ type, path });
          if (type === "uts") delete config.hostname;
        });
        expect(out.trim()).toBe(link(pid, file));
      },
      { except: type === "time" ? { runc: NO_TIME, crun: "crun 1.8 fails here" } : {} },
    );
  }

  rule("user: the program has the ids of the joined namespace, and namespaces that belong to it", async (t) => {
    const pid = await holder(t, "--user");
    writeFileSync(`/proc/${pid}/uid_map`, "0 100000 65536\n");
    writeFileSync(`/proc/${pid}/gid_map`, "0 100000 65536\n");
    const bundle = t.bundle(
      "readlink /proc/self/ns/user; id -u; cat /proc/self/uid_map; hostname joined && hostname; mount | grep -c proc",
      (config) => {
        withUserNamespace(config);
        config.linux.namespaces = config.linux.namespaces.map((ns) =>
          ns.type === "user" ? { type: "user", path: `/proc/${pid}/ns/user` } : ns,
        );
        const caps = ["CAP_SYS_ADMIN"];
        config.process.capabilities = { bounding: caps, effective: caps, permitted: caps };
      },
    );
    execFileSync("chown", ["-R", "100000:100000", `${bundle}/rootfs`]);
    const { stdout } = await t.ok(["run", "--bundle", bundle, t.id]);
    const lines = stdout.split("\n");
    expect(lines[0]).toBe(link(pid, "user"));
    expect(lines[1]).toBe("0");
    expect(lines[2]?.trim().split(/\s+/)).toEqual(["0", "100000", "65536"]);
    expect(lines[3]).toBe("joined");
  });

  rule("several at once: the namespaces of another container", async (t) => {
    const first = await t.create("sleep 1000");
    const { pid } = await t.state();
    const kinds = KINDS.filter(([type]) => ["pid", "network", "ipc", "uts"].includes(type));
    const bundle = t.bundle(
      kinds.map(([, file]) => `readlink /proc/self/ns/${file}`).join(";"),
      (config) => {
        config.linux.namespaces = config.linux.namespaces.map((namespace) => {
          const kind = kinds.find(([type]) => type === namespace.type);
          return kind === undefined ? namespace : { type: kind[0], path: `/proc/${pid}/ns/${kind[1]}` };
        });
        delete config.hostname;
      },
      "second",
    );
    const { stdout } = await t.ok(["run", "--bundle", bundle, t.newId()]);
    expect(stdout.trim().split("\n")).toEqual(kinds.map(([, file]) => link(pid, file)));
    await t.ok(["delete", "--force", first]);
  });

  rule(
    "a path that is missing, or a namespace of another kind, is an error with the path",
    async (t) => {
      for (const path of ["/no/such/ns", "/proc/self/ns/uts", "/etc/passwd", "relative"]) {
        const bundle = t.bundle("true", (config) => {
          config.linux.namespaces = config.linux.namespaces.filter((namespace) => namespace.type !== "network");
          config.linux.namespaces.push({ type: "network", path });
        });
        const result = await t.fails(["run", "--bundle", bundle, t.newId()]);
        expect(result.stderr).toContain(path);
      }
      expect(await t.left()).toEqual([]);
    },
    { except: { runc: "runc 1.1 names it not always", crun: "crun 1.8 names it not always" } },
  );
});

suite("user namespace", (rule) => {
  rule("uidMappings and gidMappings are those of the program, in several ranges", async (t) => {
    const out = await t.sh("cat /proc/self/uid_map; cat /proc/self/gid_map; id -u; id -g", (config) => {
      config.linux.namespaces.push({ type: "user" });
      config.linux.uidMappings = [
        { containerID: 0, hostID: 100000, size: 1000 },
        { containerID: 1000, hostID: 200000, size: 1 },
      ];
      config.linux.gidMappings = [{ containerID: 0, hostID: 300000, size: 6 }];
      config.process.user = { uid: 1000, gid: 3 };
    });
    const words = out
      .trim()
      .split("\n")
      .map((line) => line.trim().split(/\s+/).join(" "));
    expect(words).toEqual(["0 100000 1000", "1000 200000 1", "0 300000 6", "1000", "3"]);
  });

  rule("files made inside belong to the mapped ids outside", async (t) => {
    const bundle = t.bundle("touch /tmp/f; stat -c '%u %g' /tmp/f", withUserNamespace);
    expect((await t.ok(["run", "--bundle", bundle, t.id])).stdout).toBe("0 0\n");
    expect(execFileSync("stat", ["-c", "%u %g", `${bundle}/rootfs/tmp/f`], { encoding: "utf8" })).toBe(
      "100000 100000\n",
    );
  });

  rule("a bind mount may come from where only the host's root can go", async (t) => {
    mkdirSync(t.path("closed/open"), { recursive: true });
    writeFileSync(t.path("closed/open/note"), "reached\n");
    chmodSync(t.path("closed"), 0o700);
    const bind = (config: Config, target: string): void => {
      config.mounts.push({
        destination: "/tmp",
        type: "bind",
        source: t.path(target),
        options: ["rbind", "ro"],
      });
    };
    const script = "cat /tmp/note; touch /tmp/x 2>/dev/null || echo read-only";
    await t.create(
      "sleep 100",
      (config) => {
        withUserNamespace(config);
        bind(config, "closed/open");
      },
      [],
    );
    await t.ok(["start", t.id]);
    const { pid } = await t.state();
    const made = await t.sh(script, (config) => {
      withUserNamespace(config);
      bind(config, "closed/open");
    });
    expect(made).toBe("reached\nread-only\n");
    const joined = await t.sh(script, (config) => {
      withUserNamespace(config);
      config.linux.namespaces = config.linux.namespaces.map((ns) =>
        ns.type === "user" ? { type: "user", path: `/proc/${pid}/ns/user` } : ns,
      );
      bind(config, "closed/open");
    });
    expect(joined).toBe("reached\nread-only\n");
  });

  rule(
    "a user namespace without mappings, or mappings without one, is an error",
    async (t) => {
      const bundle = t.bundle("true", (config) => {
        config.linux.namespaces.push({ type: "user" });
      });
      expect((await t.fails(["run", "--bundle", bundle, t.newId()])).stderr).toMatch(/mapping|user/i);
      expect(await t.left()).toEqual([]);
    },
    { except: { crun: "crun 1.8 takes the ids from /etc/subuid" } },
  );

  rule("a user that is not mapped is an error", async (t) => {
    const bundle = t.bundle("true", (config) => {
      withUserNamespace(config);
      config.process.user = { uid: 70000, gid: 0 };
    });
    const result = await t.fails(["run", "--bundle", bundle, t.id]);
    expect(result.stderr).toMatch(/user|uid|invalid argument/i);
    expect(await t.left()).toEqual([]);
  });

  rule("an oomScoreAdj works there", async (t) => {
    const out = await t.sh("cat /proc/self/oom_score_adj", (config) => {
      withUserNamespace(config);
      config.process.oomScoreAdj = 200;
    });
    expect(out).toBe("200\n");
  });
});

suite("time namespace", (rule) => {
  const NO = { runc: NO_TIME, crun: "crun 1.8 does not know timeOffsets" };
  rule(
    "timeOffsets move the clocks of the program",
    async (t) => {
      const out = await t.sh("cat /proc/uptime; cat /proc/self/timens_offsets", (config) => {
        config.linux.namespaces.push({ type: "time" });
        config.linux.timeOffsets = { boottime: { secs: 1_000_000, nanosecs: 5 }, monotonic: { secs: 2_000_000 } };
      });
      const uptime = Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]);
      expect(Math.abs(Number(out.split(" ")[0]) - uptime - 1_000_000)).toBeLessThan(60);
      expect(out).toMatch(/monotonic\s+2000000\s+0\nboottime\s+1000000\s+5/);
    },
    { except: NO },
  );

  rule(
    "they move the clocks of what the program starts as well, and work with a user namespace",
    async (t) => {
      const out = await t.sh("sh -c 'sh -c \"cut -d. -f1 /proc/uptime\"'", (config) => {
        withUserNamespace(config);
        config.linux.namespaces.push({ type: "time" });
        config.linux.timeOffsets = { boottime: { secs: 5_000_000 } };
      });
      expect(Number(out)).toBeGreaterThan(5_000_000);
    },
    { except: NO },
  );

  rule(
    "timeOffsets without a new time namespace are an error",
    async (t) => {
      const bundle = t.bundle("true", (config) => {
        config.linux.timeOffsets = { boottime: { secs: 1 } };
      });
      expect((await t.fails(["run", "--bundle", bundle, t.id])).stderr).toMatch(/time/i);
      expect(await t.left()).toEqual([]);
    },
    { except: NO },
  );
});

suite("cgroups", (rule) => {
  rule(
    "the program is in its own cgroup of every hierarchy, which goes with it",
    async (t) => {
      const id = await t.create("sleep 1000", (config) => {
        config.linux.namespaces = config.linux.namespaces.filter((namespace) => namespace.type !== "cgroup");
      });
      const { pid } = await t.state();
      const lines = readFileSync(`/proc/${pid}/cgroup`, "utf8").trim().split("\n");
      const unified = process.env.BERTH_VIEW !== "v1";
      for (const line of lines) if (!line.startsWith("0::") || unified) expect(line).toMatch(new RegExp(`/${id}$`));
      await t.ok(["delete", "--force", id]);
      expect(await t.left()).toEqual([]);
    },
    { skip: process.env.BERTH_VIEW === "v2" && "the controllers of this machine are v1" },
  );

  rule("cgroupsPath: an absolute path from the root of each hierarchy, made and removed", async (t) => {
    const path = `/${t.id}-parent/child`;
    await t.create("sleep 1000", (config) => {
      config.linux.cgroupsPath = path;
    });
    const { pid } = await t.state();
    const lines = readFileSync(`/proc/${pid}/cgroup`, "utf8").trim().split("\n");
    expect(lines.filter((line) => line.endsWith(path)).length).toBeGreaterThanOrEqual(
      process.env.BERTH_VIEW === "v2" ? 1 : 8,
    );
    await t.ok(["delete", "--force", t.id]);
    await until(
      "no child is left",
      () =>
        spawnSync("find", ["/sys/fs/cgroup", "-name", "child", "-path", `*${t.id}*`], { encoding: "utf8" }).stdout ===
        "",
    );
    removeOwnCgroups(`${t.id}-parent`);
  });

  rule(
    "a cgroup that has processes already is refused and left alone",
    async (t) => {
      const first = await t.create("sleep 1000", (config) => {
        config.linux.cgroupsPath = `/${t.id}-shared`;
      });
      const second = t.newId();
      const result = await t.fails(["create", "--bundle", t.path("bundle"), second]);
      expect(result.stderr).toMatch(/cgroup/);
      expect((await t.state()).status).toBe("created");
      await t.ok(["start", first]);
      await t.ok(["delete", "--force", first]);
      expect(await t.left()).toEqual([]);
    },
    { except: { runc: "runc 1.1 only warns", crun: "crun 1.8 shares it" } },
  );
});
