// linux.seccomp as a container has it: every action, arguments, architectures, flags; with and without noNewPrivileges; what
// init may still do once its filter is loaded.

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { expect } from "vitest";
import { engineProfiles, resolveProfile } from "../src/seccomp/oracle-support.ts";
import { type Config, withUserNamespace } from "./support/config.ts";
import { reference, runtimes } from "./support/runtime.ts";
import { type Sandbox, until } from "./support/sandbox.ts";
import {
  type Arg,
  allowing,
  HARMLESS,
  HARMLESS_NUMBER,
  helperBundle,
  notifying,
  type Profile,
  type ProfileRule,
  startAgent,
  verdicts,
} from "./support/seccomp.ts";
import { suite } from "./support/suite.ts";

const GETPPID = 110;
const EVERY_ARCH = ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"];
const runc = reference();
const NO_RUNC = runc === undefined && "runc is not installed";
const NO_STRACE = spawnSync("strace", ["--version"]).status !== 0 && "strace is not there";

const harmless = (action: string, more: Partial<ProfileRule> = {}): ProfileRule => ({
  names: [HARMLESS],
  action,
  ...more,
});
const withPrivileges = (config: Config): void => {
  config.process.noNewPrivileges = false;
};
const asUser = (config: Config): void => {
  config.process.user = { uid: 1000, gid: 1000 };
};
const catching = (config: Config): void => {
  config.process.env.push("CATCH=1");
};

/** Without privileges to gain and with, as root and as a user, in a user namespace: who loads the filter, and when. */
const WAYS: readonly [string, (config: Config) => void][] = [
  ["with noNewPrivileges", () => {}],
  ["without noNewPrivileges", withPrivileges],
  [
    "without noNewPrivileges, as a user",
    (config) => {
      withPrivileges(config);
      asUser(config);
    },
  ],
  [
    "without noNewPrivileges, in a user namespace",
    (config) => {
      withPrivileges(config);
      withUserNamespace(config);
    },
  ],
];

/** The default profiles of engines for the test's container; empty where they cannot be had. */
const PROFILES: readonly [string, Profile][] = [...engineProfiles()].map(([name, profile]) => [
  name,
  resolveProfile(profile, "SCMP_ARCH_X86_64", ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]) as Profile,
]);

suite("a seccomp profile", (rule) => {
  const call = `${HARMLESS_NUMBER},1`;
  const ACTIONS: readonly [title: string, rule: ProfileRule, expected: string, edit?: (config: Config) => void][] = [
    ["ERRNO is EPERM", harmless("SCMP_ACT_ERRNO"), "errno 1"],
    ["ERRNO has the given number", harmless("SCMP_ACT_ERRNO", { errnoRet: 77 }), "errno 77"],
    ["ERRNO 0 does nothing and says so", harmless("SCMP_ACT_ERRNO", { errnoRet: 0 }), "ok 0"],
    ["KILL ends it by SIGSYS", harmless("SCMP_ACT_KILL"), "signal 31"],
    ["KILL_PROCESS ends it by SIGSYS", harmless("SCMP_ACT_KILL_PROCESS"), "signal 31"],
    ["TRAP is a SIGSYS", harmless("SCMP_ACT_TRAP"), "signal 31"],
    ["TRAP tells the handler which call it was", harmless("SCMP_ACT_TRAP"), `trap ${HARMLESS_NUMBER} 0`, catching],
    ["TRACE without a tracer is ENOSYS", harmless("SCMP_ACT_TRACE"), "errno 38"],
    ["LOG lets it pass", harmless("SCMP_ACT_LOG"), "ok 99"],
    ["ALLOW lets it pass", harmless("SCMP_ACT_ALLOW"), "ok 99"],
  ];
  for (const [title, of, expected, edit] of ACTIONS) {
    rule(title, async (t) => expect(await verdicts(t, allowing(of), [call], edit)).toEqual([expected]));
  }

  for (const [title, edit] of WAYS) {
    rule(`is in force ${title}`, async (t) => {
      const profile = allowing(harmless("SCMP_ACT_ERRNO", { errnoRet: 77 }));
      expect(await verdicts(t, profile, [call, "39"], edit)).toEqual(["errno 77", expect.stringMatching(/^ok \d+$/)]);
    });
  }

  rule("is one filter, and noNewPrivileges is as config.json says", async (t) => {
    const status = "grep -E '^(NoNewPrivs|Seccomp|Seccomp_filters):' /proc/self/status | tr -d '\\t'";
    for (const value of [true, false]) {
      const shown = await t.sh(status, (config) => {
        config.process.noNewPrivileges = value;
        config.linux.seccomp = allowing(harmless("SCMP_ACT_ERRNO"));
      });
      expect(shown).toBe(`NoNewPrivs:${value ? 1 : 0}\nSeccomp:2\nSeccomp_filters:1\n`);
    }
  });

  rule("the exit code of a program that it kills is 159", async (t) => {
    const bundle = t.bundle("exec mkdir /x", (config) => {
      config.linux.seccomp = allowing({ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_KILL_PROCESS" });
    });
    const result = await t.call(["run", "--bundle", bundle, t.id]);
    expect(result.code).toBe(159);
  });

  rule("KILL ends the thread, KILL_PROCESS all of the process", async (t) => {
    const ends = async (action: string) => verdicts(t, allowing(harmless(action)), [`thread:${call}`]);
    expect(await ends("SCMP_ACT_KILL_THREAD")).toEqual(["process goes on 0"]);
    expect(await ends("SCMP_ACT_KILL")).toEqual(["process goes on 0"]);
    expect(await ends("SCMP_ACT_KILL_PROCESS")).toEqual(["signal 31"]);
  });

  const ARGUMENTS: readonly [title: string, args: Arg[], yes: string[], no: string[]][] = [
    [
      "EQ compares 64 bits",
      [{ index: 0, value: 2n ** 32n + 1n, op: "SCMP_CMP_EQ" }],
      ["0x100000001"],
      ["1", "0x200000001", "0x100000000"],
    ],
    ["NE", [{ index: 0, value: 1, op: "SCMP_CMP_NE" }], ["2", "0x100000001"], ["1"]],
    ["LT", [{ index: 0, value: 2n ** 32n, op: "SCMP_CMP_LT" }], ["0", "0xffffffff"], ["0x100000000", "-1"]],
    ["LE", [{ index: 0, value: 2n ** 32n, op: "SCMP_CMP_LE" }], ["0", "0x100000000"], ["0x100000001", "-1"]],
    ["GE", [{ index: 0, value: 2n ** 32n, op: "SCMP_CMP_GE" }], ["0x100000000", "-1"], ["0xffffffff", "0"]],
    ["GT", [{ index: 0, value: 2n ** 32n, op: "SCMP_CMP_GT" }], ["0x100000001", "-1"], ["0x100000000", "1"]],
    [
      "MASKED_EQ",
      [{ index: 0, value: 2n ** 32n + 4n, valueTwo: 2n ** 32n, op: "SCMP_CMP_MASKED_EQ" }],
      ["0x100000000", "0x500000003"],
      ["0x100000004", "0", "4"],
    ],
    [
      "all of several must hold",
      [
        { index: 1, value: 5, op: "SCMP_CMP_EQ" },
        { index: 5, value: 7, op: "SCMP_CMP_GT" },
      ],
      ["0,5,0,0,0,8"],
      ["0,5,0,0,0,7", "0,4,0,0,0,8"],
    ],
    [
      "two about one argument: one of them must hold",
      [
        { index: 0, value: 3, op: "SCMP_CMP_EQ" },
        { index: 0, value: 4, op: "SCMP_CMP_EQ" },
      ],
      ["3", "4"],
      ["5"],
    ],
  ];
  for (const [title, args, yes, no] of ARGUMENTS) {
    rule(`arguments: ${title}`, async (t) => {
      const profile = allowing(harmless("SCMP_ACT_ERRNO", { errnoRet: 77, args }));
      const calls = [...yes, ...no].map((list) => `${HARMLESS_NUMBER},${list}`);
      const decided = (await verdicts(t, profile, calls)).map((line) => line === "errno 77");
      expect(decided).toEqual([...yes.map(() => true), ...no.map(() => false)]);
    });
  }

  rule("an architecture that it does not name is killed, one that it names has its own numbers", async (t) => {
    const x86 = ["x86:20", "x86:64"]; // getpid, getppid
    const [before] = await verdicts(t, undefined, x86);
    if (before?.startsWith("ok") !== true) return; // a kernel without 32-bit programs
    const of = { names: ["getppid"], action: "SCMP_ACT_ERRNO", errnoRet: 77 };
    expect(await verdicts(t, allowing(of), [...x86, `${GETPPID}`])).toEqual(["signal 31", "signal 31", "errno 77"]);
    const named = { ...allowing(of), architectures: EVERY_ARCH };
    expect(await verdicts(t, named, [...x86, `${GETPPID}`])).toEqual([
      expect.stringMatching(/^ok /),
      "errno 77",
      "errno 77",
    ]);
    const x32 = `0x${(0x40000000 + GETPPID).toString(16)}`;
    expect(await verdicts(t, allowing(of), [x32])).toEqual(["signal 31"]);
    expect(await verdicts(t, named, [x32])).toEqual(["errno 77"]);
  });

  rule(
    "calls newer than all that it names are ENOSYS, older ones get the default",
    async (t) => {
      const program =
        "execve brk arch_prctl set_tid_address set_robust_list rseq prlimit64 mprotect readlink readlinkat";
      const libc =
        "getrandom newfstatat fstat mmap munmap rt_sigaction rt_sigprocmask clone fork wait4 write exit_group";
      const names = `${program} ${libc} capset faccessat2 gettid`.split(" ");
      const profile = { defaultAction: "SCMP_ACT_ERRNO", syscalls: [{ names, action: "SCMP_ACT_ALLOW" }] };
      // faccessat2 is 439.
      expect(await verdicts(t, profile, ["440", "999", "438", "39"])).toEqual([
        "errno 38",
        "errno 38",
        "errno 1",
        "errno 1",
      ]);
    },
    { except: { runc: "needs more calls itself", crun: "crun 1.8 has no such rule" } },
  );

  rule("names that nothing knows are skipped", async (t) => {
    const of = harmless("SCMP_ACT_ERRNO", { names: ["no_such_call", HARMLESS, "neither_this"] });
    expect(await verdicts(t, allowing(of), [call])).toEqual(["errno 1"]);
  });

  rule(
    "names that nothing knows are refused when the annotation of crun says so",
    async (t) => {
      const bundle = t.bundle("true", (config) => {
        config.linux.seccomp = allowing(harmless("SCMP_ACT_ERRNO", { names: ["no_such_call"] }));
        config.annotations = { "run.oci.seccomp_fail_unknown_syscall": "1" };
      });
      const { stderr } = await t.fails(["run", "--bundle", bundle, t.id]);
      expect(stderr).toContain("/linux/seccomp/syscalls/0/names/0");
      expect(await t.left()).toEqual([]);
    },
    { only: ["berth"] },
  );

  for (const [name, profile] of PROFILES) {
    for (const [title, edit] of WAYS) {
      rule(`the default profile of ${name} runs a shell ${title}, and refuses what it should`, async (t) => {
        const put = (config: Config): void => {
          config.linux.seccomp = profile;
          edit(config);
        };
        expect(await t.sh("uname; mkdir /tmp/a && ls -d /tmp/a", put)).toBe("Linux\n/tmp/a\n");
        const kcmp = "312,99999,99999";
        expect(await verdicts(t, undefined, [kcmp], edit)).toEqual(["errno 3"]);
        expect(await verdicts(t, profile, [kcmp], edit)).not.toEqual(["errno 3"]);
      });
    }
  }

  for (const [name, profile] of PROFILES) {
    rule(`startContainer hooks run under the default profile of ${name}`, async (t) => {
      for (const edit of [() => {}, withPrivileges]) {
        const shown = await t.sh("cat /tmp/hook", (config) => {
          const args = ["sh", "-c", "cat >/dev/null; echo hook $A >/tmp/hook"];
          config.hooks = { startContainer: [{ path: "/bin/sh", args, env: ["PATH=/bin", "A=b"] }] };
          config.linux.seccomp = profile;
          edit(config);
        });
        expect(shown).toBe("hook b\n");
      }
    });
  }

  rule(
    "says where it is wrong, and nothing is left",
    async (t) => {
      const WRONG: readonly [Profile, RegExp][] = [
        [allowing(harmless("SCMP_ACT_NOTIFY")), /\/linux\/seccomp\/listenerPath/],
        [{ defaultAction: "SCMP_ACT_NOTIFY", listenerPath: "/x" }, /\/linux\/seccomp\/defaultAction/],
        [
          { ...allowing({ names: ["write"], action: "SCMP_ACT_NOTIFY" }), listenerPath: "/x" },
          /\/linux\/seccomp\/syscalls\/0/,
        ],
        [{ ...allowing(), architectures: ["SCMP_ARCH_PPC64"] }, /\/linux\/seccomp\/architectures\/0/],
        [{ ...allowing(), flags: ["SECCOMP_FILTER_FLAG_NEW"] }, /\/linux\/seccomp\/flags\/0/],
      ];
      for (const [profile, place] of WRONG) {
        const bundle = t.bundle("true", (config) => {
          config.linux.seccomp = profile;
        });
        const { stderr } = await t.fails(["create", "--bundle", bundle, t.newId()]);
        expect(stderr).toMatch(place);
      }
      expect(await t.left()).toEqual([]);
    },
    { only: ["berth"] },
  );

  rule(
    "decides as under runc",
    async (t) => {
      const rules: ProfileRule[] = [
        harmless("SCMP_ACT_ERRNO", { errnoRet: 77, args: [{ index: 0, value: 2n ** 32n, op: "SCMP_CMP_GE" }] }),
        // Nothing that runc itself does.
        { names: ["getpgrp"], action: "SCMP_ACT_KILL_PROCESS" },
        { names: ["personality"], action: "SCMP_ACT_TRACE" },
        { names: ["times"], action: "SCMP_ACT_TRAP" },
      ];
      const profiles: Profile[] = [
        allowing(...rules),
        { ...allowing(...rules), architectures: EVERY_ARCH },
        ...PROFILES.map(([, profile]) => profile),
      ];
      const numbers = [
        0, 8, 39, 62, 63, 83, 102, 110, 111, 135, 146, 155, 165, 175, 246, 250, 272, 298, 321, 334, 424, 440,
      ];
      const calls = [...numbers, 600, 1000, 0x40000027, 0x4000006f].map((number) => `${number},99999`);
      calls.push(`${HARMLESS_NUMBER},0x100000000`, "x86:20", "x86:64", "x86:65", "x86:999", "272,0x10000000");
      for (const profile of profiles) {
        for (const edit of [() => {}, withPrivileges]) {
          const ours = await verdicts(t, profile, calls, edit);
          const theirs = await verdicts(t, profile, calls, edit, runc);
          const named = (lines: string[]) => lines.map((line, i) => `${calls[i]}: ${line}`);
          expect(named(ours.map(withoutResult))).toEqual(named(theirs.map(withoutResult)));
        }
      }
    },
    { skip: NO_RUNC, timeout: 120_000 },
  );
});

/** Results may be pids. */
const withoutResult = (line: string): string => line.replace(/^ok .*/, "ok");

/** What init does once the filter is loaded, up to the exec: names of calls, and the flags of seccomp(2). */
async function afterLoading(t: Sandbox, edit: (config: Config) => void): Promise<{ calls: string[]; flags: string }> {
  const bundle = t.bundle("true", edit, "traced");
  const prefix = ["strace", "-f", "-qq", "-e", "signal=none", "-o", t.path("trace")];
  await t.ok(["run", "--bundle", bundle, t.newId()], { prefix });
  const lines = t.read("trace").split("\n");
  const load = lines.findIndex((line) => /^\d+ +seccomp\(/.test(line));
  const [, pid = "", flags = ""] = /^(\d+) +seccomp\(SECCOMP_SET_MODE_FILTER, ([^,]*),/.exec(lines[load] ?? "") ?? [];
  const calls = lines.slice(load + 1).flatMap((line) => new RegExp(`^${pid} +(\\w+)\\(`).exec(line)?.[1] ?? []);
  return { calls: calls.slice(0, calls.indexOf("execve") + 1), flags };
}

suite(
  "with its filter loaded, init",
  (rule) => {
    const CASES: readonly [string, (config: Config) => void, string[]][] = [
      ["with noNewPrivileges only writes", () => {}, ["write", "write", "execve"]],
      ["without noNewPrivileges sets its capabilities, too", withPrivileges, ["capset", "write", "write", "execve"]],
      [
        "as a user that is not root does the same",
        (config) => {
          withPrivileges(config);
          asUser(config);
        },
        ["capset", "write", "write", "execve"],
      ],
    ];
    for (const [title, edit, expected] of CASES) {
      rule(
        title,
        async (t) => {
          const { calls, flags } = await afterLoading(t, (config) => {
            config.linux.seccomp = allowing(harmless("SCMP_ACT_ERRNO"));
            edit(config);
          });
          expect(calls).toEqual(expected);
          expect(flags).toBe("SECCOMP_FILTER_FLAG_SPEC_ALLOW");
        },
        { skip: NO_STRACE },
      );
    }

    rule(
      "needs no more than these to be allowed, for create and start, too",
      async (t) => {
        for (const more of [[], ["capset"]]) {
          const bundle = helperBundle(
            t,
            "bare",
            [],
            (config) => {
              config.process.noNewPrivileges = more.length === 0;
              config.linux.seccomp = {
                defaultAction: "SCMP_ACT_KILL_PROCESS",
                syscalls: [{ names: ["write", "execve", "exit_group", ...more], action: "SCMP_ACT_ALLOW" }],
              };
            },
            ["-nostdlib", "-ffreestanding"],
          );
          const result = await t.call(["run", "--bundle", bundle, t.newId()]);
          expect(result).toMatchObject({ code: 7, stdout: "bare\n" });
          const id = t.newId();
          await t.ok(["create", "--bundle", bundle, id]);
          await t.ok(["start", id]);
          await t.waitFor("stopped", id);
          await t.ok(["delete", id]);
        }
      },
      { skip: NO_RUNC },
    );

    rule("tells when the program may not be executed", async (t) => {
      const bundle = t.bundle("true", (config) => {
        config.linux.seccomp = allowing({ names: ["execve"], action: "SCMP_ACT_ERRNO", errnoRet: 95 });
      });
      const { stderr } = await t.fails(["run", "--bundle", bundle, t.id]);
      expect(stderr).toMatch(/exec.*operation not supported/i);
      expect(await t.left()).toEqual([]);
    });

    rule("ends though it may not end", async (t) => {
      const bundle = t.bundle("true", (config) => {
        const names = ["execve", "exit_group", "exit"];
        config.linux.seccomp = allowing({ names, action: "SCMP_ACT_ERRNO" });
      });
      await t.fails(["run", "--bundle", bundle, t.id]);
      expect(await t.left()).toEqual([]);
    });

    rule("that may not even write fails create, and nothing is left", async (t) => {
      for (const action of ["SCMP_ACT_KILL_PROCESS", "SCMP_ACT_ERRNO"]) {
        const bundle = t.bundle("true", (config) => {
          config.linux.seccomp = allowing({ names: ["write"], action });
        });
        await t.fails(["create", "--bundle", bundle, t.newId()]);
        await t.fails(["run", "--bundle", bundle, t.newId()]);
      }
      expect(await t.left()).toEqual([]);
    });

    const FLAGS: readonly [string[] | undefined, string][] = [
      [undefined, "SECCOMP_FILTER_FLAG_SPEC_ALLOW"],
      [[], "0"],
      [["SECCOMP_FILTER_FLAG_TSYNC"], "0"],
      [["SECCOMP_FILTER_FLAG_LOG"], "SECCOMP_FILTER_FLAG_LOG"],
      [
        ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"],
        "SECCOMP_FILTER_FLAG_LOG|SECCOMP_FILTER_FLAG_SPEC_ALLOW",
      ],
    ];
    for (const [flags, expected] of FLAGS) {
      rule(
        `has loaded it with ${expected} for flags ${JSON.stringify(flags)}`,
        async (t) => {
          const shown = await afterLoading(t, (config) => {
            config.linux.seccomp = {
              ...allowing(harmless("SCMP_ACT_ERRNO")),
              ...(flags === undefined ? {} : { flags }),
            };
          });
          expect(shown.flags).toBe(expected);
        },
        { skip: NO_STRACE },
      );
    }

    rule("has at most 32 KiB resident while it waits", async (t) => {
      const [, profile] = PROFILES[0] ?? ["", allowing(harmless("SCMP_ACT_ERRNO"))];
      for (const [, edit] of WAYS) {
        const id = t.newId();
        const bundle = t.bundle("sleep 1000", (config) => {
          config.linux.seccomp = profile;
          edit(config);
        });
        await t.ok(["create", "--bundle", bundle, id]);
        const { pid } = await t.state(id);
        const rss = Number(/^Rss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1]);
        expect(rss).toBeLessThanOrEqual(32);
        await t.ok(["delete", "--force", id]);
      }
    });
  },
  runtimes().filter(({ kind }) => kind === "berth"),
);

suite(
  "a seccomp agent",
  (rule) => {
    for (const [title, edit] of WAYS) {
      rule(`does what the program asks for, ${title}`, async (t) => {
        const agent = await startAgent(t);
        const script = "mkdir /tmp/asked && ls /tmp; sh -c 'echo $PPID'";
        const shown = await t.sh(script, (config) => {
          config.linux.seccomp = notifying(agent.path, ["mkdir", "getppid"]);
          edit(config);
        });
        expect(shown).toBe("asked-made\n4242\n");
        expect(agent.states()).toHaveLength(1);
      });
    }

    rule("gets one state of the container process, at create", async (t) => {
      const agent = await startAgent(t);
      await t.create("mkdir /tmp/a; sleep 1000", (config) => {
        config.annotations = { a: "b" };
        config.linux.seccomp = notifying(agent.path, ["mkdir"], { listenerMetadata: 'some "data"' });
      });
      const { pid, bundle, ociVersion } = await t.state();
      await until("the state is there", () => agent.states().length > 0);
      expect(agent.states()).toEqual([
        {
          ociVersion,
          fds: ["seccompFd"],
          pid,
          metadata: 'some "data"',
          state: { ociVersion, id: t.id, status: "creating", pid, bundle, annotations: { a: "b" } },
        },
      ]);
      await t.ok(["start", t.id]);
      await until("the folder is made", () => existsSync(`/proc/${pid}/root/tmp/a-made`));
      expect(agent.states()).toHaveLength(1);
    });

    // What runc takes as well: tests/integration/seccomp-notify.bats.
    const important = ["execve", "openat", "open", "read", "close", "fcntl", "capset", "mmap", "exit_group", "umask"];
    for (const value of [true, false]) {
      rule(`may be asked about what init itself does, noNewPrivileges ${value}`, async (t) => {
        const agent = await startAgent(t);
        const shown = await t.sh("echo fine", (config) => {
          config.process.noNewPrivileges = value;
          config.linux.seccomp = notifying(agent.path, important, {
            flags: ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"],
          });
        });
        expect(shown).toBe("fine\n");
      });
    }

    rule("that does not listen fails create, and nothing is left", async (t) => {
      const bundle = t.bundle("true", (config) => {
        config.linux.seccomp = notifying(t.path("nobody.sock"), ["mkdir"]);
      });
      for (const command of ["create", "run"]) {
        const { stderr } = await t.fails([command, "--bundle", bundle, t.newId()]);
        expect(stderr).toContain("/linux/seccomp/listenerPath");
        expect(stderr).toMatch(/no such file/i);
      }
      expect(await t.left()).toEqual([]);
    });

    rule("is not asked for when no rule notifies", async (t) => {
      const shown = await t.sh("echo fine", (config) => {
        config.linux.seccomp = { ...allowing(harmless("SCMP_ACT_ERRNO")), listenerPath: t.path("nobody.sock") };
      });
      expect(shown).toBe("fine\n");
    });
  },
  runtimes().filter(({ kind }) => kind !== "runc"),
);
