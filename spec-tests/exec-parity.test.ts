// What a process that exec starts sees must be what it sees under runc: the same container and call under both.

import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { type Config, withUserNamespace } from "./support/config.ts";
import { type Runtime, reference } from "./support/runtime.ts";
import { Sandbox } from "./support/sandbox.ts";
import { suite } from "./support/suite.ts";

const runc = reference();
const NO_RUNC = runc === undefined && "runc is not installed";

const SEEN = [
  "id",
  "grep -E '^(Groups|Uid|Gid|Cap|NoNew|Seccomp|Sig(Blk|Ign|Cgt)|Cpus_allowed_list|Umask)' /proc/self/status",
  "ulimit -a",
  "cat /proc/self/limits",
  "env | sort",
  "pwd",
  "cat /proc/self/oom_score_adj",
  "cat /proc/self/personality",
  "ionice; cut -d' ' -f19,41 /proc/$$/stat",
  "cat /proc/self/uid_map /proc/self/gid_map",
  "cat /proc/self/setgroups",
  "cat /proc/self/attr/current",
  "hostname",
  "cd /proc/self/fd && for f in *; do test -e $f && test $f -gt 2 && echo $f; done",
  "cut -d' ' -f6 /proc/self/stat | sed 's/[1-9][0-9]*/session/'",
].join("; echo --; ");

interface Case {
  title: string;
  edit?: (config: Config) => void;
  flags?: readonly string[];
  process?: object;
}

const ALL = ["CAP_CHOWN", "CAP_KILL", "CAP_NET_RAW", "CAP_SETPCAP", "CAP_SYS_CHROOT", "CAP_SYS_ADMIN"];
const SETS = ["bounding", "effective", "permitted", "inheritable", "ambient"];
const every = (names: readonly string[]) => Object.fromEntries(SETS.map((set) => [set, names]));

const CASES: readonly Case[] = [
  { title: "unchanged" },
  { title: "in a user namespace", edit: withUserNamespace },
  { title: "--user", flags: ["--user", "1000"] },
  { title: "--user with a group", flags: ["-u", "1000:1001", "-g", "5", "-g", "6"] },
  { title: "--user in a user namespace", flags: ["-u", "1000:1001"], edit: withUserNamespace },
  { title: "--cap", flags: ["--cap", "CAP_NET_RAW", "--cap", "CAP_CHOWN"] },
  { title: "--cap for another user", flags: ["--cap", "CAP_NET_RAW", "-u", "1000"] },
  {
    title: "--cap where there are inheritable and ambient ones",
    flags: ["--cap", "CAP_SYS_PTRACE", "-u", "1000"],
    edit: (config) => {
      config.process.capabilities = every(ALL);
    },
  },
  {
    title: "without noNewPrivileges, with --no-new-privs",
    flags: ["--no-new-privs"],
    edit: (config) => {
      config.process.noNewPrivileges = false;
    },
  },
  {
    title: "without noNewPrivileges",
    edit: (config) => {
      config.process.noNewPrivileges = false;
    },
  },
  { title: "--env and --cwd", flags: ["-e", "A=1", "-e", "A=2", "-e", "PATH=/bin", "--cwd", "/tmp"] },
  {
    title: "without rlimits",
    edit: (config) => {
      delete config.process.rlimits;
    },
  },
  { title: "process.json with the least", process: {} },
  { title: "process.json with the least in a user namespace", process: {}, edit: withUserNamespace },
  { title: "process.json for another user", process: { user: { uid: 1000, gid: 1000, additionalGids: [4] } } },
  { title: "process.json with capabilities", process: { capabilities: every(ALL), user: { uid: 9, gid: 9 } } },
  { title: "process.json with noNewPrivileges", process: { noNewPrivileges: true, capabilities: {} } },
  {
    title: "process.json with limits",
    process: {
      rlimits: [
        { type: "RLIMIT_CORE", soft: 0, hard: 5 },
        { type: "RLIMIT_NOFILE", soft: 90, hard: 90 },
      ],
    },
  },
];

async function answers(t: Sandbox, { edit, flags = [], process }: Case): Promise<string> {
  await t.create("while :; do sleep 1000; done", edit);
  await t.ok(["start", t.id]);
  const command = ["sh", "-c", SEEN];
  const least = { args: command, cwd: "/", env: ["PATH=/bin", "TERM=xterm"], user: { uid: 0, gid: 0 } };
  const call =
    process === undefined
      ? ["exec", ...flags, t.id, ...command]
      : ["exec", "--process", t.write("p.json", JSON.stringify({ ...least, ...process })), t.id];
  const { stdout } = await t.ok(call);
  await t.ok([...call.slice(0, 1), "--detach", "--pid-file", t.path("pid"), t.id, "sleep", "1000"]);
  const cgroups = readFileSync(`/proc/${t.read("pid")}/cgroup`, "utf8").replaceAll(t.id, "ID");
  await t.ok(["delete", "--force", t.id]);
  return `${stdout}${cgroups}`;
}

async function underRunc(test: Case): Promise<string> {
  const t = new Sandbox(runc as Runtime);
  try {
    return await answers(t, test);
  } finally {
    await t.end();
  }
}

suite("a process of exec sees what it sees under runc", (rule) => {
  for (const test of CASES) {
    rule(
      test.title,
      async (t) => {
        expect(await answers(t, test)).toBe(await underRunc(test));
      },
      { skip: NO_RUNC, except: { crun: "crun differs in details that nobody relies on" } },
    );
  }
});
