// exec into a container whose programs are hostile: docs/security.md.

import { chmodSync, copyFileSync, mkdirSync, openSync, writeFileSync } from "node:fs";
import { expect } from "vitest";
import { type Config, withUserNamespace } from "./support/config.ts";
import { helper } from "./support/helpers.ts";
import { copyRootfs, type Sandbox, until } from "./support/sandbox.ts";
import { suite } from "./support/suite.ts";

const EXECS = Number(process.env.HARDENING_EXECS ?? 300);
const MINUTES = 60_000;
const ours = { only: ["berth"] } as const;

async function running(t: Sandbox, edit?: (config: Config) => void): Promise<void> {
  await t.create("while :; do sleep 1000; done", edit);
  await t.ok(["start", t.id]);
}

/** A container whose program attacks every new process of its pid namespace. */
async function spied(t: Sandbox, edit: (config: Config) => void): Promise<void> {
  const rootfs = t.path("bundle/rootfs");
  mkdirSync(t.path("bundle"));
  copyRootfs(rootfs);
  copyFileSync(helper("spy"), `${rootfs}/bin/spy`);
  mkdirSync(`${rootfs}/spy`);
  chmodSync(`${rootfs}/spy`, 0o777);
  // It is found, and cannot be executed: until its end the process is ours, whoever reaches it is a hit.
  writeFileSync(`${rootfs}/bin/broken`, "#!/no/interpreter\n");
  chmodSync(`${rootfs}/bin/broken`, 0o755);
  await t.create("unused", (config) => {
    config.process.args = ["/bin/spy", "/spy"];
    edit(config);
  });
  await t.ok(["start", t.id]);
  await until("the spy runs", () => t.exists("bundle/rootfs/spy/seen"));
}

const EVERYTHING = ["DAC_OVERRIDE", "DAC_READ_SEARCH", "SYS_PTRACE", "SYS_ADMIN", "KILL", "SETUID", "SETPCAP"].map(
  (name) => `CAP_${name}`,
);

suite("a hostile program reaches nothing of a process that exec puts beside it", (rule) => {
  const CASES: readonly [string, (config: Config) => void][] = [
    ["root without capabilities of interest", () => {}],
    [
      "root of a user namespace with every capability there",
      (config) => {
        withUserNamespace(config);
        config.process.capabilities = { bounding: EVERYTHING, effective: EVERYTHING, permitted: EVERYTHING };
      },
    ],
  ];
  for (const [who, edit] of CASES) {
    rule(
      `${who}: ptrace, exe, mem, root, cwd, fd of ${EXECS} execs`,
      async (t) => {
        await spied(t, edit);
        for (let i = 0; i < EXECS; i++) {
          const result = await t.call(["exec", t.id, "/bin/broken"], { timeout: 3 * MINUTES });
          expect(result.code).toBe(255);
        }
        expect(t.read("bundle/rootfs/spy/hits").slice(0, 500)).toBe("");
        expect(Number(t.read("bundle/rootfs/spy/seen"))).toBeGreaterThan(EXECS / 20);
        await t.ok(["delete", "--force", t.id]);
      },
      { ...ours, timeout: (3 + EXECS / 60) * MINUTES },
    );
  }
});

suite("exec gives nothing that was not asked for", (rule) => {
  rule("--cap adds nothing inheritable or ambient (CVE-2022-29162)", async (t) => {
    await running(t);
    for (const flags of [
      ["--cap", "CAP_NET_RAW"],
      ["--cap", "CAP_NET_RAW", "--user", "1000"],
    ]) {
      const { stdout } = await t.ok(["exec", ...flags, t.id, "grep", "Cap", "/proc/self/status"]);
      expect(stdout).toMatch(/CapInh:\t0{16}\n(?:.*\n)*CapBnd:\t0{8}20002420\nCapAmb:\t0{16}/);
    }
    await t.ok(["delete", "--force", t.id]);
  });

  rule(
    "an unknown capability is left out with a warning",
    async (t) => {
      await running(t);
      const result = await t.ok(["exec", "--cap", "CAP_EVERYTHING", t.id, "grep", "CapBnd", "/proc/self/status"]);
      expect(result.stderr).toContain("CAP_EVERYTHING");
      expect(result.stdout).toBe("CapBnd:\t0000000020000420\n");
      await t.ok(["delete", "--force", t.id]);
    },
    ours,
  );

  rule(
    "--user is a number, and nothing but one (CVE-2026-30892)",
    async (t) => {
      await running(t);
      expect((await t.ok(["exec", "--user", "1", t.id, "id", "-u"])).stdout).toBe("1\n");
      expect((await t.ok(["exec", "--user", "4294967294", t.id, "id", "-u"])).stdout).toBe("4294967294\n");
      const bad = [" ", "-1", "+1", "1x", "0x1", "1:", ":1", "1:2:3", "root", "4294967295", "4294967296", "1e3", "1.0"];
      bad.push("99999999999999999999", "1\n", "1:-1", "1:4294967296", "٣");
      for (const user of bad) {
        const result = await t.call(["exec", "--user", user, t.id, "id"]);
        expect([user, result.code]).toEqual([user, 255]);
        expect(result.stderr).toMatch(/bad (uid|gid).*--user/);
      }
      for (const gid of ["-1", "x", "4294967296"]) {
        const result = await t.fails(["exec", "--additional-gids", gid, t.id, "id"]);
        expect(result.stderr).toMatch(/(bad gid|invalid value).*-additional-gids/);
      }
      await t.ok(["delete", "--force", t.id]);
    },
    ours,
  );

  rule(
    "a working folder outside of the container is refused (CVE-2024-21626)",
    async (t) => {
      await running(t);
      const fds = [openSync("/", "r"), openSync(t.dir, "r")];
      for (let fd = 3; fd < 16; fd++) {
        const cwd = `/proc/self/fd/${fd}`;
        const result = await t.fails(["exec", "--cwd", cwd, t.id, "cat", "../../etc/hostname"], { fds });
        expect(result.stderr).toMatch(/no such file|outside|not a directory/i);
        const kept = await t.fails(["exec", "--preserve-fds", "2", "--cwd", cwd, t.id, "true"], { fds });
        expect(kept.stderr).toMatch(/no such file|outside|not a directory/i);
      }
      const missing = await t.fails(["exec", "--cwd", "/not/there", t.id, "true"]);
      expect(missing.stderr).toMatch(/no such file/i);
      expect(t.exists("bundle/rootfs/not")).toBe(false);
      expect((await t.fails(["exec", "--cwd", "tmp", t.id, "true"])).stderr).toMatch(/absolute path|Cwd/);
      await t.ok(["delete", "--force", t.id]);
    },
    { except: { crun: "crun 1.8 says it in other words" } },
  );

  rule("no descriptor of the caller or of the runtime is open in the process", async (t) => {
    await running(t);
    const fds = Array.from({ length: 9 }, () => openSync("/etc/hostname", "r"));
    const script = "for f in $(ls /proc/self/fd); do [ $f -gt 2 ] && readlink /proc/self/fd/$f; done; true";
    const { stdout } = await t.ok(["exec", t.id, "sh", "-c", script], { fds });
    expect(stdout.replace("/proc/1/fd\n", "")).toMatch(/^(\/proc\/\d+\/fd\n)?$/);
    await t.ok(["delete", "--force", t.id]);
  });

  rule(
    "what is wrong in process.json is named with its place",
    async (t) => {
      await running(t);
      const fail = async (process: unknown): Promise<string> =>
        (await t.fails(["exec", "-p", t.write("p.json", JSON.stringify(process)), t.id])).stderr;
      const least = { args: ["true"], cwd: "/", user: { uid: 0, gid: 0 } };
      expect(await fail({ ...least, user: { uid: -1 } })).toContain("process.json: must be an integer");
      expect(await fail({ ...least, user: { uid: "0" } })).toContain("(/user/uid)");
      expect(await fail({ ...least, args: [] })).toContain("(/args)");
      expect(await fail({ ...least, cwd: "x" })).toContain("(/cwd)");
      expect(await fail({ ...least, cwd: "/none" })).toMatch(/\(process.json \/cwd, op \d+\)/);
      expect(await fail({ ...least, args: ["a\0b"] })).toContain("(/args/0)");
      expect(await fail({ args: ["true"] })).toContain("(/cwd)");
      expect(await fail(null)).toContain("is required");
      expect(await fail([])).toContain("process.json");
      const text = (await t.fails(["exec", "-p", t.write("p.json", "{"), t.id])).stderr;
      expect(text).toMatch(/line 1/);
      expect((await t.fails(["exec", "-p", t.path("none.json"), t.id])).stderr).toContain("none.json");
      expect((await t.fails(["exec", t.id])).stderr).toContain("exec args cannot be empty");
      await t.ok(["delete", "--force", t.id]);
    },
    ours,
  );
});
