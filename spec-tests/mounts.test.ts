// mounts of config.json: file systems, bind mounts, every kind of option, what is made and what is refused.

import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { expect } from "vitest";
import type { Config, Mount } from "./support/config.ts";
import { withUserNamespace } from "./support/config.ts";
import { mkdirSync, mknodAt, readFileSync, statSync, symlinkSync, writeFileSync } from "./support/files.ts";
import { type Sandbox, sleep, until } from "./support/sandbox.ts";
import { suite } from "./support/suite.ts";

/** The options of the top mount at a path, as /proc/mounts prints them. */
const OPTIONS = "awk '$2 == P { o = $4 } END { print o }' P=";

function tmpfs(destination: string, ...options: string[]): Mount {
  return { destination, type: "tmpfs", source: "tmpfs", options };
}

function bind(source: string, destination: string, ...options: string[]): Mount {
  return { destination, type: "bind", source, options: ["bind", ...options] };
}

const with_ =
  (...mounts: Mount[]) =>
  (config: Config): void => {
    config.mounts.push(...mounts);
  };

/** Runs the script with the mounts added. */
function look(t: Sandbox, script: string, ...mounts: Mount[]): Promise<string> {
  return t.sh(script, with_(...mounts));
}

/** The words of /proc/mounts for /m, a tmpfs with these options. */
async function flags(t: Sandbox, mount: Mount): Promise<string[]> {
  return (await look(t, `${OPTIONS}${mount.destination} /proc/mounts`, mount)).trim().split(",");
}

const NEW_ONLY = { runc: "runc 1.1 does not know it", crun: "crun 1.8 does not know it" };

suite("mount options", (rule) => {
  const FLAGS: readonly [options: string[], present: string[], absent: string[]][] = [
    [["ro"], ["ro"], ["rw"]],
    [["rw"], ["rw"], ["ro"]],
    [["ro", "rw"], ["rw"], ["ro"]],
    [["nosuid", "nodev", "noexec"], ["nosuid", "nodev", "noexec"], []],
    [["nosuid", "suid", "nodev", "dev", "noexec", "exec"], ["rw"], ["nosuid", "nodev", "noexec"]],
    [["noatime"], ["noatime"], ["relatime"]],
    [["relatime"], ["relatime"], ["noatime"]],
    [["strictatime"], ["rw"], ["relatime", "noatime"]],
    [["nodiratime"], ["nodiratime"], []],
    [["sync"], ["sync"], []],
    [["dirsync"], ["dirsync"], []],
    [["defaults"], ["rw", "relatime"], ["ro"]],
    [["mode=750", "size=1m", "uid=7", "gid=8"], ["mode=750", "size=1024k", "uid=7", "gid=8"], []],
    [["nr_inodes=77"], ["nr_inodes=77"], []],
  ];
  for (const [options, present, absent] of FLAGS) {
    const except = {
      ...(options.includes("defaults") ? { runc: "runc 1.1 hands it to the file system" } : {}),
      ...(options.includes("rw") || options.includes("suid") ? { crun: "crun 1.8 keeps the first one" } : {}),
    };
    const body = async (t: Sandbox) => {
      const found = await flags(t, tmpfs("/m", ...options));
      expect(found).toEqual(expect.arrayContaining(present));
      for (const word of absent) expect(found).not.toContain(word);
    };
    rule(`tmpfs with ${options.join(",")}`, body, { except });
  }

  rule(
    "nosymfollow",
    async (t) => {
      expect(await flags(t, tmpfs("/m", "nosymfollow"))).toContain("nosymfollow");
    },
    { except: NEW_ONLY },
  );

  rule(
    "lazytime and iversion are taken where the file system can",
    async (t) => {
      expect(await flags(t, tmpfs("/m", "lazytime"))).toContain("lazytime");
    },
    { except: NEW_ONLY },
  );

  rule(
    "an unknown option is the file system's error, with its own words",
    async (t) => {
      const bundle = t.bundle("true", with_(tmpfs("/m", "nosuchoption=1")));
      const result = await t.fails(["run", "--bundle", bundle, t.id]);
      expect(result.stderr).toMatch(/mounts\/6|\/m/);
      expect(result.stderr).toMatch(/nosuchoption|invalid argument/i);
      expect(await t.left()).toEqual([]);
    },
    { except: { crun: "crun 1.8 says less" } },
  );

  rule(
    "a tmpfs has the mode of the folder that it covers when it gives none",
    async (t) => {
      const bundle = t.bundle("stat -c %a /m /n", with_(tmpfs("/m"), tmpfs("/n", "mode=711")));
      mkdirSync(`${bundle}/rootfs/m`, { mode: 0o700 });
      expect((await t.ok(["run", "--bundle", bundle, t.id])).stdout).toBe("700\n711\n");
    },
    { except: { crun: "crun 1.8 has its own default" } },
  );
});

suite("bind mounts", (rule) => {
  rule("a folder: what is inside, and writes reach it", async (t) => {
    mkdirSync(t.path("src"));
    t.write("src/in", "hello\n");
    expect(await look(t, "cat /a/b/in; echo out > /a/b/out", bind(t.path("src"), "/a/b"))).toBe("hello\n");
    expect(t.read("src/out")).toBe("out\n");
  });

  rule("a file: the target is made, parents are 0755", async (t) => {
    const file = t.write("file", "one\n");
    expect(await look(t, "cat /x/y/file; echo two > /x/y/file; stat -c %a /x /x/y", bind(file, "/x/y/file"))).toBe(
      "one\n755\n755\n",
    );
    expect(t.read("file")).toBe("two\n");
  });

  rule("a socket, a device and a FIFO", async (t) => {
    execFileSync("mkfifo", [t.path("fifo")]);
    mknodAt(t.path("zero"), 1, 5);
    const out = await look(t, "stat -c %F /fifo /zero", bind(t.path("fifo"), "/fifo"), bind(t.path("zero"), "/zero"));
    expect(out).toBe("fifo\ncharacter special file\n");
  });

  rule("a source relative to the bundle", async (t) => {
    t.bundle("unused");
    mkdirSync(t.path("bundle/data"));
    t.write("bundle/data/f", "relative\n");
    expect(await look(t, "cat /d/f", bind("data", "/d"))).toBe("relative\n");
  });

  rule("ro, nosuid, nodev, noexec and noatime are the bind mount's own", async (t) => {
    mkdirSync(t.path("src"));
    const words = await flags(t, bind(t.path("src"), "/m", "ro", "nosuid", "nodev", "noexec", "noatime"));
    expect(words.slice(0, 5)).toEqual(["ro", "nosuid", "nodev", "noexec", "noatime"]);
    writeFileSync(t.path("src/still-writable"), "");
  });

  rule("has the flags of its source when config.json names none, and else just those that it names", async (t) => {
    mkdirSync(t.path("src"));
    execFileSync("mount", ["-t", "tmpfs", "-o", "nosuid,nodev,noexec", "tmpfs", t.path("src")]);
    t.later(() => void execFileSync("umount", [t.path("src")]));
    expect((await flags(t, bind(t.path("src"), "/m", "ro"))).slice(0, 2)).toEqual(["ro", "relatime"]);
    expect((await flags(t, bind(t.path("src"), "/m"))).slice(0, 4)).toEqual(["rw", "nosuid", "nodev", "noexec"]);
  });

  rule("bind leaves the mounts below behind, rbind takes them along", async (t) => {
    mkdirSync(t.path("src/sub"), { recursive: true });
    execFileSync("mount", ["-t", "tmpfs", "tmpfs", t.path("src/sub")]);
    t.later(() => void execFileSync("umount", [t.path("src/sub")]));
    t.write("src/sub/below", "");
    expect(await look(t, "ls /m/sub", bind(t.path("src"), "/m"))).toBe("");
    expect(
      await look(t, "ls /m/sub", { destination: "/m", type: "none", source: t.path("src"), options: ["rbind"] }),
    ).toBe("below\n");
  });

  rule("ro is for the top mount, rro for all of them", async (t) => {
    mkdirSync(t.path("src/sub"), { recursive: true });
    execFileSync("mount", ["-t", "tmpfs", "tmpfs", t.path("src/sub")]);
    t.later(() => void execFileSync("umount", [t.path("src/sub")]));
    const script = "touch /m/x 2>/dev/null && echo top; touch /m/sub/x 2>/dev/null && echo below; true";
    const rbind = (...options: string[]) => ({
      destination: "/m",
      type: "none",
      source: t.path("src"),
      options: ["rbind", ...options],
    });
    expect(await look(t, script, rbind("ro"))).toBe("below\n");
    expect(await look(t, script, rbind("rro"))).toBe("");
  });

  const RECURSIVE: readonly [string, string][] = [
    ["rnosuid", "nosuid"],
    ["rnodev", "nodev"],
    ["rnoexec", "noexec"],
    ["rnoatime", "noatime"],
    ["rnodiratime", "nodiratime"],
  ];
  for (const [option, word] of RECURSIVE) {
    rule(`${option} reaches the mounts below`, async (t) => {
      mkdirSync(t.path("src/sub"), { recursive: true });
      execFileSync("mount", ["-t", "tmpfs", "tmpfs", t.path("src/sub")]);
      t.later(() => void execFileSync("umount", [t.path("src/sub")]));
      const out = await look(t, `${OPTIONS}/m/sub /proc/mounts`, {
        destination: "/m",
        type: "none",
        source: t.path("src"),
        options: ["rbind", option],
      });
      expect(out.trim().split(",")).toContain(word);
    });
  }

  rule("rrw, rsuid, rdev, rexec and ratime take the flags away below", async (t) => {
    mkdirSync(t.path("src/sub"), { recursive: true });
    execFileSync("mount", ["-t", "tmpfs", "-o", "ro,nosuid,nodev,noexec,noatime", "tmpfs", t.path("src/sub")]);
    t.later(() => void execFileSync("umount", [t.path("src/sub")]));
    const out = await look(t, `${OPTIONS}/m/sub /proc/mounts`, {
      destination: "/m",
      type: "none",
      source: t.path("src"),
      options: ["rbind", "rsuid", "rdev", "rexec", "ratime", "rrelatime"],
    });
    const words = out.trim().split(",");
    for (const word of ["nosuid", "nodev", "noexec", "noatime"]) expect(words).not.toContain(word);
  });

  rule("a missing source is an error that names it and the field", async (t) => {
    const bundle = t.bundle("true", with_(bind("/no/such/source", "/m")));
    const result = await t.fails(["run", "--bundle", bundle, t.id]);
    expect(result.stderr).toContain("/no/such/source");
    expect(result.stderr).toMatch(/no such file/i);
    expect(await t.left()).toEqual([]);
  });

  rule(
    "a destination that leads through links stays inside the root file system",
    async (t) => {
      mkdirSync(t.path("src"));
      t.write("src/f", "inside\n");
      const bundle = t.bundle(
        "cat /escape/made/f; ls -l / | grep -c escape",
        with_(bind(t.path("src"), "/escape/made")),
      );
      symlinkSync(`/../../../../../..${t.path("outside")}`, `${bundle}/rootfs/escape`);
      const result = await t.ok(["run", "--bundle", bundle, t.id]);
      expect(result.stdout).toContain("inside\n");
      expect(t.exists("outside")).toBe(false);
      expect(t.exists(`bundle/rootfs${t.path("outside")}/made`)).toBe(true);
    },
    { except: { crun: "crun 1.8 fails" } },
  );

  rule("a destination with .. stays inside the root file system", async (t) => {
    const out = await look(t, "touch /m/x && echo ok", tmpfs("/../../../m"));
    expect(out).toBe("ok\n");
  });
});

suite("propagation", (rule) => {
  for (const [option, expected] of [
    ["shared", /shared:\d+/],
    ["rshared", /shared:\d+/],
    ["slave", /^$/],
    ["rslave", /^$/],
    ["private", /^$/],
    ["rprivate", /^$/],
    ["unbindable", /unbindable/],
    ["runbindable", /unbindable/],
  ] as const) {
    rule(
      `${option} of a mount`,
      async (t) => {
        const script = 'awk \'$5 == "/m" { for (i = 7; $i != "-"; i++) printf "%s ", $i }\' /proc/self/mountinfo';
        expect((await look(t, script, tmpfs("/m", option))).trim()).toMatch(expected);
      },
      { except: { crun: "crun 1.8 does nothing for a tmpfs" } },
    );
  }

  const ROOT =
    'awk \'$5 == "/" { s = ""; for (i = 7; $i != "-"; i++) s = s $i " " } END { print s }\' /proc/self/mountinfo';
  for (const [value, expected] of [
    ["private", /^\s*$/],
    ["rprivate", /^\s*$/],
    ["slave", /^(master:\d+)?\s*$/],
    ["rslave", /^(master:\d+)?\s*$/],
    ["shared", /shared:\d+/],
    ["rshared", /shared:\d+/],
    ["unbindable", /unbindable/],
  ] as const) {
    rule(`rootfsPropagation ${value}`, async (t) => {
      const out = await t.sh(ROOT, (config) => {
        config.linux.rootfsPropagation = value;
      });
      expect(out.trim()).toMatch(expected);
    });
  }

  rule("rslave mounts of the host appear in a running container, and none of its own outside", async (t) => {
    mkdirSync(t.path("src/sub"), { recursive: true });
    execFileSync("mount", ["--bind", t.path("src"), t.path("src")]);
    execFileSync("mount", ["--make-shared", t.path("src")]);
    t.later(() => void execFileSync("umount", ["-R", t.path("src")]));
    const id = await t.create("while [ ! -e /m/sub/late ]; do sleep 0.02; done; touch /seen; sleep 1000", (config) => {
      config.linux.rootfsPropagation = "rslave";
      config.mounts.push({ destination: "/m", type: "bind", source: t.path("src"), options: ["rbind", "rslave"] });
    });
    await t.ok(["start", id]);
    execFileSync("mount", ["-t", "tmpfs", "tmpfs", t.path("src/sub")]);
    t.write("src/sub/late", "");
    await until("the container sees the new mount", () => t.exists("bundle/rootfs/seen"));
    await t.ok(["delete", "--force", id]);
  });

  rule("by default nothing that the container mounts reaches the host, nor the other way round", async (t) => {
    mkdirSync(t.path("src/sub"), { recursive: true });
    execFileSync("mount", ["--bind", t.path("src"), t.path("src")]);
    execFileSync("mount", ["--make-shared", t.path("src")]);
    t.later(() => void execFileSync("umount", ["-R", t.path("src")]));
    const id = await t.create("mount -t tmpfs none /m/sub && touch /mounted; sleep 1000", (config) => {
      config.mounts.push(bind(t.path("src"), "/m"));
      const all = ["CAP_SYS_ADMIN"];
      config.process.capabilities = { bounding: all, effective: all, permitted: all };
    });
    await t.ok(["start", id]);
    await until("it has mounted", () => t.exists("bundle/rootfs/mounted"));
    expect(readFileSync("/proc/self/mountinfo", "utf8")).not.toContain(t.path("src/sub"));
    await t.ok(["delete", "--force", id]);
  });
});

suite("file systems", (rule) => {
  rule("proc, sysfs, tmpfs, devpts, mqueue", async (t) => {
    const out = await t.sh("awk '{ print $2, $3 }' /proc/mounts");
    for (const line of [
      "/proc proc",
      "/sys sysfs",
      "/dev tmpfs",
      "/dev/pts devpts",
      "/dev/shm tmpfs",
      "/dev/mqueue mqueue",
    ]) {
      expect(out.split("\n")).toContain(line);
    }
  });

  rule("a read-only /dev has its devices and links all the same", async (t) => {
    const out = await t.sh(
      "echo x > /dev/null && head -c 3 /dev/zero | wc -c; touch /dev/x 2>&1; readlink /dev/fd; readlink /dev/ptmx",
      (config) => {
        for (const mount of config.mounts) if (mount.destination === "/dev") mount.options?.push("ro");
      },
    );
    expect(out).toBe("3\ntouch: /dev/x: Read-only file system\n/proc/self/fd\npts/ptmx\n");
  });

  rule("a /dev that is bound from the host gets no devices of ours", async (t) => {
    mkdirSync(t.path("dev"));
    t.write("dev/mine", "");
    mknodAt(t.path("dev/null"), 1, 3);
    const out = await t.sh("ls /dev", (config) => {
      config.mounts = config.mounts.filter((mount) => !mount.destination.startsWith("/dev"));
      config.mounts.push(bind(t.path("dev"), "/dev", "rw"));
    });
    expect(out.split("\n").filter((name) => name !== "")).toContain("mine");
    expect(out).not.toContain("zero");
  });

  rule("tmpcopyup fills a tmpfs with what the image has there: modes, owners, links", async (t) => {
    const bundle = t.bundle(
      "cd /data; stat -c '%n %a %u %g %F' * sub/*; cat f; readlink l; touch new && echo writable",
      with_(tmpfs("/data", "tmpcopyup", "mode=755")),
    );
    const data = `${bundle}/rootfs/data`;
    mkdirSync(`${data}/sub`, { recursive: true });
    writeFileSync(`${data}/f`, "content\n", { mode: 0o644 });
    writeFileSync(`${data}/sub/g`, "deep\n");
    symlinkSync("/nowhere", `${data}/l`);
    execFileSync("chown", ["12:34", `${data}/f`]);
    execFileSync("chmod", ["4711", `${data}/sub/g`]);
    const { stdout } = await t.ok(["run", "--bundle", bundle, t.id]);
    expect(stdout).toBe(
      "f 644 12 34 regular file\nl 777 0 0 symbolic link\nsub 755 0 0 directory\nsub/g 4711 0 0 regular file\ncontent\n/nowhere\nwritable\n",
    );
    expect(t.exists("bundle/rootfs/data/new")).toBe(false);
  });

  rule(
    "tmpcopyup does not hang at a FIFO in the image",
    async (t) => {
      const bundle = t.bundle("stat -c %F /data/p", with_(tmpfs("/data", "tmpcopyup")));
      mkdirSync(`${bundle}/rootfs/data`);
      execFileSync("mkfifo", [`${bundle}/rootfs/data/p`]);
      const result = await t.ok(["run", "--bundle", bundle, t.id], { timeout: 5000 });
      expect(result.stdout).toBe("fifo\n");
    },
    { except: { runc: "runc 1.1 hangs", crun: "crun 1.8 hangs" } },
  );

  rule("a cgroup mount shows the container's own cgroup, read-only", async (t) => {
    const out = await t.sh(
      "grep cgroup /proc/mounts; p=$(find /sys/fs/cgroup/ -name cgroup.procs | head -n 1); cat $p; mkdir $(dirname $p)/x 2>&1 || true",
      (config) => {
        config.mounts.push({
          destination: "/sys/fs/cgroup",
          type: "cgroup",
          source: "cgroup",
          options: ["nosuid", "noexec", "nodev", "relatime", "ro"],
        });
      },
    );
    expect(out).toMatch(/ \/sys\/fs\/cgroup(\/\w+)? cgroup2? ro,nosuid,nodev,noexec,relatime/);
    expect(out).toMatch(/Read-only file system/);
    expect(out).toMatch(/^1$/m);
  });

  rule("the program can move processes within its cgroup when the mount is writable", async (t) => {
    const out = await t.sh(
      'd=$(find /sys/fs/cgroup -maxdepth 1 -name "pids" -o -maxdepth 1 -name cgroup.procs | head -n 1); [ -d $d ] || d=/sys/fs/cgroup; mkdir $d/inner && echo 0 > $d/inner/cgroup.procs && grep -c inner /proc/self/cgroup; echo 0 > $d/cgroup.procs; rmdir $d/inner && echo done',
      (config) => {
        config.mounts = config.mounts.map((mount) =>
          mount.destination === "/sys" ? { ...mount, options: ["nosuid", "noexec", "nodev"] } : mount,
        );
        config.mounts.push({
          destination: "/sys/fs/cgroup",
          type: "cgroup",
          source: "cgroup",
          options: ["nosuid", "noexec", "nodev", "rw"],
        });
      },
    );
    expect(out).toMatch(/done/);
  });

  rule("proc with hidepid and subset", async (t) => {
    const out = await t.sh(`${OPTIONS}/proc /proc/mounts; ls -d /proc/meminfo 2>/dev/null; true`, (config) => {
      for (const mount of config.mounts) if (mount.destination === "/proc") mount.options = ["hidepid=2"];
      config.linux.maskedPaths = [];
      config.linux.readonlyPaths = [];
    });
    expect(out).toMatch(/hidepid=(2|invisible)/);
  });

  rule(
    "nothing may be mounted over /proc or what is in it, except the listed files",
    async (t) => {
      mkdirSync(t.path("src"));
      const file = t.write("file", "mine\n");
      for (const mount of [
        bind(t.path("src"), "/proc"),
        bind(t.path("src"), "/proc/sys"),
        tmpfs("/proc/x"),
        bind(file, "/proc/version"),
        bind(t.path("src"), "/./proc"),
      ]) {
        const bundle = t.bundle("true", with_(mount));
        const result = await t.fails(["run", "--bundle", bundle, t.newId()]);
        expect(result.stderr).toMatch(/\/proc|\/mounts\/6/);
      }
      expect(await t.left()).toEqual([]);
      expect(await look(t, "cat /proc/cpuinfo", bind(file, "/proc/cpuinfo"))).toBe("mine\n");
    },
    { except: { crun: "crun 1.8 is weaker here" } },
  );

  rule("nothing may be mounted at / and a sysfs only where it is a folder", async (t) => {
    const bundle = t.bundle("true", with_(tmpfs("/")));
    await t.call(["run", "--bundle", bundle, t.newId()]);
    expect(await t.left()).toEqual([]);
  });

  for (const where of ["/proc", "/sys", "/dev"]) {
    rule(
      `a destination ${where} that is a symlink in the image is refused, for the host's own, too`,
      async (t) => {
        for (const host of [false, true]) {
          const bundle = t.bundle("true", (config) => {
            // Nothing below it, which could be what is refused.
            config.mounts = config.mounts.filter(({ destination }) => destination === where);
            if (host) config.mounts = [{ destination: where, type: "bind", source: where, options: ["rbind"] }];
            config.linux.maskedPaths = [];
            config.linux.readonlyPaths = [];
          });
          rmSync(`${bundle}/rootfs${where}`, { recursive: true, force: true });
          mkdirSync(`${bundle}/rootfs/elsewhere`, { recursive: true });
          symlinkSync("/elsewhere", `${bundle}/rootfs${where}`);
          await t.fails(["run", "--bundle", bundle, t.newId()]);
        }
        expect(await t.left()).toEqual([]);
      },
      { except: { crun: "crun 1.8 follows it", runc: "runc 1.1 follows some of them inside the root" } },
    );
  }

  rule(
    "nothing is mounted where a symlink of the image leads into procfs",
    async (t) => {
      mkdirSync(t.path("src"));
      for (const [link, destination] of [
        ["/proc", "/volume"],
        ["/proc/sys", "/volume/kernel"],
        ["/proc/self/attr", "/volume"],
      ] as const) {
        for (const mount of [tmpfs(destination), bind(t.path("src"), destination)]) {
          const bundle = t.bundle("true", with_(mount));
          symlinkSync(link, `${bundle}/rootfs/volume`);
          const { stderr } = await t.fails(["run", "--bundle", bundle, t.newId()]);
          expect(stderr).toMatch(/proc|must not be covered/);
          rmSync(`${bundle}/rootfs/volume`);
        }
      }
      expect(await t.left()).toEqual([]);
    },
    { except: { crun: "crun 1.8 mounts it", runc: "runc 1.1 mounts a tmpfs there" } },
  );

  rule("all of it works in a user namespace too", async (t) => {
    mkdirSync(t.path("src"), { mode: 0o777 });
    execFileSync("chmod", ["777", t.path("src")]);
    const bundle = t.bundle(`touch /m/x; ${OPTIONS}/m /proc/mounts; touch /t/y && echo ok`, (config) => {
      withUserNamespace(config);
      config.mounts.push(bind(t.path("src"), "/m", "nosuid"), tmpfs("/t"));
    });
    execFileSync("chown", ["-R", "100000:100000", `${bundle}/rootfs`]);
    const { stdout } = await t.ok(["run", "--bundle", bundle, t.id]);
    expect(stdout).toMatch(/nosuid.*\nok\n/);
    expect(statSync(t.path("src/x")).uid).toBe(100000);
  });
});

suite("root file system", (rule) => {
  rule("root.readonly makes / read-only and leaves the mounts in it", async (t) => {
    const out = await t.sh(
      "touch /x 2>&1; touch /tmp2/x 2>&1 && echo ok; grep -c ' / .* ro,' /proc/mounts",
      (config) => {
        config.root.readonly = true;
        config.mounts.push(tmpfs("/tmp2"));
      },
    );
    expect(out).toBe("touch: /x: Read-only file system\nok\n1\n");
  });

  rule("only its own root is mounted inside: nothing of the host's tree remains", async (t) => {
    const out = await t.sh("awk '{ print $5 }' /proc/self/mountinfo | sort; ls -a / | sort");
    expect(out).not.toContain(t.dir);
    expect(out.split("\n")[0]).toBe("/");
    await sleep(0);
  });

  rule("an absolute root.path outside the bundle", async (t) => {
    const other = t.bundle("unused", undefined, "other");
    writeFileSync(`${other}/rootfs/marker`, "here\n");
    const out = await t.sh("cat /marker", (config) => {
      config.root.path = `${other}/rootfs`;
    });
    expect(out).toBe("here\n");
  });

  rule("linux.devices: nodes with type, numbers, mode and owner", async (t) => {
    const out = await t.sh("stat -c '%n %F %t %T %a %u %g' /dev/mine /dev/blk /dev/deep/fifo", (config) => {
      config.linux.devices = [
        { path: "/dev/mine", type: "c", major: 1, minor: 7, fileMode: 0o640, uid: 3, gid: 4 },
        { path: "/dev/blk", type: "b", major: 7, minor: 200, fileMode: 0o600 },
        { path: "/dev/deep/fifo", type: "p", fileMode: 0o622, uid: 1000, gid: 1000 },
      ];
    });
    expect(out).toBe(
      "/dev/mine character special file 1 7 640 3 4\n/dev/blk block special file 7 c8 600 0 0\n/dev/deep/fifo fifo 0 0 622 1000 1000\n",
    );
  });

  rule("device rules: what is not allowed cannot be opened, the defaults can", async (t) => {
    const out = await t.sh(
      "head -c 1 /dev/zero | wc -c; head -c 1 /dev/fuse 2>&1; head -c 1 /dev/mine | wc -c",
      (config) => {
        config.linux.devices = [
          { path: "/dev/fuse", type: "c", major: 10, minor: 229, fileMode: 0o666 },
          { path: "/dev/mine", type: "c", major: 1, minor: 5, fileMode: 0o666 },
        ];
      },
    );
    expect(out).toBe("1\nhead: /dev/fuse: Operation not permitted\n1\n");
  });

  rule("device rules: one that is allowed can be opened, in the given way only", async (t) => {
    const out = await t.sh(
      "(: < /dev/kmsg2) 2>/dev/null && echo read; (: > /dev/kmsg2) 2>/dev/null || echo no write",
      (config) => {
        config.linux.devices = [{ path: "/dev/kmsg2", type: "c", major: 1, minor: 11, fileMode: 0o666 }];
        config.linux.resources = {
          devices: [
            { allow: false, access: "rwm" },
            { allow: true, type: "c", major: 1, minor: 11, access: "r" },
          ],
        };
        const caps = ["CAP_SYSLOG"];
        config.process.capabilities = { bounding: caps, effective: caps, permitted: caps };
      },
    );
    expect(out).toBe("read\nno write\n");
  });
});
