// What a program sees inside must be what it sees under runc. Every case runs the same bundle, as `runc spec` and as
// `crun spec` write it, under runc and under the runtime, in the same minute, and compares the answers line by line.

import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { type Config, withUserNamespace } from "./support/config.ts";
import { type Runtime, reference } from "./support/runtime.ts";
import { copyRootfs, type Sandbox } from "./support/sandbox.ts";
import { suite } from "./support/suite.ts";

const runc = reference();
const NO_RUNC = runc === undefined && "runc is not installed";
/** What starts a runtime with SIGPIPE ignored and SIGTERM blocked. */
const ODD_CALLER = ["env", "--ignore-signal=PIPE", "--block-signal=TERM"];

interface Case {
  title: string;
  edit?: (config: Config) => void;
  prefix?: readonly string[];
}

const ALL_CAPABILITIES = ["CAP_CHOWN", "CAP_KILL", "CAP_NET_RAW", "CAP_SETPCAP", "CAP_SYS_CHROOT", "CAP_SYS_ADMIN"];

function setEveryCapabilitySet(config: Config, names: string[]): void {
  const sets = ["bounding", "effective", "permitted", "inheritable", "ambient"] as const;
  config.process.capabilities = Object.fromEntries(sets.map((set) => [set, names]));
}

const CASES: readonly Case[] = [
  { title: "unchanged" },
  {
    title: "without rlimits",
    edit: (config) => {
      delete config.process.rlimits;
    },
  },
  { title: "from a caller that ignores SIGPIPE and blocks SIGTERM", prefix: ODD_CALLER },
  {
    title: "from such a caller, without rlimits, with a limit of its own",
    // Soft and hard: Debian's runc, a Go program, raises the soft limit and hands that on.
    prefix: [...ODD_CALLER, "sh", "-c", 'ulimit -n 333; ulimit -c 0; exec "$@"', "sh"],
    edit: (config) => {
      delete config.process.rlimits;
    },
  },
  { title: "in a user namespace", edit: withUserNamespace },
  {
    title: "with inheritable and ambient capabilities",
    edit: (config) => setEveryCapabilitySet(config, ALL_CAPABILITIES),
  },
  {
    title: "with inheritable and ambient capabilities in a user namespace",
    edit: (config) => {
      withUserNamespace(config);
      setEveryCapabilitySet(config, ALL_CAPABILITIES);
    },
  },
  {
    title: "as a user with groups, umask, ambient capabilities and without noNewPrivileges",
    edit: (config) => {
      config.process.user = { uid: 1000, gid: 1000, additionalGids: [5, 7, 2000], umask: 0o27 };
      setEveryCapabilitySet(config, ["CAP_NET_BIND_SERVICE", "CAP_KILL"]);
      config.process.noNewPrivileges = false;
    },
  },
  {
    title: "as a user without any capability",
    edit: (config) => {
      config.process.user = { uid: 1234, gid: 4321 };
      config.process.capabilities = {};
    },
  },
  {
    title: "without a capabilities field",
    edit: (config) => {
      delete config.process.capabilities;
    },
  },
  {
    title: "with only pid and mount namespaces",
    edit: (config) => {
      config.linux.namespaces = [{ type: "pid" }, { type: "mount" }];
      delete config.hostname;
    },
  },
  {
    title: "with a cwd and the user's HOME",
    edit: (config) => {
      config.process.cwd = "/tmp";
      config.process.user = { uid: 1000, gid: 1000 };
    },
  },
  {
    title: "with an oomScoreAdj, a writable root and more rlimits",
    edit: (config) => {
      config.process.oomScoreAdj = 321;
      config.root.readonly = false;
      config.process.rlimits = [
        { type: "RLIMIT_CORE", soft: 0, hard: 0 },
        { type: "RLIMIT_NPROC", soft: 4000, hard: 5000 },
        { type: "RLIMIT_STACK", soft: 8388608, hard: 8388608 },
      ];
    },
  },
];

// Each answer is a section of one script's output, so that a case costs one container, not ten.
const SECTIONS = {
  status:
    "grep -E '^(Umask|Uid|Gid|Groups|Cap|NoNewPrivs|Sig[BIC]|Shd|CoreDumping|THP|Speculation|Threads)' /proc/self/status",
  mounts: "cat /proc/mounts",
  dev: "ls -lan /dev",
  devices: "ls -lan /dev/pts /dev/shm /dev/mqueue",
  env: "env",
  id: "id",
  pwd: "pwd",
  soft: "ulimit -S -a",
  hard: "ulimit -H -a",
  hostname: "hostname; cat /proc/sys/kernel/domainname",
  cgroup: "cat /proc/self/cgroup",
  oom: "cat /proc/self/oom_score_adj /proc/self/coredump_filter /proc/self/personality 2>&1",
  descriptors: "ls /proc/self/fd",
  tree: "cat /proc/1/comm; ps -o ppid,pgid,sid,comm",
  affinity: "grep -E '^(Cpus|Mems)_allowed' /proc/self/status",
  net: "cat /proc/net/dev | cut -d: -f1; ip link show lo",
  sysctl: "cat /proc/sys/net/ipv4/ping_group_range /proc/sys/net/ipv4/ip_unprivileged_port_start",
  root: "ls -lan /; stat -c '%a %u %g' / /proc /sys /dev /tmp",
  keys: "cat /proc/self/attr/current 2>&1 | tr -d '\\0'",
} as const;
type Section = keyof typeof SECTIONS;

const SCRIPT = Object.entries(SECTIONS)
  .map(([name, command]) => `echo "=== ${name}"; ${command}`)
  .join("\n");

function sections(text: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const part of text.split("=== ").slice(1)) {
    const [name = "", ...lines] = part.split("\n");
    found.set(name, lines);
  }
  return found;
}

/** Takes out what differs between two runs of the same runtime: times, and the paths that we test elsewhere. */
function comparable(section: Section, lines: readonly string[], config: Config): string[] {
  const special = new Set([...(config.linux.maskedPaths ?? []), ...(config.linux.readonlyPaths ?? [])]);
  switch (section) {
    case "dev":
    case "devices":
    case "root":
      // Everything but the date: mode, links, owner, group, [size or device], name.
      return (
        lines
          .filter((line) => !line.startsWith("total"))
          // /proc counts processes as links, and the owner of a message queue in a user namespace shows only in which order
          // runc makes its namespaces.
          .map((line) => line.replace(/^(dr-xr-xr-x) +\d+ (.* proc)$/, "$1 $2"))
          .filter((line) => config.linux.uidMappings === undefined || !/^drwxrwxrwt .* (mqueue|\.)$/.test(line))
          .map((line) => line.replace(/(\d+) +[A-Z][a-z]{2} +\d+ +(\d\d:\d\d|\d{4}) /, "$1 "))
      );
    case "mounts":
      return lines.filter((line) => !special.has(line.split(" ")[1] ?? ""));
    default:
      return [...lines];
  }
}

/** The bundle as WRITER's spec command makes it, terminal false, for the script. */
function specBundle(t: Sandbox, writer: string, item: Case): { bundle: string; config: Config } {
  const bundle = t.path("spec");
  rmSync(bundle, { recursive: true, force: true });
  execFileSync("mkdir", ["-p", bundle]);
  copyRootfs(join(bundle, "rootfs"));
  execFileSync(writer, ["spec"], { cwd: bundle });
  const config = JSON.parse(readFileSync(join(bundle, "config.json"), "utf8")) as Config;
  config.process.terminal = false;
  config.process.args = ["/bin/sh", "-c", SCRIPT];
  item.edit?.(config);
  writeFileSync(join(bundle, "config.json"), JSON.stringify(config));
  if (config.linux.uidMappings !== undefined) execFileSync("chown", ["-R", "100000:100000", join(bundle, "rootfs")]);
  return { bundle, config };
}

async function answers(t: Sandbox, runtime: Runtime, bundle: string, item: Case): Promise<Map<string, string[]>> {
  const root = t.path(`root-${runtime.name}`);
  // The same id, since it shows in cgroup paths; the same descriptors, since they show in /proc/self/fd.
  const result = await runtime.call(["--root", root, "run", "--bundle", bundle, t.id], {
    ...(item.prefix === undefined ? {} : { prefix: item.prefix }),
    cwd: "/",
  });
  if (result.code !== 0) throw new Error(`${runtime.name}: ${JSON.stringify(result)}`);
  return sections(result.stdout);
}

suite("the bundle looks from inside as under runc", (rule, runtime) => {
  for (const writer of ["runc", "crun"]) {
    for (const item of CASES) {
      rule(
        `written by ${writer} spec, ${item.title}`,
        async (t) => {
          const { bundle, config } = specBundle(t, writer, item);
          const expected = await answers(t, runc ?? runtime, bundle, item);
          const actual = await answers(t, runtime, bundle, item);
          const both = (map: Map<string, string[]>) =>
            Object.fromEntries(
              (Object.keys(SECTIONS) as Section[]).map((name) => [name, comparable(name, map.get(name) ?? [], config)]),
            );
          expect(both(actual)).toEqual(both(expected));
        },
        { skip: NO_RUNC, except: { crun: "only runc is the measure" } },
      );
    }
  }
});

// Reading and writing are tried in every way that a path offers; what matters is only that nothing comes out or goes in.
const PROBE = `
for p in $MASKED; do
  [ -e $p ] || { echo "$p missing"; continue; }
  if [ -d $p ]; then
    echo "$p entries $(ls -A $p | wc -l)"; (: > $p/x) 2>/dev/null && echo "$p writable"
  else
    echo "$p bytes $(head -c 100 $p 2>/dev/null | wc -c)"
  fi
done
for p in $READONLY; do
  [ -e $p ] || { echo "$p missing"; continue; }
  if [ -d $p ]; then
    find $p -type f 2>/dev/null | while read f; do { v=$(cat $f) && echo "$v" > $f; } 2>/dev/null && echo "$f written"; done
    mkdir $p/x 2>/dev/null && echo "$p: folder made"
  else
    (echo > $p) 2>/dev/null && echo "$p written"
  fi
  echo "$p done"
done
true`;

suite("masked and read-only paths", (rule) => {
  for (const user of ["root with all capabilities but SYS_ADMIN", "root in a user namespace"]) {
    rule(`nothing can be read from maskedPaths and nothing be written to readonlyPaths by ${user}`, async (t) => {
      const { bundle, config } = specBundle(t, "runc", { title: "" });
      if (user.includes("namespace")) {
        withUserNamespace(config);
        execFileSync("chown", ["-R", "100000:100000", join(bundle, "rootfs")]);
      }
      setEveryCapabilitySet(config, ["CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_SYS_RAWIO", "CAP_NET_ADMIN"]);
      const masked = [...(config.linux.maskedPaths ?? []), "/etc/group", "/usr", "/no/such/path"];
      const readonly = [...(config.linux.readonlyPaths ?? []), "/tmp", "/no/such/path"];
      config.linux.maskedPaths = masked;
      config.linux.readonlyPaths = readonly;
      config.root.readonly = false;
      config.process.args = ["/bin/sh", "-c", PROBE];
      config.process.env.push(`MASKED=${masked.join(" ")}`, `READONLY=${readonly.join(" ")}`);
      writeFileSync(join(bundle, "config.json"), JSON.stringify(config));
      const lines = (await t.ok(["run", "--bundle", bundle, t.id])).stdout.trim().split("\n");
      const bad = lines.filter((line) => !/ (missing|done|entries 0|bytes 0)$/.test(line));
      expect(bad).toEqual([]);
      expect(lines.length).toBe(masked.length + readonly.length);
      expect(lines).toContain("/etc/group bytes 0");
      expect(lines).toContain("/usr entries 0");
      expect(lines).toContain("/tmp done");
    });
  }

  rule(
    "a read-only path stays read-only for a mount below it",
    async (t) => {
      const out = await t.sh("touch /data/sub/x 2>&1; touch /data/x 2>&1; true", (config) => {
        config.mounts.push({ destination: "/data", type: "tmpfs", source: "tmpfs" });
        config.mounts.push({ destination: "/data/sub", type: "tmpfs", source: "tmpfs" });
        config.linux.readonlyPaths = ["/data"];
      });
      expect(out.match(/Read-only file system/g)?.length).toBe(2);
    },
    { except: { runc: "writable below", crun: "writable below" } },
  );

  rule("a read-only path keeps nosuid, nodev and noexec", async (t) => {
    const out = await t.sh("grep ' /data ' /proc/mounts | tail -n 1", (config) => {
      config.mounts.push({ destination: "/data", type: "tmpfs", options: ["nosuid", "nodev", "noexec"] });
      config.linux.readonlyPaths = ["/data"];
    });
    expect(out).toMatch(/ ro,nosuid,nodev,noexec,/);
  });
});
