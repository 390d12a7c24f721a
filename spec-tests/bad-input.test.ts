// Bad input of every kind: the exit code is not 0, the message names what was wrong, nothing is left, within a second.

import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { Config } from "./support/config.ts";
import { removeOwnCgroups } from "./support/leaks.ts";
import type { Result } from "./support/runtime.ts";
import type { Sandbox } from "./support/sandbox.ts";
import { suite } from "./support/suite.ts";

/** Milliseconds: nothing is waited for, on a busy machine, too. */
const WITHIN = 10_000;

/** What every refusal must be like. */
async function refused(t: Sandbox, result: Result, said: RegExp): Promise<void> {
  expect(result.timedOut).toBe(false);
  expect(result.signal).toBeNull();
  expect(result.code).not.toBe(0);
  expect(result.stdout + result.stderr).toMatch(said);
  expect(result.ms).toBeLessThan(WITHIN);
  expect(await t.left()).toEqual([]);
}

async function createRefused(t: Sandbox, bundle: string, said: RegExp): Promise<void> {
  await refused(t, await t.call(["create", "--bundle", bundle, t.id]), said);
}

/** Replaces the text of config.json after JSON.stringify: what no JavaScript value can say. */
function configText(bundle: string, text: string | Uint8Array): void {
  writeFileSync(join(bundle, "config.json"), text);
}

const OURS = { runc: "its own words", crun: "its own words" };

suite("ids", (rule) => {
  for (const [name, id] of [
    ["..", ".."],
    [".", "."],
    ["with a slash", "a/b"],
    ["with .. and a slash", "../escape"],
    ["empty", ""],
    ["of 1025 characters", "x".repeat(1025)],
    ["with a space", "a b"],
    ["with a newline", "a\nb"],
    ["with a letter beyond ASCII", "\u00fc"],
  ] as const) {
    rule(
      `an id ${name} is refused by create, run, state, start, kill and delete`,
      async (t) => {
        const bundle = t.bundle("true");
        for (const words of [
          ["create", "--bundle", bundle],
          ["run", "--bundle", bundle],
          ["state"],
          ["start"],
          ["kill"],
          ["delete"],
          ["delete", "--force"],
        ]) {
          await refused(t, await t.call([...words, id]), /\bid\b|argument/i);
        }
      },
      { except: OURS },
    );
  }

  rule("an unknown id is named by state, start, kill and delete", async (t) => {
    for (const command of ["state", "start", "kill", "delete"]) {
      await refused(t, await t.call([command, t.id]), new RegExp(`${t.id}|does not exist`));
    }
  });
});

suite("the bundle", (rule) => {
  rule("that does not exist is named", async (t) => {
    await createRefused(t, t.path("nowhere"), /nowhere/);
  });

  rule("without config.json is an error with that name", async (t) => {
    const bundle = t.bundle("true");
    rmSync(join(bundle, "config.json"));
    await createRefused(t, bundle, /config\.json/);
  });

  rule(
    "with a config.json that is a folder or a FIFO is an error with that name, at once",
    async (t) => {
      const bundle = t.bundle("true");
      rmSync(join(bundle, "config.json"));
      mkdirSync(join(bundle, "config.json"));
      await createRefused(t, bundle, /config\.json/);
      rmSync(join(bundle, "config.json"), { recursive: true });
      execFileSync("mkfifo", [join(bundle, "config.json")]);
      await createRefused(t, bundle, /config\.json/);
    },
    { except: { runc: "waits for the FIFO", crun: "waits for the FIFO" } },
  );

  for (const [name, text] of [
    ["empty", ""],
    ["cut off", '{"ociVersion": "1.0.2", "process": {'],
    ["followed by more", '{"ociVersion": "1.0.2"} x'],
    ["of another type", "[]"],
    ["null", "null"],
    ["with a comment", '{"ociVersion": "1.0.2" /* no */}'],
    ["with a trailing comma", '{"ociVersion": "1.0.2",}'],
    ["with a broken escape", '{"ociVersion": "\\x"}'],
    ["with a raw newline in a string", '{"ociVersion": "1\n"}'],
  ] as const) {
    rule(
      `with a config.json that is ${name}`,
      async (t) => {
        const bundle = t.bundle("true");
        configText(bundle, text);
        await createRefused(t, bundle, /config\.json|json|\/ociVersion|line|expected/i);
      },
      { except: OURS },
    );
  }

  rule(
    "with 10^6 nested brackets",
    async (t) => {
      const bundle = t.bundle("true");
      configText(bundle, `{"ociVersion":"1.0.2","x":${"[".repeat(1_000_000)}`);
      await createRefused(t, bundle, /nest|deep|config\.json/i);
      configText(bundle, `{"ociVersion":"1.0.2","x":${'{"a":'.repeat(1_000_000)}1${"}".repeat(1_000_000)}}`);
      await createRefused(t, bundle, /nest|deep|config\.json/i);
    },
    { except: OURS },
  );

  rule(
    "with a config.json over 16 MiB",
    async (t) => {
      const bundle = t.bundle("true");
      configText(bundle, " ".repeat((16 << 20) + 1));
      await createRefused(t, bundle, /large|16 MiB|EFBIG|config\.json/i);
    },
    { except: OURS },
  );
});

suite("config.json", (rule) => {
  type Edit = (config: Config) => void;
  const set =
    (pointer: string, value: unknown): Edit =>
    (config) => {
      const parts = pointer.slice(1).split("/");
      const last = parts.pop() ?? "";
      let at = config as Record<string, unknown>;
      for (const part of parts) {
        at[part] ??= {};
        at = at[part] as Record<string, unknown>;
      }
      if (value === undefined) delete at[last];
      else at[last] = value;
    };

  // The pointer is in the message; so is the value, where it is short.
  const WRONG: readonly [pointer: string, value: unknown][] = [
    ["/ociVersion", undefined],
    ["/ociVersion", 1],
    ["/ociVersion", "2.0.0"],
    ["/root", "rootfs"],
    ["/root/path", undefined],
    ["/root/path", ""],
    ["/root/readonly", "yes"],
    ["/hostname", 5],
    ["/process", []],
    ["/process/args", undefined],
    ["/process/args", []],
    ["/process/args", "sh"],
    ["/process/args/0", 7],
    ["/process/env", { A: "b" }],
    ["/process/env/0", "NO_EQUALS_SIGN"],
    ["/process/cwd", "relative"],
    ["/process/cwd", undefined],
    ["/process/terminal", "false"],
    ["/process/user", "root"],
    ["/process/user/uid", -1],
    ["/process/user/uid", 1.5],
    ["/process/user/uid", "0"],
    ["/process/user/gid", 4294967296],
    ["/process/user/additionalGids", [1, -2]],
    ["/process/user/umask", 4096],
    ["/process/capabilities/bounding", "CAP_KILL"],
    ["/process/rlimits", { type: "RLIMIT_CORE" }],
    ["/process/rlimits/0/type", "RLIMIT_NOSUCH"],
    ["/process/rlimits/0/soft", -1],
    ["/process/rlimits/0/soft", 99999],
    ["/process/noNewPrivileges", 1],
    ["/process/oomScoreAdj", 1001],
    ["/process/oomScoreAdj", "0"],
    ["/process/scheduler", { policy: "SCHED_NOSUCH" }],
    ["/process/ioPriority", { class: "IOPRIO_CLASS_BE", priority: 8 }],
    ["/mounts", {}],
    ["/mounts/0", "proc"],
    ["/mounts/0/destination", undefined],
    ["/mounts/0/options", "ro"],
    ["/hooks", []],
    ["/hooks/createRuntime", {}],
    ["/hooks/createRuntime", [{ path: "relative/hook" }]],
    ["/hooks/createRuntime", [{ args: ["x"] }]],
    ["/hooks/createRuntime", [{ path: "/bin/true", timeout: 0 }]],
    ["/hooks/createRuntime", [{ path: "/bin/true", timeout: -5 }]],
    ["/annotations", []],
    ["/annotations/a", 1],
    ["/linux", []],
    ["/linux/namespaces", {}],
    ["/linux/namespaces/0/type", "nosuch"],
    ["/linux/namespaces/0/type", undefined],
    ["/linux/namespaces/0/path", "relative"],
    ["/linux/uidMappings", [{ containerID: 0, hostID: 0 }]],
    ["/linux/devices", [{ path: "/dev/x" }]],
    ["/linux/devices", [{ path: "/dev/x", type: "z", major: 1, minor: 1 }]],
    ["/linux/devices", [{ path: "/dev/x", type: "c" }]],
    ["/linux/resources/devices", [{ allow: true, access: "rwx" }]],
    ["/linux/resources/memory", { limit: "1g" }],
    ["/linux/resources/cpu", { shares: -1 }],
    ["/linux/resources/pids", { limit: 1.5 }],
    ["/linux/resources/hugepageLimits", [{ pageSize: "../x", limit: 1 }]],
    ["/linux/resources/unified", { "../cgroup.procs": "1" }],
    ["/linux/sysctl", { "kernel.msgmax": 5 }],
    ["/linux/rootfsPropagation", "everywhere"],
    ["/linux/maskedPaths", "/proc/kcore"],
    ["/linux/maskedPaths/0", "relative"],
    ["/linux/readonlyPaths/0", 1],
    ["/linux/personality", { domain: "WINDOWS" }],
    ["/linux/cgroupsPath", 7],
    ["/linux/intelRdt", { closID: "../x" }],
    ["/linux/intelRdt", { memBwSchema: "0=10" }],
    ["/linux/netDevices", { "a/b": {} }],
    ["/linux/netDevices", { eth0: { name: "sixteen-byte-name" } }],
  ];
  for (const [pointer, value] of WRONG) {
    rule(
      `${pointer}: ${JSON.stringify(value) ?? "missing"} is refused and named`,
      async (t) => {
        const bundle = t.bundle("true", set(pointer, value));
        const place = pointer.split("/").slice(1, 3).join("/");
        await createRefused(t, bundle, new RegExp(place));
      },
      { only: ["berth"] },
    );
  }

  const LATER: readonly [pointer: string, value: unknown][] = [
    ["/linux/intelRdt", { closID: "x" }],
    ["/linux/memoryPolicy", { mode: "MPOL_BIND", nodes: "0" }],
    ["/linux/mountLabel", "system_u:object_r:x:s0"],
    ["/process/apparmorProfile", "some-profile"],
    ["/process/selinuxLabel", "system_u:system_r:x:s0"],
  ];
  for (const [pointer, value] of LATER) {
    rule(
      `${pointer} is not ignored: not supported yet, or it works`,
      async (t) => {
        const bundle = t.bundle("true", set(pointer, value));
        const result = await t.call(["create", "--bundle", bundle, t.id]);
        if (result.code === 0) {
          await t.ok(["delete", "--force", t.id]);
          return;
        }
        await refused(t, result, new RegExp(`${pointer}|not supported`));
        expect(result.stderr).toContain(pointer.split("/").at(-1));
      },
      { only: ["berth"] },
    );
  }

  rule("unknown fields are ignored, also with integer-like and __proto__ keys", async (t) => {
    const bundle = t.bundle("echo ran");
    const text = JSON.stringify({ ...JSON.parse(t.read("bundle/config.json")), "1": {}, vendor: { x: [1] } });
    configText(bundle, text.replace('"vendor":', '"__proto__":{"hostname":"evil"},"vendor":'));
    expect((await t.ok(["run", "--bundle", bundle, t.id])).stdout).toBe("ran\n");
  });

  rule("__proto__ as an annotation's key is an annotation, and integer-like keys keep their names", async (t) => {
    const bundle = t.bundle("sleep 1000", (config) => {
      config.annotations = { b: "1" };
    });
    const text = t.read("bundle/config.json").replace('"b": "1"', '"__proto__": "p", "b": "1", "7": "seven"');
    configText(bundle, text);
    await t.ok(["create", "--bundle", bundle, t.id]);
    const { stdout } = await t.ok(["state", t.id]);
    expect(stdout).toContain('"__proto__": "p"');
    expect(stdout).toContain('"7": "seven"');
    await t.ok(["delete", "--force", t.id]);
  });

  rule(
    "64-bit integers are not rounded",
    async (t) => {
      const bundle = t.bundle("ulimit -H -f", (config) => {
        config.process.rlimits = [{ type: "RLIMIT_FSIZE", soft: 12345, hard: 12345 }];
      });
      configText(bundle, t.read("bundle/config.json").replaceAll("12345", "9007199254740993"));
      const blocks = (9007199254740993n / 512n).toString();
      expect((await t.ok(["run", "--bundle", bundle, t.id])).stdout).toBe(`${blocks}\n`);
      configText(bundle, t.read("bundle/config.json").replaceAll("9007199254740993", "18446744073709551615"));
      expect((await t.ok(["run", "--bundle", bundle, t.newId()])).stdout).toBe("unlimited\n");
      configText(bundle, t.read("bundle/config.json").replaceAll("18446744073709551615", "18446744073709551616"));
      await createRefused(t, bundle, /rlimit/i);
    },
    { except: { crun: "crun 1.8 rounds" } },
  );

  rule(
    "the last of two equal keys counts",
    async (t) => {
      const bundle = t.bundle("hostname");
      configText(
        bundle,
        t.read("bundle/config.json").replace('"hostname": "spec-test"', '"hostname": "first", "hostname": "second"'),
      );
      expect((await t.ok(["run", "--bundle", bundle, t.id])).stdout).toBe("second\n");
    },
    { except: { crun: "crun 1.8 takes the first" } },
  );

  for (const [name, edit] of [
    ["/process/args/1", (config: Config) => config.process.args.splice(1, 0, "a\0b")],
    ["/process/env/0", (config: Config) => config.process.env.unshift("A=\0")],
    [
      "/process/cwd",
      (config: Config) => {
        config.process.cwd = "/tmp\0x";
      },
    ],
    [
      "/hostname",
      (config: Config) => {
        config.hostname = "a\0b";
      },
    ],
    [
      "/root/path",
      (config: Config) => {
        config.root.path = "rootfs\0x";
      },
    ],
    [
      "/mounts/0/destination",
      (config: Config) => {
        (config.mounts[0] as { destination: string }).destination = "/proc\0x";
      },
    ],
    [
      "/mounts/0/source",
      (config: Config) => {
        (config.mounts[0] as { source: string }).source = "proc\0x";
      },
    ],
    [
      "/linux/maskedPaths/0",
      (config: Config) => {
        config.linux.maskedPaths = ["/proc/kcore\0x"];
      },
    ],
    [
      "/linux/cgroupsPath",
      (config: Config) => {
        config.linux.cgroupsPath = "/a\0b";
      },
    ],
    [
      "/hooks/createRuntime/0/path",
      (config: Config) => {
        config.hooks = { createRuntime: [{ path: "/bin/true\0x" }] };
      },
    ],
  ] as const) {
    rule(
      `a NUL in ${name} is refused and named`,
      async (t) => {
        const bundle = t.bundle("true", (config) => {
          edit(config);
        });
        await createRefused(t, bundle, new RegExp(name));
      },
      { only: ["berth"] },
    );
  }
});

suite("bytes that are not UTF-8", (rule) => {
  /** config.json with the text MARK replaced by the byte 0xff. */
  function withByte(t: Sandbox, bundle: string): void {
    const [before = "", ...rest] = t.read("bundle/config.json").split("MARK");
    const parts = [Buffer.from(before)];
    for (const part of rest) parts.push(Buffer.from([0xff]), Buffer.from(part));
    configText(bundle, Buffer.concat(parts));
  }

  rule(
    "in argv and env of config.json reach the program unchanged",
    async (t) => {
      const bundle = t.bundle('printf %s "$X" | od -An -tx1; printf %s "aMARKb" | od -An -tx1', (config) => {
        config.process.env.push("X=yMARKz");
      });
      withByte(t, bundle);
      const { stdout } = await t.ok(["run", "--bundle", bundle, t.id]);
      expect(stdout.trim().split(/\s*\n\s*/)).toEqual(["79 ff 7a", "61 ff 62"]);
    },
    { except: { runc: "runc replaces them", crun: "crun 1.8 refuses them" } },
  );

  rule(
    "in a path of config.json and of the command line name the file that they mean",
    async (t) => {
      const bundle = t.bundle("ls /in", (config) => {
        config.mounts.push({ destination: "/in", type: "bind", source: `${t.dir}/srcMARK`, options: ["bind"] });
      });
      withByte(t, bundle);
      execFileSync("sh", [
        "-c",
        `cd ${t.dir}; n=$(printf 'src\\377'); mkdir "$n"; touch "$n/found"; b=$(printf 'bundle\\377'); mv bundle "$b"`,
      ]);
      const script = `exec ${t.runtime.path} --root ${t.root} run --bundle "$(printf '${t.dir}/bundle\\377')" ${t.id}`;
      const result = await t.runtime.call([], { prefix: ["sh", "-c", script] });
      expect(result).toMatchObject({ code: 0, stdout: "found\n" });
    },
    { except: { runc: "runc replaces them", crun: "crun 1.8 refuses them" } },
  );

  rule("in an id are refused", async (t) => {
    const script = `exec ${t.runtime.path} --root ${t.root} state "$(printf 'a\\377')"`;
    await refused(t, await t.runtime.call([], { prefix: ["sh", "-c", script] }), /id|exist/i);
  });
});

suite("the program", (rule) => {
  const CASES: readonly [title: string, program: string, said: RegExp][] = [
    ["that is not there, by path", "/no/such/program", /\/no\/such\/program.*no such file/i],
    ["that is not there, by name", "no-such-program", /no-such-program.*(not found|no such file)/i],
    ["that is not executable", "/etc/passwd", /\/etc\/passwd.*permission denied/i],
    ["that is a folder", "/etc", /\/etc.*(permission denied|is a directory)/i],
    ["that is empty", "", /args/],
  ];
  for (const [title, program, said] of CASES) {
    rule(
      `${title} is an error of create with its name`,
      async (t) => {
        const bundle = t.bundle("", (config) => {
          config.process.args = [program];
        });
        await createRefused(t, bundle, said);
      },
      { except: OURS },
    );
  }

  rule(
    "that is no executable format is an error of start or run with its name",
    async (t) => {
      const bundle = t.bundle("", (config) => {
        config.process.args = ["/bin/garbage"];
      });
      writeFileSync(join(bundle, "rootfs/bin/garbage"), "\u0000garbage", { mode: 0o755 });
      await refused(
        t,
        await t.call(["run", "--bundle", bundle, t.id]),
        /garbage.*(exec format|ENOEXEC)|exec format.*garbage/i,
      );
    },
    { except: OURS },
  );

  rule(
    "a cwd that is missing is made, one that is a file is an error with its name",
    async (t) => {
      expect(
        await t.sh("pwd; stat -c %a .", (config) => {
          config.process.cwd = "/made/here";
        }),
      ).toBe("/made/here\n755\n");
      const bundle = t.bundle("true", (config) => {
        config.process.cwd = "/etc/passwd";
      });
      await createRefused(t, bundle, /\/etc\/passwd/);
    },
    { except: OURS },
  );

  rule("a cwd through /proc/self/fd cannot lead out of the container", async (t) => {
    for (let fd = 3; fd < 14; fd++) {
      const bundle = t.bundle("pwd; ls -d /proc/self/cwd/../../home/* 2>/dev/null | head -n 1", (config) => {
        config.process.cwd = `/proc/self/fd/${fd}`;
      });
      const result = await t.call(["run", "--bundle", bundle, t.newId()]);
      if (result.code === 0) expect(result.stdout).toMatch(/^\//);
    }
    expect(await t.left()).toEqual([]);
  });
});

suite("the root file system", (rule) => {
  rule("that is missing is named", async (t) => {
    const bundle = t.bundle("true", (config) => {
      config.root.path = "no-rootfs";
    });
    await createRefused(t, bundle, /no-rootfs/);
  });

  rule(
    "that is a symlink, or has one on its way, is refused and named",
    async (t) => {
      const bundle = t.bundle("true");
      renameSync(join(bundle, "rootfs"), join(bundle, "real"));
      symlinkSync("real", join(bundle, "rootfs"));
      await createRefused(t, bundle, /rootfs/);
    },
    { except: { crun: "crun 1.8 follows it" } },
  );

  rule("that is a file is named", async (t) => {
    const bundle = t.bundle("true");
    rmSync(join(bundle, "rootfs"), { recursive: true });
    writeFileSync(join(bundle, "rootfs"), "");
    await createRefused(t, bundle, /rootfs/);
  });

  for (const [title, make] of [
    ["a FIFO", (path: string) => void execFileSync("mkfifo", [path])],
    ["a symlink to /dev/zero", (path: string) => symlinkSync("/dev/zero", path)],
    ["a symlink to itself", (path: string) => symlinkSync("passwd", path)],
    ["a folder", (path: string) => void mkdirSync(path)],
    [
      "a line of 1 GiB",
      (path: string) => {
        writeFileSync(path, "");
        truncateSync(path, 1 << 30);
      },
    ],
    ["missing", () => {}],
  ] as const) {
    rule(
      `whose /etc/passwd is ${title}: an answer within a second`,
      async (t) => {
        const bundle = t.bundle('echo "HOME $HOME"');
        const passwd = join(bundle, "rootfs/etc/passwd");
        rmSync(passwd);
        make(passwd);
        const result = await t.call(["run", "--bundle", bundle, t.id], { timeout: 2 * WITHIN });
        expect(result.timedOut).toBe(false);
        expect(result.ms).toBeLessThan(WITHIN);
        if (result.code === 0) expect(result.stdout).toBe("HOME /\n");
        expect(await t.left()).toEqual([]);
      },
      { except: { runc: "runc 1.1 hangs", crun: "crun 1.8 hangs" } },
    );
  }
});

suite("the machine", (rule) => {
  rule(
    "a full disk under the state root is an error with the path, and nothing is left",
    async (t) => {
      mkdirSync(t.root);
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k,nr_inodes=64", "tmpfs", t.root]);
      t.later(() => void execFileSync("umount", [t.root]));
      try {
        writeFileSync(join(t.root, "filler"), Buffer.alloc(1 << 17));
      } catch {
        // It is full now.
      }
      const result = await t.call(["create", "--bundle", t.bundle("true"), t.id]);
      expect(result.code).not.toBe(0);
      expect(result.stderr).toMatch(/no space/i);
      expect((await t.left()).filter((line) => !/filler|mount /.test(line))).toEqual([]);
    },
    { except: { crun: "crun 1.8 leaves its folder" } },
  );

  rule("a pid file that cannot be written is an error with the path, and nothing is left", async (t) => {
    const bundle = t.bundle("true");
    const result = await t.call(["create", "--pid-file", t.path("no/such/pid"), "--bundle", bundle, t.id]);
    await refused(t, result, /no\/such\/pid|no such file/i);
  });

  rule(
    "a pid file that is a folder is an error with the path, and nothing is left",
    async (t) => {
      const bundle = t.bundle("true");
      mkdirSync(t.path("pids/pid"), { recursive: true });
      const result = await t.call(["create", "--pid-file", t.path("pids/pid"), "--bundle", bundle, t.id]);
      await refused(t, result, /pids\/pid/i);
      expect(readdirSync(t.path("pids"))).toEqual(["pid"]);
    },
    { except: { runc: "runc leaves its temporary file" } },
  );

  rule("without permission for the state root it is an error with the path", async (t) => {
    mkdirSync(t.root, { mode: 0o700 });
    const result = await t.call(["create", "--bundle", t.bundle("true"), t.id], {
      prefix: ["setpriv", "--reuid", "1000", "--regid", "1000", "--clear-groups"],
    });
    await refused(t, result, /permission denied|not permitted/i);
  });

  rule("a state root that is a file is an error with the path", async (t) => {
    const file = t.write("file", "");
    const result = await t.runtime.call(["--root", file, "create", "--bundle", t.bundle("true"), t.id]);
    await refused(t, result, /file/);
  });

  rule(
    "a broken state file is an error with its path, and delete --force removes it",
    async (t) => {
      const id = await t.create("sleep 1000");
      const { pid } = await t.state();
      process.kill(pid, "SIGKILL");
      writeFileSync(join(t.root, id, "state.json"), "garbage\n");
      await t.fails(["state", id]);
      await t.ok(["delete", "--force", id]);
      expect((await t.left()).filter((line) => !line.startsWith("cgroup"))).toEqual([]);
      removeOwnCgroups(id);
    },
    { except: { runc: "runc 1.1 does not", crun: "it has another file" } },
  );
});
