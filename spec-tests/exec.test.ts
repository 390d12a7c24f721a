// exec: one more process in a container that is there, and what it reports.

import {
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { expect } from "vitest";
import { cgroupOf, view } from "./support/cgroup-of.ts";
import type { Config } from "./support/config.ts";
import { helper } from "./support/helpers.ts";
import { type CallOptions, startProgram } from "./support/runtime.ts";
import { type Sandbox, sleep, until } from "./support/sandbox.ts";
import { suite } from "./support/suite.ts";

/** A container of one process that does nothing; its id. */
async function running(t: Sandbox, edit?: (config: Config) => void): Promise<string> {
  await t.create("exec sleep 1000", edit);
  await t.ok(["start", t.id]);
  return t.id;
}

/** What the script prints in the container. */
async function inside(t: Sandbox, script: string, flags: readonly string[] = [], options?: CallOptions) {
  return (await t.ok(["exec", ...flags, t.id, "sh", "-c", script], options)).stdout;
}

/** Whether a runtime has blocked the signal to read it; one with more threads (Node) catches it in the others. */
function reads(pid: number, signal: number): boolean {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const mask = (name: string): bigint => BigInt(`0x${new RegExp(`^${name}:\\s*(\\w+)`, "m").exec(status)?.[1] ?? 0}`);
  const has = (name: string): boolean => ((mask(name) >> BigInt(signal - 1)) & 1n) === 1n;
  return has("SigBlk") && (/^Threads:\s*1$/m.test(status) || has("SigCgt"));
}

function hasChild(pid: number): boolean {
  const tasks = readdirSync(`/proc/${pid}/task`);
  return tasks.some((tid) => readFileSync(`/proc/${pid}/task/${tid}/children`, "utf8") !== "");
}

function processFile(t: Sandbox, more: object): string[] {
  const process = { args: ["sh", "-c", "id -u"], cwd: "/", env: ["PATH=/bin"], user: { uid: 0, gid: 0 }, ...more };
  return ["--process", t.write("process.json", JSON.stringify(process))];
}

suite("exec", (rule, runtime) => {
  rule("runs in all namespaces and cgroups of the container, with its own standard streams", async (t) => {
    await running(t);
    const { pid } = await t.state();
    const file = t.write("input", "typed\n");
    const out = await inside(t, "cat; readlink -n /proc/1/ns/pid; echo; cat /proc/self/cgroup; echo no >&2", [], {
      stdin: file,
    });
    expect(out).toContain(`typed\n${readlinkSync(`/proc/${pid}/ns/pid`)}\n`);
    await t.ok(["exec", "--detach", "--pid-file", t.path("pid"), t.id, "sleep", "1000"]);
    const second = Number(t.read("pid"));
    expect(readFileSync(`/proc/${second}/cgroup`, "utf8")).toBe(readFileSync(`/proc/${pid}/cgroup`, "utf8"));
    for (const type of ["pid", "net", "ipc", "uts", "mnt", "cgroup", "user"]) {
      expect(readlinkSync(`/proc/${second}/ns/${type}`)).toBe(readlinkSync(`/proc/${pid}/ns/${type}`));
    }
    const stat = readFileSync(`/proc/${second}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
    expect(stat[3]).toBe(String(second)); // a session of its own
    await t.ok(["delete", "--force", t.id]);
  });

  rule("ends with the exit code of the process, or 128 + its signal", async (t) => {
    await running(t);
    expect((await t.call(["exec", t.id, "sh", "-c", "exit 7"])).code).toBe(7);
    expect((await t.call(["exec", t.id, "sh", "-c", "kill -TERM $$"])).code).toBe(128 + 15);
    expect((await t.call(["exec", t.id, "sh", "-c", "kill -KILL $$"])).code).toBe(128 + 9);
    await t.ok(["delete", "--force", t.id]);
  });

  rule("ends with 255 when it fails itself", async (t) => {
    await running(t);
    const notFound = await t.call(["exec", t.id, "/no/such/program"]);
    expect(notFound.stderr).toMatch(/no such file or directory/i);
    const unknown = await t.call(["exec", t.newId(), "true"]);
    expect(unknown.stderr).toContain("does not exist");
    if (t.runtime.kind !== "crun") expect([notFound.code, unknown.code]).toEqual([255, 255]);
    const inPath = await t.fails(["exec", t.id, "no-such-program"]);
    expect(inPath.stderr).toMatch(/executable file (`no-such-program` )?not found in \$PATH/);
    const denied = await t.fails(["exec", t.id, "/etc/passwd"]);
    expect(denied.stderr).toMatch(/permission denied/i);
    await t.ok(["delete", "--force", t.id]);
  });

  rule("forwards signals to the process", async (t) => {
    await running(t);
    const script = 'trap "echo caught; exit 9" TERM; touch /ready; while :; do sleep 0.02; done';
    const { child, done } = t.start(["exec", t.id, "sh", "-c", script]);
    await until("it is ready", () => t.exists("bundle/rootfs/ready"));
    child.kill("SIGTERM");
    const result = await done;
    expect([result.code, result.stdout]).toEqual([9, "caught\n"]);
    await t.ok(["delete", "--force", t.id]);
  });

  rule("forwards every signal that a program may be sent, and ends as it ends", async (t) => {
    await running(t);
    const names = ["HUP", "INT", "QUIT", "USR1", "USR2", "TERM", "CONT"] as const;
    const traps = names.map((name) => `trap 'echo ${name} >> /got' ${name}`).join("; ");
    const script = `${traps}; touch /ready; while :; do sleep 0.02; done`;
    const { child, done } = t.start(["exec", "--pid-file", t.path("pid"), t.id, "sh", "-c", script]);
    await until("it is ready", () => t.exists("bundle/rootfs/ready"));
    const got = (): string => (t.exists("bundle/rootfs/got") ? t.read("bundle/rootfs/got") : "");
    let expected = "";
    for (const name of names) {
      child.kill(`SIG${name}`);
      expected += `${name}\n`;
      await until(`${name} has come`, () => got() === expected);
    }
    process.kill(Number(t.read("pid")), "SIGKILL");
    expect((await done).code).toBe(128 + 9);
    await t.ok(["delete", "--force", t.id]);
  });

  rule("changes the container's process as the options say", async (t) => {
    await running(t);
    const flags = ["--user", "1000:1001", "--env", "A=1", "-e", "B=x y", "--cwd", "/tmp"];
    expect(await inside(t, 'id -u; id -g; echo "$A$B"; pwd', flags)).toBe("1000\n1001\n1x y\n/tmp\n");
    if (t.runtime.kind !== "crun") {
      expect(await inside(t, "id -G", ["-u", "7:8", "-g", "9", "--additional-gids", "10"])).toBe("8 9 10\n");
    }
    const options = await t.ok(["exec", t.id, "echo", "--user", "-e", "--", "x"]);
    expect(options.stdout).toBe("--user -e -- x\n");
    await t.ok(["delete", "--force", t.id]);
  });

  rule("--env comes before config.json's, for the search of the program and HOME as well", async (t) => {
    await running(t, (config) => {
      config.process.env.push("A=config", "B=config", "HOME=/config");
    });
    const print = 'echo "$A $B $HOME $PATH"; tr "\\0" "\\n" </proc/$$/environ | grep -cE "^(A|HOME|PATH)="';
    const flags = ["A=first", "A=last", "HOME=/flag", "PATH=/bin"].flatMap((entry) => ["--env", entry]);
    expect(await inside(t, print, flags)).toBe("last config /flag /bin\n3\n");
    expect((await t.fails(["exec", "-e", "PATH=/no/such", t.id, "true"])).stderr).toMatch(/not found/);
    await t.ok(["delete", "--force", t.id]);
  });

  rule(
    "--process is all that counts: other options change nothing in it",
    async (t) => {
      await running(t);
      const file = processFile(t, {
        args: ["sh", "-c", 'id -u; pwd; echo "$A"; grep -E "CapBnd|NoNew" /proc/self/status'],
      });
      const flags = ["--user", "5:5", "--cwd", "/tmp", "--env", "A=flag", "--cap", "CAP_SYS_ADMIN", "--no-new-privs"];
      const { stdout } = await t.ok(["exec", ...flags, ...file, t.id]);
      expect(stdout).toBe("0\n/\n\nCapBnd:\t0000000020000420\nNoNewPrivs:\t0\n");
      await t.ok(["delete", "--force", t.id]);
    },
    { except: { crun: "crun 1.8 has another order" } },
  );

  rule("takes everything from process.json", async (t) => {
    await running(t);
    const process = {
      args: ["sh", "-c", "id -u; id -G; pwd; env | sort; ulimit -n; umask; grep -E 'CapBnd|NoNew' /proc/self/status"],
      cwd: "/tmp",
      env: ["PATH=/bin", "A=b", "HOME=/h"],
      user: { uid: 5, gid: 6, additionalGids: [7], umask: 0o27 },
      rlimits: [{ type: "RLIMIT_NOFILE", soft: 77, hard: 99 }],
      capabilities: { bounding: ["CAP_KILL"], permitted: ["CAP_KILL"], effective: ["CAP_KILL"] },
      noNewPrivileges: false,
    };
    const { stdout } = await t.ok(["exec", ...processFile(t, process), t.id]);
    const shell = "PWD=/tmp\nSHLVL=1\n";
    const umask = t.runtime.kind === "runc" ? "0022" : "0027"; // runc: the container's
    expect(stdout).toBe(
      `5\n6 7\n/tmp\nA=b\nHOME=/h\nPATH=/bin\n${shell}77\n${umask}\nCapBnd:\t0000000000000020\nNoNewPrivs:\t0\n`,
    );
    await t.ok(["delete", "--force", t.id]);
  });

  rule(
    "starts from config.json as it was when the container was created",
    async (t) => {
      await running(t, (config) => {
        config.process.env.push("WHEN=then");
      });
      const config = JSON.parse(t.read("bundle/config.json")) as Config;
      config.process.env.push("WHEN=now");
      config.process.user = { uid: 4, gid: 4 };
      t.write("bundle/config.json", JSON.stringify(config));
      expect(await inside(t, "echo $WHEN; id -u")).toBe("then\n0\n");
      t.write("bundle/config.json", "{");
      expect(await inside(t, "echo $WHEN")).toBe("then\n");
      await t.ok(["delete", "--force", t.id]);
    },
    { except: { runc: "runc reads the bundle again" } },
  );

  rule("works in a created container, and not in one that has stopped", async (t) => {
    const id = await t.create("true");
    expect(await inside(t, "echo early")).toBe("early\n");
    await t.ok(["start", id]);
    await t.waitFor("stopped");
    const result = await t.fails(["exec", id, "true"]);
    expect(result.stderr).toMatch(/cannot exec in a stopped container|that has stopped|not running/);
    await t.ok(["delete", id]);
  });

  rule(
    "--detach: the pid file has the pid, what fails leaves neither process nor file",
    async (t) => {
      await running(t);
      await t.ok(["exec", "-d", "--pid-file", t.path("pid"), t.id, "sleep", "1000"]);
      expect(readFileSync(`/proc/${t.read("pid")}/cmdline`, "utf8")).toBe("sleep\x001000\0");
      const before = (await t.ok(["ps", "-f", "json", t.id])).stdout;
      await t.fails(["exec", "-d", "--pid-file", t.path("none"), t.id, "/none"]);
      await t.fails(["exec", "-d", "--pid-file", t.path("no/folder/pid"), t.id, "sleep", "1001"]);
      t.write("script", "#!/no/interpreter\n", 0o755);
      renameSync(t.path("script"), t.path("bundle/rootfs/script"));
      await t.fails(["exec", "-d", "--pid-file", t.path("none"), t.id, "/script"]);
      await t.fails(["exec", "-d", "--pid-file", t.path("none"), "--pidfd-socket", t.path("nobody"), t.id, "true"]);
      expect(t.exists("none")).toBe(false);
      expect((await t.ok(["ps", "-f", "json", t.id])).stdout).toBe(before);
      await t.ok(["delete", "--force", t.id]);
    },
    { only: ["berth"] },
  );

  rule(
    "--pidfd-socket gets a hold of the process, before it starts",
    async (t) => {
      await running(t);
      const receiving = startProgram([helper("pidfd"), t.path("pidfd.sock"), t.path("go")]);
      await until("the receiver listens", () => t.exists("pidfd.sock"));
      const flags = ["--detach", "--pid-file", t.path("pid"), "--pidfd-socket", t.path("pidfd.sock")];
      await t.ok(["exec", ...flags, t.id, "sleep", "1000"]);
      const pid = Number(t.read("pid"));
      writeFileSync(t.path("go"), "");
      expect((await receiving.done).stdout).toBe(`message setns\npid ${pid}\n`);
      await until("it has been killed", () => !existsSync(`/proc/${pid}`));
      expect((await t.state()).status).toBe("running");
      await t.ok(["delete", "--force", t.id]);
    },
    { only: ["berth"] },
  );

  rule(
    "--process-label is an error where there is no SELinux",
    async (t) => {
      await running(t);
      const label = "system_u:system_r:container_t:s0";
      const before = (await t.ok(["ps", "-f", "json", t.id])).stdout;
      for (const flags of [["--process-label", label], processFile(t, { selinuxLabel: label })]) {
        const args = flags[0] === "--process" ? [] : ["true"];
        const { stderr, code } = await t.fails(["exec", ...flags, t.id, ...args]);
        expect(stderr).toMatch(/selinux/i);
        if (t.runtime.kind !== "berth") continue;
        expect(stderr).toContain(args.length > 0 ? "(--process-label" : "(process.json /selinuxLabel");
        expect(code).toBe(255);
      }
      expect((await t.ok(["ps", "-f", "json", t.id])).stdout).toBe(before);
      await t.ok(["delete", "--force", t.id]);
    },
    { except: { crun: "crun 1.8 ignores it" } },
  );

  rule(
    "--apparmor is an error where there is no AppArmor",
    async (t) => {
      await running(t);
      for (const flags of [["--apparmor", "box"], processFile(t, { apparmorProfile: "box" })]) {
        const args = flags[0] === "--process" ? [] : ["true"];
        const { stderr, code } = await t.fails(["exec", ...flags, t.id, ...args]);
        expect(stderr).toMatch(/apparmor/i);
        expect(stderr).toContain(args.length > 0 ? "(--apparmor" : "(process.json /apparmorProfile");
        expect(code).toBe(255);
      }
      await t.ok(["delete", "--force", t.id]);
    },
    { only: ["berth"], skip: existsSync("/sys/kernel/security/apparmor") && "AppArmor is there" },
  );

  rule("passes --preserve-fds, and nothing more", async (t) => {
    await running(t);
    const fds = [1, 2, 3].map((n) => openSync(t.write(`file${n}`, `content ${n}\n`), "r"));
    const script = 'cat <&3; cat <&4; ls /proc/self/fd | sort -n | tr "\\n" " "';
    // The last is the folder that the shell itself reads.
    expect(await inside(t, script, ["--preserve-fds", "2"], { fds })).toMatch(
      /^content 1\ncontent 2\n0 1 2 3 4( \d+)? $/,
    );
    await t.ok(["delete", "--force", t.id]);
  });

  rule(
    "refuses --preserve-fds of a descriptor that is closed",
    async (t) => {
      await running(t);
      const fds = [1, 2, 3].map((n) => openSync(t.write(`file${n}`, `content ${n}\n`), "r"));
      const result = await t.fails(["exec", "--preserve-fds", "4", t.id, "true"], { fds });
      expect(result.stderr).toMatch(/preserve/i);
      await t.ok(["delete", "--force", t.id]);
    },
    // Node takes the first free descriptors for itself before Berth runs, so the Node host cannot tell them from the caller's.
    { skip: runtime.name.startsWith("node") && "Node's own descriptors follow the caller's" },
  );

  rule(
    "keeps the attributes of config.json: scheduler, I/O priority, OOM score, keyring, HOME of the user",
    async (t) => {
      await running(t, (config) => {
        config.process.oomScoreAdj = 321;
        config.process.scheduler = { policy: "SCHED_BATCH", nice: 3 };
        config.process.ioPriority = { class: "IOPRIO_CLASS_BE", priority: 6 };
        config.linux.maskedPaths = [];
      });
      const out = await inside(t, "cat /proc/self/oom_score_adj; ionice; cut -d' ' -f19,41 /proc/$$/stat");
      expect(out).toBe("321\nbest-effort: prio 6\n3 3\n");
      const keyring = `grep ' _ses.${t.id}:' /proc/keys | cut -c1-8`;
      const first = (await inside(t, keyring)).trim();
      expect(first).toMatch(/^[0-9a-f]{8}$/);
      expect(await inside(t, keyring)).toBe(`${first}\n`);
      const home = await inside(t, 'echo "$HOME"', ["--user", "1000"]);
      expect(home).toBe("/home/user\n");
      await t.ok(["delete", "--force", t.id]);
    },
    { only: ["berth"] },
  );

  rule(
    "execCPUAffinity: the final one counts, without any the process may use every CPU",
    async (t) => {
      await running(t);
      const list = "grep Cpus_allowed_list /proc/self/status | tr -dc '0-9,-'";
      const allowed = async (affinity?: object): Promise<string> =>
        (
          await t.ok(["exec", ...processFile(t, { args: ["sh", "-c", list], execCPUAffinity: affinity }), t.id], {
            prefix: ["taskset", "-c", "1"],
          })
        ).stdout;
      expect(await allowed()).not.toBe("1");
      expect(await allowed({ initial: "0" })).toBe("0");
      expect(await allowed({ initial: "0", final: "0-1" })).toBe("0-1");
      expect(await allowed({ final: "0" })).toBe("0");
      await t.ok(["delete", "--force", t.id]);
    },
    { only: ["berth"] },
  );

  rule(
    "execCPUAffinity of config.json holds for exec alone, and process.json's comes before it",
    async (t) => {
      await t.create("grep Cpus_allowed_list /proc/self/status > /init; sleep 1000", (config) => {
        config.process.execCPUAffinity = { initial: "0", final: "1" };
      });
      await t.ok(["start", t.id]);
      await until(
        "the program has said it",
        () => t.exists("bundle/rootfs/init") && t.read("bundle/rootfs/init") !== "",
      );
      expect(t.read("bundle/rootfs/init")).not.toMatch(/\t1$/m);
      const list = "grep Cpus_allowed_list /proc/self/status | tr -dc '0-9,-'";
      expect(await inside(t, list)).toBe("1");
      const args = ["sh", "-c", list];
      const other = await t.ok(["exec", ...processFile(t, { args, execCPUAffinity: { final: "0" } }), t.id]);
      expect(other.stdout).toBe("0");
      await t.ok(["delete", "--force", t.id]);
    },
    { only: ["berth"] },
  );

  rule("loads the container's seccomp filter", async (t) => {
    await running(t, (config) => {
      config.linux.seccomp = {
        defaultAction: "SCMP_ACT_ALLOW",
        architectures: ["SCMP_ARCH_X86_64"],
        syscalls: [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 95 }],
      };
    });
    for (const flags of [[], ["--no-new-privs=false"]]) {
      const script = "mkdir /x 2>&1; grep Seccomp: /proc/self/status";
      expect(await inside(t, script, flags)).toMatch(/not supported\nSeccomp:\t2\n/);
    }
    await t.ok(["delete", "--force", t.id]);
  });

  rule("works in a user namespace, with its limits above the runtime's soft ones", async (t) => {
    await running(t, (config) => {
      config.linux.namespaces.push({ type: "user" });
      config.linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }];
      config.linux.gidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }];
    });
    expect(await inside(t, "id -u; id -g; cat /proc/self/setgroups; ulimit -Hn")).toBe("0\n0\nallow\n1024\n");
    expect(await inside(t, "id -u; id -g", ["-u", "1000:1000"])).toBe("1000\n1000\n");
    await t.ok(["delete", "--force", t.id]);
  });
});

suite("exec with a terminal", (rule) => {
  rule(
    "in the foreground passes what is typed, its size and the exit code, and puts the terminal back",
    async (t) => {
      await running(t);
      const script = 'tty; stty size; echo ready; read x; echo "got $x"; exit 9';
      const exec = [t.runtime.path, "--root", t.root, "exec", "--tty", t.id, "sh", "-c", script];
      const result = await startProgram([helper("pty"), "24", "80", "expect:ready", "send:hello\\n", "--", ...exec])
        .done;
      expect(result.stdout.replaceAll("\r", "")).toContain("/dev/pts/0\n24 80\nready\n");
      expect(result.stdout).toContain("got hello");
      expect(result.code).toBe(9);
      const bad = [t.runtime.path, "--root", t.root, "exec", "--tty", t.id, "/none"];
      const failed = await startProgram([helper("pty"), "24", "80", "--", ...bad]).done;
      expect(failed.code).toBeGreaterThan(0);
      expect(failed.stdout).toMatch(/no such file/i);
      await t.ok(["delete", "--force", t.id]);
    },
    { except: { crun: "crun 1.8 starts the program before the terminal is ready" } },
  );

  rule(
    "ends with its process, whoever of the container still fills its terminal",
    async (t) => {
      await running(t);
      // The end of the session hangs the terminal up; it can be opened again.
      const flood = "(trap '' HUP; while :; do yes flooding >/dev/pts/0 2>/dev/null; done) &";
      const script = `${flood} ${flood} sleep 0.3; exit 9`;
      const exec = [t.runtime.path, "--root", t.root, "exec", "--tty", t.id, "sh", "-c", script];
      const result = await startProgram([helper("pty"), "24", "80", "expect:flooding", "--", ...exec]).done;
      expect([result.timedOut, result.code]).toEqual([false, 9]);
      await t.ok(["delete", "--force", t.id]);
    },
    { only: ["berth"] },
  );

  rule("--detach --console-socket: the engine gets it, with the size of process.json", async (t) => {
    await running(t);
    const receiving = startProgram([helper("receiver"), t.path("console.sock")]);
    await until("the receiver listens", () => t.exists("console.sock"));
    const process = {
      args: ["sh", "-c", "tty; stty size; echo x >/dev/tty; stat -c %u $(tty)"],
      terminal: true,
      consoleSize: { height: 33, width: 77 },
      user: { uid: 1000, gid: 0 },
    };
    await t.ok(["exec", "--detach", "--console-socket", t.path("console.sock"), ...processFile(t, process), t.id]);
    const result = await receiving.done;
    expect(result.stdout).toMatch(/^listening\nname .*\nsize 33 77\n/);
    expect(result.stdout.replaceAll("\r", "")).toContain("/dev/pts/0\n33 77\nx\n1000\n");
    await t.ok(["delete", "--force", t.id]);
  });

  rule(
    "is an error with --detach and no socket, and a socket without a terminal is one",
    async (t) => {
      await running(t);
      const detached = await t.fails(["exec", "--detach", "--tty", t.id, "true"]);
      expect(detached.stderr).toMatch(/cannot allocate tty if \w+ will detach without setting console socket/);
      const none = await t.fails(["exec", "--console-socket", t.path("s"), t.id, "true"]);
      expect(none.stderr).toMatch(/cannot use console socket if \w+ will not detach or allocate tty/);
      await t.ok(["delete", "--force", t.id]);
    },
    { except: { crun: "crun has other rules" } },
  );
});

suite("exec into a paused container", (rule) => {
  const only = { only: ["berth", "runc"] } as const;

  rule(
    "is refused, unless --ignore-paused: then it begins when the container is resumed",
    async (t) => {
      await running(t);
      await t.ok(["pause", t.id]);
      const refused = await t.fails(["exec", t.id, "true"]);
      expect(refused.stderr).toContain("cannot exec in a paused container (use --ignore-paused to override)");
      const { done } = t.start(["exec", "--ignore-paused", t.id, "echo", "late"]);
      await sleep(200);
      await t.ok(["resume", t.id]);
      expect((await done).stdout).toBe("late\n");
      await t.ok(["delete", "--force", t.id]);
    },
    only,
  );

  rule(
    "SIGTERM ends it at once, without a process left, and the container stays paused",
    async (t) => {
      await running(t);
      await t.ok(["pause", t.id]);
      const before = (await t.ok(["ps", "-f", "json", t.id])).stdout;
      for (const flags of [[], ["--detach"], ["--cap", "CAP_CHOWN"]]) {
        const { child, done } = t.start(["exec", "--ignore-paused", ...flags, t.id, "touch", "/made"]);
        const pid = child.pid ?? -1;
        // Before it starts anybody. Node alone blocks all signals for moments as well, while it starts its threads.
        await until("it takes SIGTERM itself", () => hasChild(pid) && reads(pid, 15));
        await sleep(50);
        const begin = Date.now();
        child.kill("SIGTERM");
        expect((await done).code).toBe(128 + 15);
        expect(Date.now() - begin).toBeLessThan(10_000);
      }
      expect((await t.state()).status).toBe("paused");
      expect((await t.ok(["ps", "-f", "json", t.id])).stdout).toBe(before);
      await t.ok(["resume", t.id]);
      await sleep(50);
      expect(t.exists("bundle/rootfs/made")).toBe(false);
      expect((await t.ok(["ps", "-f", "json", t.id])).stdout).toBe(before);
      await t.ok(["delete", "--force", t.id]);
    },
    { only: ["berth"] },
  );

  rule(
    "that is paused while it begins: SIGTERM ends it at once, whatever it was doing",
    async (t) => {
      await running(t);
      const { pid } = await t.state();
      const procs = (): string => readFileSync(join(cgroupOf(pid, "freezer"), "cgroup.procs"), "utf8");
      for (let round = 0; round < 20; round++) {
        const { child, done } = t.start(["exec", t.id, "sleep", "1000"]);
        await t.ok(["pause", t.id]);
        child.kill("SIGTERM");
        // It has reached the process, which is frozen: it comes after resume.
        await t.ok(["resume", t.id]);
        const { code, signal, timedOut } = await done;
        expect(timedOut).toBe(false);
        expect([128 + 15, 255, null], `${code} ${signal}`).toContain(code);
        // What was killed while it was frozen ends now.
        await until("it is gone", () => procs() === `${pid}\n`);
      }
      await t.ok(["delete", "--force", t.id]);
    },
    { only: ["berth"], timeout: 60_000 },
  );

  rule(
    "that is paused and resumed all the time: every exec runs or says why not",
    async (t) => {
      await running(t);
      let stop = false;
      const toggling = (async () => {
        while (!stop) {
          await t.ok(["pause", t.id]);
          await t.ok(["resume", t.id]);
        }
      })();
      for (let i = 0; i < 40; i++) {
        const result = await t.call(["exec", ...(i % 2 === 0 ? ["--ignore-paused"] : []), t.id, "echo", "ran"]);
        expect(result.code === 0 ? result.stdout : result.stderr).toMatch(/^ran\n$|paused container/);
      }
      stop = true;
      await toggling;
      await t.ok(["delete", "--force", t.id]);
    },
    { only: ["berth"], timeout: 60_000 },
  );
});

suite("exec --cgroup", (rule) => {
  rule(
    "puts the process into an existing cgroup below the container's, never beside it",
    async (t) => {
      const id = await running(t);
      const { pid } = await t.state();
      const below = join(cgroupOf(pid, "freezer"), "below");
      mkdirSync(below);
      const flag = view === "v2" ? "below" : "freezer:below";
      await t.ok(["exec", "--cgroup", flag, "--detach", "--pid-file", t.path("pid"), id, "sleep", "1000"]);
      expect(cgroupOf(Number(t.read("pid")), "freezer")).toBe(below);
      const bad = view === "v2" ? "" : "freezer:";
      for (const path of ["..", "../x", "below/../..", "none"]) {
        const result = await t.fails(["exec", "--cgroup", bad + path, id, "true"]);
        expect(result.stderr).toMatch(/--cgroup/);
      }
      if (view !== "v2") {
        const twice = ["--cgroup", "freezer:below", "--cgroup", "freezer:other"];
        expect((await t.fails(["exec", ...twice, id, "true"])).stderr).toContain("specified multiple times");
        expect((await t.fails(["exec", "--cgroup", ":x", id, "true"])).stderr).toContain("empty <controller> prefix");
        expect((await t.fails(["exec", "--cgroup", "x:y", id, "true"])).stderr).toContain("unknown controller x");
      }
      await t.ok(["delete", "--force", id]);
    },
    { only: ["berth"] },
  );

  rule(
    "without it: where init has gone when its first cgroup is no more",
    async (t) => {
      const id = await running(t);
      const { pid } = await t.state();
      const first = cgroupOf(pid, "freezer");
      const moved = join(dirname(first), `${t.newId()}-moved`);
      mkdirSync(moved);
      for (const each of readFileSync(join(first, "cgroup.procs"), "utf8").trim().split("\n")) {
        writeFileSync(join(moved, "cgroup.procs"), each);
      }
      rmdirSync(first);
      await t.ok(["exec", "--detach", "--pid-file", t.path("pid"), id, "sleep", "1000"]);
      expect(cgroupOf(Number(t.read("pid")), "freezer")).toBe(moved);
      t.later(async () => {
        await until("its processes are gone", () => readFileSync(join(moved, "cgroup.procs"), "utf8") === "");
        rmdirSync(moved);
      });
      await t.ok(["delete", "--force", id]);
    },
    { only: ["berth"], skip: view !== "v2" && "only cgroup v2 has one cgroup" },
  );
});
