// A caller without privileges: subordinate ids, one id, no cgroup or a delegated one, and root of a user namespace. With a
// user's service manager: guest/rootless.sh.

import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, copyFileSync, existsSync, openSync, readdirSync, readlinkSync, statSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { view } from "./support/cgroup-of.ts";
import { mkdirSync, writeFileSync } from "./support/files.ts";
import { helper } from "./support/helpers.ts";
import { type Running, reference, runtimes, startProgram } from "./support/runtime.ts";
import { type Edit, until } from "./support/sandbox.ts";
import { makeUser, SUB, singleId, subordinate, UID, UserSandbox } from "./support/user.ts";

const LOOK =
  "echo $(id -u) $(id -g); for f in uid_map gid_map; do tr -s ' ' </proc/self/$f; done; cat /proc/self/setgroups; ls -ln /dev | tr -s ' ' | cut -d' ' -f1,3-6";

const edits =
  (...list: Edit[]): Edit =>
  (config) => {
    for (const edit of list) edit(config);
  };

makeUser();

for (const runtime of runtimes()) {
  const rule = (title: string, body: (t: UserSandbox) => Promise<void>, skip: string | false = false): void => {
    test(title, { timeout: 30_000 }, async (context) => {
      if (skip !== false) context.skip(skip);
      const t = new UserSandbox(runtime);
      let failed = true;
      try {
        await body(t);
        failed = false;
      } finally {
        // The first error counts.
        if (failed)
          await t.end().catch((error: unknown) => process.stderr.write(`after the failure: ${String(error)}\n`));
      }
      await t.end();
    });
  };
  const sameAsRunc = async (t: UserSandbox, script: string, edit: Edit): Promise<string> => {
    const ours = await t.sh(script, edit);
    const runc = reference();
    if (runc !== undefined && runtime.kind === "berth") {
      const peer = new UserSandbox(runc);
      peer.inNamespace = t.inNamespace;
      expect(ours).toBe(await peer.sh(script, edit));
      await peer.end();
    }
    return ours;
  };

  describe(`ids (${runtime.name})`, () => {
    rule("subordinate ones are mapped by newuidmap and newgidmap", async (t) => {
      const text = await sameAsRunc(t, LOOK, subordinate);
      expect(text).toContain(`0 0\n 0 ${UID} 1\n 1 ${SUB} 65536\n 0 ${UID} 1\n 1 ${SUB} 65536\nallow\n`);
    });
    rule("one's own is mapped without help, and setgroups is denied", async (t) => {
      t.env.PATH = "/no/such:relative";
      expect(await t.sh(LOOK, singleId)).toContain(`0 0\n 0 ${UID} 1\n 0 ${UID} 1\ndeny\n`);
      t.env.PATH = "/usr/bin:/bin";
      await sameAsRunc(t, LOOK, singleId);
    });
    rule("a user of the container's has subordinate ones", async (t) => {
      const edit = edits(subordinate, ({ process }) => {
        process.user = { uid: 7, gid: 8 };
      });
      expect(await t.sh("echo $(id -u) $(id -g); echo x >/tmp/f", edit)).toBe("7 8\n");
      expect(statSync(t.path("bundle/rootfs/tmp/f")).uid).toBe(SUB + 6);
    });
    rule("that are somebody else's are refused by the helper, in its words", async (t) => {
      const bundle = t.bundle(
        "true",
        edits(subordinate, ({ linux }) => {
          linux.uidMappings = [{ containerID: 0, hostID: SUB - 10, size: 5 }];
        }),
      );
      const { stderr } = await t.fails(["run", "--bundle", bundle, t.id]);
      if (runtime.kind === "berth") {
        expect(stderr).toContain(`uid range [0-5) -> [${SUB - 10}-${SUB - 5}) not allowed`);
        expect(stderr).toContain("newuidmap failed with exit status 1");
        expect(stderr).toContain("/linux/uidMappings");
      }
      expect(await t.left()).toEqual([]);
    });
    rule("need the helpers, which are not looked for in the current folder", async (t) => {
      const bundle = t.bundle("true", subordinate);
      writeFileSync(`${bundle}/newuidmap`, "#!/bin/sh\ntouch /tmp/called\n");
      chmodSync(`${bundle}/newuidmap`, 0o755);
      t.env.PATH = `.::${t.path("none")}`;
      const { stderr } = await t.fails(["run", "--bundle", bundle, t.id]);
      if (runtime.kind === "berth") expect(stderr).toContain("there is no newuidmap in $PATH");
      expect(await t.left()).toEqual([]);
    });
    rule("a helper that does not end is given up, and killed", async (t) => {
      if (runtime.kind !== "berth") return;
      mkdirSync(t.path("bin"));
      t.script("bin/newuidmap", "exec sleep 1000");
      t.env.PATH = `${t.path("bin")}:/usr/bin:/bin`;
      const { stderr } = await t.fails(["run", "--bundle", t.bundle("true", subordinate), t.id]);
      expect(stderr).toContain("newuidmap did not end within 10 s");
      expect(await t.left()).toEqual([]);
    });
    rule("SIGTERM ends the wait for a helper, and leaves nothing", async (t) => {
      if (runtime.kind !== "berth") return;
      mkdirSync(t.path("bin"));
      t.script("bin/newuidmap", `echo here >${t.path("bin/called")}; exec sleep 1000`);
      chownSync(t.path("bin"), UID, UID);
      t.env.PATH = `${t.path("bin")}:/usr/bin:/bin`;
      const running = t.start(["run", "--bundle", t.bundle("true", subordinate), t.id]);
      while (!existsSync(t.path("bin/called"))) await new Promise((resolve) => setTimeout(resolve, 10));
      running.child.kill("SIGTERM");
      expect((await running.done).code).toBe(128 + 15);
      expect(await t.left()).toEqual([]);
    });
  });

  describe(`config.json (${runtime.name})`, () => {
    rule("must have a user namespace", async (t) => {
      const { stderr } = await t.fails(["run", "--bundle", t.bundle("true"), t.id]);
      if (runtime.kind === "berth") expect(stderr).toContain("/linux/namespaces");
      expect(await t.left()).toEqual([]);
    });
    rule("spec --rootless writes one that runs", async (t) => {
      const bundle = t.bundle("true");
      chownSync(bundle, UID, UID);
      await t.ok(["spec", "--rootless", "--bundle", bundle], {
        prefix: ["sh", "-c", `rm ${bundle}/config.json; exec "$@"`, "sh"],
      });
      const edit = `s/"terminal": true/"terminal": false/; s/"sh"$/"id"/`;
      await t.ok(["run", "--bundle", bundle, t.id], {
        prefix: ["sh", "-c", `sed -i '${edit}' ${bundle}/config.json; exec "$@"`, "sh"],
      });
    });
    rule("--rootless false changes nothing but what cgroups may refuse", async (t) => {
      if (runtime.kind !== "berth") return;
      const bundle = t.bundle("true", subordinate);
      const { stderr } = await t.fails(["--rootless", "false", "run", "--bundle", bundle, t.id]);
      expect(stderr).toContain("permission denied (/linux/cgroupsPath)");
      await t.ok(["--rootless", "true", "run", "--bundle", bundle, t.id]);
    });
    rule("the state is in $XDG_RUNTIME_DIR, in a folder with the sticky bit", async (t) => {
      if (runtime.kind !== "berth") return;
      t.env.XDG_RUNTIME_DIR = t.dir;
      const bundle = t.bundle("true", subordinate);
      const { done } = t.runtime.start(["create", "--bundle", bundle, t.id], {
        prefix: [
          "setpriv",
          "--reuid",
          String(UID),
          "--regid",
          String(UID),
          "--clear-groups",
          "env",
          "-i",
          `XDG_RUNTIME_DIR=${t.dir}`,
          "PATH=/usr/bin",
        ],
      });
      expect((await done).code).toBe(0);
      expect(readdirSync(t.path("berth"))).toEqual([t.id]);
      expect(statSync(t.path("berth")).mode & 0o7777).toBe(0o1700);
      await t.ok(["--root", t.path("berth"), "delete", "--force", t.id]);
    });
  });

  describe(`what engines ask for (${runtime.name})`, () => {
    const listening = async (t: UserSandbox, name: string): Promise<Running> => {
      const receiving = startProgram([helper("receiver"), t.path(name)]);
      await until("the receiver listens", () => t.exists(name));
      chownSync(t.path(name), UID, UID);
      return receiving;
    };
    for (const [ids, edit] of [
      ["subordinate ids", subordinate],
      ["one id", singleId],
    ] as const) {
      rule(`${ids}: terminals of create and of exec, which belong to the user`, async (t) => {
        const first = await listening(t, "create.sock");
        const script = "tty; stat -c '%u %a' $(tty); echo x >/dev/tty; touch /tmp/ready; sleep 1000";
        const bundle = t.bundle(
          script,
          edits(edit, ({ process }) => {
            process.terminal = true;
            process.consoleSize = { height: 33, width: 77 };
          }),
        );
        chmodSync(`${bundle}/rootfs/tmp`, 0o1777);
        await t.ok(["create", "--bundle", bundle, "--console-socket", t.path("create.sock"), t.id]);
        await t.ok(["start", t.id]);
        await until("it is ready", () => t.exists("bundle/rootfs/tmp/ready"));
        const second = await listening(t, "exec.sock");
        const args = ["--detach", "--tty", "--console-socket", t.path("exec.sock"), "--pid-file", t.path("pid")];
        await t.ok(["exec", ...args, t.id, "sh", "-c", script]);
        await t.ok(["kill", t.id, "KILL"]);
        await t.waitFor("stopped");
        await t.ok(["delete", t.id]);
        const shown = (await first.done).stdout.replaceAll("\r", "");
        expect(shown).toContain("size 33 77\n/dev/pts/0\n0 620\nx\n");
        expect((await second.done).stdout).toContain("/dev/pts/1");
      });
    }
    rule(
      "a pod: the second container joins the user namespace of the first, and others",
      async (t) => {
        const first = await t.create("sleep 1000", subordinate);
        await t.ok(["start", first]);
        const { pid } = await t.state();
        const files: Readonly<Record<string, string>> = { user: "user", network: "net", ipc: "ipc", uts: "uts" };
        const bundle = t.bundle(
          "sleep 1000",
          edits(subordinate, (config) => {
            const { linux } = config;
            linux.namespaces = linux.namespaces.map((namespace) => {
              const file = files[namespace.type];
              return file === undefined ? namespace : { type: namespace.type, path: `/proc/${pid}/ns/${file}` };
            });
            delete linux.uidMappings;
            delete linux.gidMappings;
            delete config.hostname;
          }),
          "second",
        );
        const second = t.newId();
        await t.ok(["create", "--bundle", bundle, second]);
        await t.ok(["start", second]);
        const init = (await t.state(second)).pid;
        await t.ok(["exec", "--detach", "--pid-file", t.path("pid"), second, "sleep", "1000"]);
        for (const file of Object.values(files)) {
          const link = readlinkSync(`/proc/${pid}/ns/${file}`);
          expect(readlinkSync(`/proc/${init}/ns/${file}`)).toBe(link);
          expect(readlinkSync(`/proc/${t.read("pid")}/ns/${file}`)).toBe(link);
        }
        expect((await t.ok(["exec", "--user", "5:6", second, "id"])).stdout).toBe("uid=5 gid=6\n");
        await t.ok(["delete", "--force", second]);
        await t.ok(["delete", "--force", first]);
      },
      runtime.kind === "runc" ? "runc 1.1 wants mappings beside the path" : false,
    );
    rule("a time namespace: its offsets, for exec as well", async (t) => {
      if (runtime.kind !== "berth") return;
      await t.create(
        "sleep 1000",
        edits(subordinate, ({ linux }) => {
          linux.namespaces.push({ type: "time" });
          linux.timeOffsets = { boottime: { secs: 1_000_000 }, monotonic: { secs: 2_000_000 } };
        }),
      );
      await t.ok(["start", t.id]);
      const { stdout } = await t.ok(["exec", t.id, "cat", "/proc/self/timens_offsets"]);
      expect(stdout).toMatch(/monotonic\s+2000000\s+0\nboottime\s+1000000\s+0/);
      await t.ok(["delete", "--force", t.id]);
    });
    rule("NOTIFY_SOCKET: the service manager of the user is told", async (t) => {
      const bundle = t.bundle("notify say READY=1; sleep 1000", subordinate);
      copyFileSync(helper("notify"), `${bundle}/rootfs/bin/notify`);
      chmodSync(`${bundle}/rootfs/bin/notify`, 0o755);
      mkdirSync(`${bundle}/rootfs/run`);
      mkdirSync(`${bundle}/rootfs/run/notify`);
      const address = t.path("manager.sock");
      t.helper(startProgram([helper("notify"), "manager", address, t.path("told")], { timeout: 60_000 }).child);
      await until("the service manager listens", () => t.exists("told"));
      chownSync(address, UID, UID);
      t.env.NOTIFY_SOCKET = address;
      await t.ok(["run", "--detach", "--bundle", bundle, t.id]);
      const { pid } = await t.state();
      await until("it has been told", () => t.read("told").includes(`MAINPID=${pid}|`));
      expect(t.read("told")).toContain("READY=1|");
      await t.ok(["delete", "--force", t.id]);
    });
    rule("--preserve-fds, --pid-file, and an error that the log has, too", async (t) => {
      const bundle = t.bundle("cat <&3", subordinate);
      const fds = [openSync(t.write("note", "from outside\n"), "r")];
      const args = ["--pid-file", t.path("pid"), "--preserve-fds", "1", t.id];
      expect((await t.ok(["run", "--bundle", bundle, ...args], { fds })).stdout).toBe("from outside\n");
      expect(t.read("pid")).toMatch(/^\d+$/);
      const config = t.read("bundle/config.json").replace("cat <&3", "x").replace("/bin/sh", "/no/such");
      writeFileSync(t.path("bundle/config.json"), config);
      const log = ["--log-format=json", "--log", t.path("log")];
      const { stderr } = await t.fails([...log, "create", "--bundle", bundle, t.id]);
      expect(stderr).toMatch(/no such file or directory/i);
      expect((JSON.parse(t.read("log").trim()) as { msg: string }).msg).toMatch(/no such file or directory/i);
      expect(await t.left()).toEqual([]);
    });
  });

  describe(`without a cgroup (${runtime.name})`, () => {
    rule("a container lives, and ends with its pid namespace", async (t) => {
      await t.create("sleep 1000", subordinate);
      await t.ok(["start", t.id]);
      expect((await t.state()).status).toBe("running");
      expect((await t.ok(["exec", t.id, "id", "-u"])).stdout).toBe("0\n");
      expect((await t.ok(["exec", "--user", "5:6", t.id, "id"])).stdout).toBe("uid=5 gid=6\n");
      for (const command of [["ps"], ["pause"], ["update", "--pids-limit", "5"]]) {
        const [name = "", ...flags] = command;
        const { stderr } = await t.fails([name, ...flags, t.id]);
        if (runtime.kind === "berth") expect(stderr).toContain("cgroup");
      }
      await t.ok(["events", "--stats", t.id]);
      await t.ok(["kill", t.id, "KILL"]);
      await t.waitFor("stopped");
      await t.ok(["delete", t.id]);
    });
    rule("a limit is an error that says why", async (t) => {
      const bundle = t.bundle(
        "true",
        edits(subordinate, ({ linux }) => {
          linux.resources = { pids: { limit: 10 }, memory: {} };
        }),
      );
      const { stderr } = await t.fails(["run", "--bundle", bundle, t.id]);
      if (runtime.kind === "berth") {
        expect(stderr).toContain("rootless needs no limits + no cgrouppath when no permission is granted for cgroups");
        expect(stderr).toContain("/linux/resources/pids/limit");
      }
      expect(await t.left()).toEqual([]);
    });
    rule("so is a cgroupsPath", async (t) => {
      const bundle = t.bundle(
        "true",
        edits(subordinate, ({ linux }) => {
          linux.cgroupsPath = `/${t.id}`;
        }),
      );
      expect((await t.fails(["run", "--bundle", bundle, t.id])).stderr).toMatch(
        /permission denied|EACCES|Permission denied/,
      );
      expect(await t.left()).toEqual([]);
    });
    rule("what is mounted as cgroup cannot be written to, whatever config.json says", async (t) => {
      const script =
        "cat /proc/mounts | grep ' /sys/fs/cgroup' | grep -c ' rw,'; echo 5 2>&1 >/sys/fs/cgroup/cgroup.procs";
      const edit = edits(subordinate, ({ mounts, process }) => {
        mounts.push({
          destination: "/sys/fs/cgroup",
          type: "cgroup",
          source: "cgroup",
          options: ["nosuid", "noexec", "nodev"],
        });
        process.args = ["/bin/sh", "-c", `${script}; true`];
      });
      // v1: the folders are in a tmpfs, which is the container's own.
      expect((await t.sh(script, edit)).split("\n")[0]).toBe(view === "v2" ? "0" : "1");
    });
  });

  describe(`a delegated cgroup (${runtime.name})`, () => {
    const limited = (path: string): Edit =>
      edits(subordinate, ({ linux }) => {
        linux.cgroupsPath = `${path}/box`;
        linux.resources =
          view === "v2" ? { hugepageLimits: [{ pageSize: "2MB", limit: 4194304 }] } : { pids: { limit: 33 } };
      });
    const noHugetlb = view === "v2" && !existsSync("/sys/fs/cgroup/cgroup.controllers") ? "no cgroup v2" : false;
    rule(
      "has limits, and every command",
      async (t) => {
        const path = t.delegate();
        await t.create("sleep 1000", limited(path));
        await t.ok(["start", t.id]);
        const { pid } = await t.state();
        expect(JSON.parse((await t.ok(["ps", "--format", "json", t.id])).stdout)).toEqual([pid]);
        await t.ok(["pause", t.id]);
        expect((await t.state()).status).toBe("paused");
        await t.ok(["resume", t.id]);
        await t.ok(["exec", "--detach", t.id, "sleep", "999"]);
        expect(JSON.parse((await t.ok(["ps", "--format", "json", t.id])).stdout)).toHaveLength(2);
        const events = JSON.parse((await t.ok(["events", "--stats", t.id])).stdout) as {
          data: { pids: { limit: number } };
        };
        if (view !== "v2") {
          expect(events.data.pids.limit).toBe(33);
          await t.ok(["update", "--pids-limit", "44", t.id]);
          expect((await t.ok(["exec", t.id, "cat", "/proc/self/cgroup"])).stdout).toContain("pids:/");
        }
        await t.ok(["kill", "--all", t.id, "KILL"]);
        await t.waitFor("stopped");
        await t.ok(["delete", t.id]);
      },
      noHugetlb,
    );
    rule(
      "is left as it was by a create that fails",
      async (t) => {
        const path = t.delegate();
        const bundle = t.bundle(
          "true",
          edits(limited(path), ({ mounts }) => {
            mounts.push({ destination: "/x", source: "/no/such", options: ["bind"] });
          }),
        );
        await t.fails(["run", "--bundle", bundle, t.id]);
        const top = view === "v2" ? "/sys/fs/cgroup" : "/sys/fs/cgroup/pids";
        expect(existsSync(`${top}${path}/box`)).toBe(false);
      },
      noHugetlb,
    );
  });

  describe(`root of a user namespace (${runtime.name})`, () => {
    rule("runs an unchanged bundle; nodes are the host's", async (t) => {
      t.inNamespace = true;
      const text = await sameAsRunc(t, `${LOOK}; cat /dev/null && echo opens`, ({ linux }) => {
        delete linux.resources;
      });
      expect(text).toContain(`0 0\n 0 ${UID} 1\n 1 ${SUB}`);
      expect(text).toContain("crw-rw-rw- 65534 65534 1, 3");
      expect(text).toContain("opens");
    });
    rule("makes another one below, with groups", async (t) => {
      t.inNamespace = true;
      const text = await sameAsRunc(t, "id -u; id -G; tr -s ' ' </proc/self/uid_map", ({ linux, process }) => {
        delete linux.resources;
        linux.namespaces.push({ type: "user" });
        linux.uidMappings = linux.gidMappings = [
          { containerID: 0, hostID: 1, size: 1000 },
          { containerID: 1000, hostID: 0, size: 1 },
        ];
        process.user = { uid: 1000, gid: 1000, additionalGids: [5] };
      });
      expect(text).toBe("1000\n1000 5\n 0 1 1000\n 1000 0 1\n");
    });
    rule("keeps the attributes of mounts that it may not change", async (t) => {
      t.inNamespace = true;
      mkdirSync(t.path("volume"));
      execFileSync("mount", ["-t", "tmpfs", "-o", "nosuid,nodev,noexec", "tmpfs", t.path("volume")]);
      t.later(() => void execFileSync("umount", [t.path("volume")]));
      const text = await t.sh("grep ' /var ' /proc/mounts", ({ linux, mounts }) => {
        delete linux.resources;
        mounts.push({ destination: "/var", source: t.path("volume"), options: ["rbind", "ro"] });
      });
      expect(text).toMatch(/ ro,nosuid,nodev,noexec/);
    });
    rule(
      "in the host's network has the host's /sys, read-only, where a new one is refused",
      async (t) => {
        t.inNamespace = true;
        const edit: Edit = ({ linux }) => {
          delete linux.resources;
          linux.namespaces = linux.namespaces.filter(({ type }) => type !== "network" && type !== "cgroup");
        };
        const script = "grep ' /sys' /proc/mounts | grep -v -c ' ro,'; ls /sys/class/net | grep -c .; true";
        expect((await t.sh(script, edit)).split("\n")[0]).toBe("0");
      },
      runtime.kind === "runc" ? "runc 1.1 has no such fallback" : false,
    );
  });
}
