import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { configTemplate } from "../bundle/template.ts";
import { MAX_ISSUES } from "./context.ts";
import { loadConfig } from "./load.ts";
import type { Config, Issue } from "./types.ts";

type Value = null | boolean | number | string | Value[] | { [key: string]: Value };
const base = (): Record<string, Value> => JSON.parse(configTemplate({ cgroup2: true }));

/** The default config with the value at a pointer replaced; `undefined` takes it out. "#5#" is the number 5. */
function patched(pointer: string, value: unknown, document: unknown = base()): string {
  const tokens = pointer.split("/").slice(1);
  const last = tokens.pop() as string;
  // biome-ignore lint/suspicious/noExplicitAny: a walk through any JSON
  let at = document as any;
  for (const token of tokens) {
    at[token] ??= {};
    at = at[token];
  }
  if (value === undefined) delete at[last];
  else at[last] = value;
  return JSON.stringify(document, (_, v) => (typeof v === "bigint" ? `#${v}#` : v)).replaceAll(/"#(-?\d+)#"/g, "$1");
}

function issues(text: string): string[] {
  return loadConfig(text).issues.map((i: Issue) => `${i.kind} ${i.pointer}: ${i.message}`);
}

function load(text: string): Config {
  const { config, issues } = loadConfig(text);
  if (config === undefined) throw new Error(JSON.stringify(issues));
  return config;
}

const joined = (type: string) => [{ type: "mount" }, { type: "uts" }, { type, path: `/run/ns/${type}` }];
const withNs = (...types: string[]) => types.map((type) => ({ type }));

describe("one wrong value is one issue at its pointer", () => {
  test.each<[string, unknown, string]>([
    ["/ociVersion", undefined, "is required"],
    ["/ociVersion", "", "is required"],
    ["/ociVersion", 1, "must be a string, got 1"],
    ["/ociVersion", "2.0.0", 'must be a version of the runtime-spec such as "1.3.0", got "2.0.0"'],
    ["/root", undefined, "is required"],
    ["/root", [], "must be an object, got an array"],
    ["/root/path", undefined, "is required"],
    ["/root/path", "", "is required"],
    ["/root/path", "a\0b", 'must be free of NUL characters, got "a\\u0000b"'],
    ["/root/readonly", "yes", 'must be true or false, got "yes"'],
    ["/hostname", 5, "must be a string, got 5"],
    ["/hostname", "h".repeat(65), `must be at most 64 bytes, got "${"h".repeat(60)}…"`],
    ["/domainname", {}, "must be a string, got an object"],
    ["/process", undefined, "is required"],
    ["/process", null, "is required"],
    ["/process", "x", 'must be an object, got "x"'],
    ["/process/terminal", 1, "must be true or false, got 1"],
    ["/process/consoleSize", [], "must be an object, got an array"],
    ["/process/consoleSize", { height: 1 }, ""],
    ["/process/consoleSize", { height: 65536, width: 1 }, ""],
    ["/process/user", 0, "must be an object, got 0"],
    ["/process/user/uid", -1, "must be an integer from 0 to 4294967294, got -1"],
    ["/process/user/uid", 4294967295, "must be an integer from 0 to 4294967294, got 4294967295"],
    ["/process/user/uid", 1.5, "must be an integer from 0 to 4294967294, got 1.5"],
    ["/process/user/uid", "0", 'must be an integer from 0 to 4294967294, got "0"'],
    [
      "/process/user/uid",
      "#18446744073709551615#",
      "must be an integer from 0 to 4294967294, got 18446744073709551615",
    ],
    ["/process/user/gid", true, "must be an integer from 0 to 4294967294, got true"],
    ["/process/user/umask", 512, "must be an integer from 0 to 511, got 512"],
    ["/process/user/additionalGids", 5, "must be an array, got 5"],
    ["/process/args", undefined, "is required"],
    ["/process/args", [], "must not be empty"],
    ["/process/args", "sh", 'must be an array, got "sh"'],
    ["/process/cwd", undefined, "is required"],
    ["/process/cwd", "", 'must be an absolute path, got ""'],
    ["/process/cwd", "tmp", 'must be an absolute path, got "tmp"'],
    ["/process/capabilities", [], "must be an object, got an array"],
    ["/process/capabilities/bounding", "CAP_KILL", 'must be an array, got "CAP_KILL"'],
    ["/process/rlimits", {}, "must be an array, got an object"],
    ["/process/noNewPrivileges", 0, "must be true or false, got 0"],
    ["/process/oomScoreAdj", 1001, "must be an integer from -1000 to 1000, got 1001"],
    ["/process/scheduler", "x", 'must be an object, got "x"'],
    ["/process/ioPriority", 1, "must be an object, got 1"],
    ["/process/execCPUAffinity", 1, "must be an object, got 1"],
    ["/mounts", {}, "must be an array, got an object"],
    ["/hooks", [], "must be an object, got an array"],
    ["/annotations", ["x"], "must be an object, got an array"],
    ["/linux", 7, "must be an object, got 7"],
    ["/linux/namespaces", {}, "must be an array, got an object"],
    ["/linux/devices", "x", 'must be an array, got "x"'],
    ["/linux/cgroupsPath", "/a/../b", 'must be a path without "..", got "/a/../b"'],
    ["/linux/cgroupsPath", "..", 'must be a path without "..", got ".."'],
    ["/linux/cgroupsPath", "/a\nb", 'must be free of newlines, got "/a\\nb"'],
    ["/linux/cgroupsPath", 1, "must be a string, got 1"],
    [
      "/linux/rootfsPropagation",
      "on",
      'must be one of "shared", "slave", "private", "unbindable", "rshared", "rslave", "rprivate", "runbindable", got "on"',
    ],
    ["/linux/maskedPaths", "x", 'must be an array, got "x"'],
    ["/linux/sysctl", [], "must be an object, got an array"],
    ["/linux/personality", "x", 'must be an object, got "x"'],
    ["/linux/timeOffsets", 1, "must be an object, got 1"],
    ["/linux/resources", 1, "must be an object, got 1"],
    ["/linux/resources/devices", 1, "must be an array, got 1"],
  ])("%s = %j", (pointer, value, message) => {
    const found = issues(patched(pointer, value));
    expect(found).toHaveLength(1);
    if (message !== "") expect(found).toEqual([`invalid ${pointer}: ${message}`]);
    else expect(found[0]).toMatch(`invalid ${pointer}/`);
  });
});

describe("a wrong value inside a list names its index", () => {
  test.each<[string, unknown, string, string]>([
    ["/process/args", ["sh", 5], "/1", "must be a string, got 5"],
    ["/process/args", [null], "/0", "must be a string, got null"],
    ["/process/args", ["a", "b\0"], "/1", 'must be free of NUL characters, got "b\\u0000"'],
    ["/process/env", ["A=b", "X"], "/1", 'must be of the form NAME=value, got "X"'],
    ["/process/env", ["=b"], "/0", 'must be of the form NAME=value, got "=b"'],
    ["/process/env", [""], "/0", 'must be of the form NAME=value, got ""'],
    ["/process/env", [1], "/0", "must be a string, got 1"],
    ["/process/env", ["A=\0"], "/0", 'must be free of NUL characters, got "A=\\u0000"'],
    ["/process/user/additionalGids", [1, -1], "/1", "must be an integer from 0 to 4294967294, got -1"],
    ["/process/user/additionalGids", [null], "/0", "must be a group id, got null"],
    ["/process/capabilities/bounding", [7], "/0", "must be a string, got 7"],
    ["/process/rlimits", [null], "/0", "must be an object, got null"],
    [
      "/process/rlimits",
      [{ type: "RLIMIT_X", soft: 1, hard: 1 }],
      "/0/type",
      'must be a resource such as RLIMIT_NOFILE, got "RLIMIT_X"',
    ],
    ["/process/rlimits", [{ soft: 1, hard: 1 }], "/0/type", "is required"],
    ["/process/rlimits", [{ type: "RLIMIT_CPU", hard: 1 }], "/0/soft", "is required"],
    ["/process/rlimits", [{ type: "RLIMIT_CPU", soft: 0 }], "/0/hard", "is required"],
    [
      "/process/rlimits",
      [{ type: "RLIMIT_CPU", soft: -1, hard: 1 }],
      "/0/soft",
      "must be an integer from 0 to 18446744073709551615, got -1",
    ],
    [
      "/process/rlimits",
      [{ type: "RLIMIT_CPU", soft: 1, hard: "#18446744073709551616#" }],
      "/0/hard",
      "must be an integer from 0 to 18446744073709551615, got 18446744073709551616",
    ],
    [
      "/process/rlimits",
      [{ type: "RLIMIT_CPU", soft: 2, hard: 1 }],
      "/0/soft",
      "must not exceed hard (1) of RLIMIT_CPU, got 2",
    ],
    [
      "/process/rlimits",
      [
        { type: "RLIMIT_CPU", soft: 1, hard: 1 },
        { type: "RLIMIT_CPU", soft: 1, hard: 1 },
      ],
      "/1/type",
      "must not be given twice: RLIMIT_CPU",
    ],
    ["/process/scheduler", {}, "/policy", "is required"],
    [
      "/process/scheduler",
      { policy: "SCHED_X" },
      "/policy",
      'must be one of "SCHED_OTHER", "SCHED_FIFO", "SCHED_RR", "SCHED_BATCH", "SCHED_ISO", "SCHED_IDLE", "SCHED_DEADLINE", got "SCHED_X"',
    ],
    ["/process/scheduler", { policy: 5 }, "/policy", "must be a string, got 5"],
    [
      "/process/scheduler",
      { policy: "SCHED_OTHER", nice: 20 },
      "/nice",
      "must be from -20 to 19 for SCHED_OTHER, got 20",
    ],
    [
      "/process/scheduler",
      { policy: "SCHED_BATCH", nice: -21 },
      "/nice",
      "must be from -20 to 19 for SCHED_BATCH, got -21",
    ],
    [
      "/process/scheduler",
      { policy: "SCHED_OTHER", nice: 4294967296 },
      "/nice",
      "must be an integer from -2147483648 to 2147483647, got 4294967296",
    ],
    [
      "/process/scheduler",
      { policy: "SCHED_OTHER", priority: 1 },
      "/priority",
      "must not be given for SCHED_OTHER: only for SCHED_FIFO and SCHED_RR",
    ],
    [
      "/process/scheduler",
      { policy: "SCHED_FIFO", priority: 1, runtime: 5 },
      "/runtime",
      "must not be given for SCHED_FIFO: only for SCHED_DEADLINE",
    ],
    [
      "/process/scheduler",
      { policy: "SCHED_RR", deadline: 5 },
      "/deadline",
      "must not be given for SCHED_RR: only for SCHED_DEADLINE",
    ],
    [
      "/process/scheduler",
      { policy: "SCHED_IDLE", period: 5 },
      "/period",
      "must not be given for SCHED_IDLE: only for SCHED_DEADLINE",
    ],
    [
      "/process/scheduler",
      { policy: "SCHED_OTHER", flags: ["SCHED_FLAG_X"] },
      "/flags/0",
      'must be a SCHED_FLAG_ name, got "SCHED_FLAG_X"',
    ],
    ["/process/ioPriority", { priority: 1 }, "/class", "is required"],
    [
      "/process/ioPriority",
      { class: "IOPRIO_CLASS_NONE" },
      "/class",
      'must be one of "IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE", "IOPRIO_CLASS_IDLE", got "IOPRIO_CLASS_NONE"',
    ],
    [
      "/process/ioPriority",
      { class: "IOPRIO_CLASS_BE", priority: 8 },
      "/priority",
      "must be an integer from 0 to 7, got 8",
    ],
    ["/process/execCPUAffinity", { initial: "0-" }, "/initial", 'must be a list of CPUs such as "0-3,7", got "0-"'],
    ["/process/execCPUAffinity", { final: "3-1" }, "/final", 'must be a list of CPUs such as "0-3,7", got "3-1"'],
    ["/mounts", ["x"], "/0", 'must be an object, got "x"'],
    ["/mounts", [{ type: "tmpfs" }], "/0/destination", "is required"],
    ["/mounts", [{ type: "tmpfs", destination: "" }], "/0/destination", 'must be an absolute path, got ""'],
    ["/mounts", [{ type: "tmpfs", destination: "/a", options: ["ro", 1] }], "/0/options/1", "must be a string, got 1"],
    ["/mounts", [{ type: "tmpfs", destination: "/" }], "/0/destination", "must not be the root itself"],
    ["/mounts", [{ type: "tmpfs", destination: "/a/.." }], "/0/destination", "must not be the root itself"],
    ["/mounts", [{ destination: "/a" }], "/0/type", "is required without the option bind or rbind"],
    [
      "/mounts",
      [{ destination: "/a", type: "none" }],
      "/0/type",
      'must be a file system without the option bind or rbind, got "none"',
    ],
    [
      "/mounts",
      [{ destination: "/a", type: "bind", source: "/b" }],
      "/0/type",
      'must be a file system without the option bind or rbind, got "bind"',
    ],
    ["/mounts", [{ destination: "/a", options: ["bind"] }], "/0/source", "is required for a bind mount"],
    ["/mounts", [{ destination: "/proc", type: "tmpfs" }], "/0/type", 'must be "proc" over /proc, got "tmpfs"'],
    ["/mounts", [{ destination: "/x/../proc/", type: "tmpfs" }], "/0/type", 'must be "proc" over /proc, got "tmpfs"'],
    [
      "/mounts",
      [{ destination: "/proc/sys/x", type: "tmpfs" }],
      "/0/destination",
      'must not be inside /proc, got "/proc/sys/x"',
    ],
    [
      "/mounts",
      [{ destination: "/proc/self/../1", source: "/x", options: ["bind"] }],
      "/0/destination",
      'must not be inside /proc, got "/proc/self/../1"',
    ],
    [
      "/mounts",
      [{ destination: "proc/tty", type: "tmpfs" }],
      "/0/destination",
      'should be an absolute path, got "proc/tty"; taken from the root',
    ],
    ["/hooks/prestart", {}, "", "must be an array, got an object"],
    ["/hooks/poststop", [null], "/0", "must be an object, got null"],
    ["/hooks/createRuntime", [{}], "/0/path", "is required"],
    ["/hooks/createContainer", [{ path: "bin/x" }], "/0/path", 'must be an absolute path, got "bin/x"'],
    [
      "/hooks/startContainer",
      [{ path: "/x", timeout: 0 }],
      "/0/timeout",
      "must be an integer from 1 to 2147483, got 0",
    ],
    ["/hooks/poststart", [{ path: "/x", env: [1] }], "/0/env/0", "must be a string, got 1"],
    ["/hooks/poststart", [{ path: "/x", args: "y" }], "/0/args", 'must be an array, got "y"'],
    ["/annotations", { a: 1 }, "/a", "must be a string, got 1"],
    ["/annotations", { "": "x" }, "/", "must not be the empty key"],
    ["/annotations", { "a/b~": null }, "/a~1b~0", "must be a string, got null"],
    ["/annotations", { "a\0": "x" }, "/a\0", "must be a key free of NUL characters"],
    ["/linux/maskedPaths", ["/a", "b"], "/1", 'must be an absolute path, got "b"'],
    ["/linux/readonlyPaths", [1], "/0", "must be a string, got 1"],
    ["/linux/namespaces", [...withNs("mount", "uts"), 5], "/2", "must be an object, got 5"],
    ["/linux/namespaces", [...withNs("mount", "uts"), {}], "/2/type", "is required"],
    [
      "/linux/namespaces",
      [...withNs("mount", "uts", "net")],
      "/2/type",
      'must be one of "pid", "network", "mount", "ipc", "uts", "user", "cgroup", "time", got "net"',
    ],
    ["/linux/namespaces", [...withNs("mount", "uts", "uts")], "/2/type", "must not be given twice: uts"],
    [
      "/linux/namespaces",
      [...withNs("mount", "uts"), { type: "pid", path: "ns" }],
      "/2/path",
      'must be an absolute path, got "ns"',
    ],
    [
      "/linux/devices",
      [{ path: "/dev/x", type: "d", major: 1, minor: 1 }],
      "/0/type",
      'must be "c", "b", "u" or "p", got "d"',
    ],
    ["/linux/devices", [{ path: "/dev/x", major: 1, minor: 1 }], "/0/type", "is required"],
    ["/linux/devices", [{ type: "c", major: 1, minor: 1 }], "/0/path", "is required"],
    [
      "/linux/devices",
      [{ path: "dev/x", type: "c", major: 1, minor: 1 }],
      "/0/path",
      'must be an absolute path, got "dev/x"',
    ],
    ["/linux/devices", [{ path: "/dev/x", type: "c", minor: 1 }], "/0/major", "is required"],
    ["/linux/devices", [{ path: "/dev/x", type: "b", major: 1 }], "/0/minor", "is required"],
    [
      "/linux/devices",
      [{ path: "/dev/x", type: "c", major: 4096, minor: 1 }],
      "/0/major",
      "must be an integer from 0 to 4095, got 4096",
    ],
    [
      "/linux/devices",
      [{ path: "/dev/x", type: "c", major: 1, minor: -1 }],
      "/0/minor",
      "must be an integer from 0 to 1048575, got -1",
    ],
    [
      "/linux/devices",
      [{ path: "/dev/x", type: "c", major: 1, minor: 1, fileMode: 65536 }],
      "/0/fileMode",
      "must be an integer from 0 to 65535, got 65536",
    ],
    [
      "/linux/devices",
      [{ path: "/dev/x", type: "c", major: 1, minor: 1, uid: -1 }],
      "/0/uid",
      "must be an integer from 0 to 4294967294, got -1",
    ],
    ["/linux/resources/devices", [{ access: "rwm" }], "/0/allow", "is required"],
    ["/linux/resources/devices", [{ allow: true }], "/0/access", "is required"],
    ["/linux/resources/devices", [{ allow: true, access: "" }], "/0/access", "is required"],
    [
      "/linux/resources/devices",
      [{ allow: true, access: "rx" }],
      "/0/access",
      'must be made of the letters "r", "w" and "m", got "rx"',
    ],
    [
      "/linux/resources/devices",
      [{ allow: true, access: "r", type: "p" }],
      "/0/type",
      'must be "a", "c" or "b", got "p"',
    ],
    [
      "/linux/resources/devices",
      [{ allow: true, access: "r", major: -2 }],
      "/0/major",
      "must be an integer from -1 to 4294967295, got -2",
    ],
    ["/linux/personality", {}, "/domain", 'must be "LINUX" or "LINUX32", got undefined'],
    ["/linux/personality", { domain: "BSD" }, "/domain", 'must be "LINUX" or "LINUX32", got "BSD"'],
    ["/linux/personality", { domain: 5 }, "/domain", "must be a string, got 5"],
    ["/linux/sysctl", { "net.x": 5 }, "/net.x", "must be a string, got 5"],
    [
      "/linux/sysctl",
      { "vm.swappiness": "1" },
      "/vm.swappiness",
      "does not belong to a namespace: it would change the host",
    ],
    ["/linux/sysctl", { "kernel/hostname": "x" }, "/kernel~1hostname", "must be set by the field hostname"],
    [
      "/linux/sysctl",
      { "user.max_user_namespaces": "1" },
      "/user.max_user_namespaces",
      "needs a namespace of type user: it would change the host",
    ],
    [
      "/linux/sysctl",
      { "net/../kernel/x": "1" },
      "/net~1..~1kernel~1x",
      "must be a sysctl name without empty, . and .. components",
    ],
    ["/linux/uidMappings", [{ containerID: 0, hostID: 0, size: 1 }], "", "needs a user namespace"],
    ["/linux/gidMappings", [{ containerID: 0, hostID: 0, size: 1 }], "", "needs a user namespace"],
    ["/linux/uidMappings", [{ containerID: 0, hostID: 0 }], "/0/size", "is required"],
    ["/linux/uidMappings", [{ containerID: 0, size: 1 }], "/0/hostID", "is required"],
    ["/linux/uidMappings", [{ hostID: 0, size: 1 }], "/0/containerID", "is required"],
    [
      "/linux/uidMappings",
      [{ containerID: 0, hostID: 0, size: 0 }],
      "/0/size",
      "must be an integer from 1 to 4294967295, got 0",
    ],
    ["/linux/timeOffsets", { monotonic: { secs: 1 } }, "", "needs a time namespace"],
    ["/linux/timeOffsets", { realtime: { secs: 1 } }, "/realtime", 'must be the offset of "boottime" or "monotonic"'],
  ])("%s = %j", (pointer, value, below, message) => {
    const kind = message.startsWith("should") ? "warning" : "invalid";
    const found = issues(patched(pointer, value));
    expect(found).toContain(`${kind} ${pointer}${below}: ${message}`);
    // A relative path below /proc is both.
    expect(found.length).toBe(below === "/0/destination" && kind === "warning" ? 2 : 1);
  });
});

describe("rules between fields", () => {
  const config = (changes: Record<string, unknown>): string => {
    const document = base();
    for (const [pointer, value] of Object.entries(changes)) patched(pointer, value, document);
    return JSON.stringify(document);
  };
  const map = (containerID: number, hostID: number, size: number) => ({ containerID, hostID, size });
  const root = [map(0, 1000, 10)];

  test.each<[string, Record<string, unknown>, string[]]>([
    [
      "host name without uts namespace",
      { "/linux/namespaces": withNs("mount"), "/domainname": "d" },
      [
        "invalid /hostname: needs a uts namespace of the container's own",
        "invalid /domainname: needs a uts namespace of the container's own",
      ],
    ],
    [
      "empty names without uts namespace",
      { "/linux/namespaces": withNs("mount"), "/hostname": "", "/domainname": "" },
      [],
    ],
    [
      "host name in a joined uts namespace",
      { "/linux/namespaces": [{ type: "mount" }, { type: "uts", path: "/x" }] },
      [],
    ],
    [
      "masked paths without mount namespace",
      { "/linux/namespaces": withNs("uts") },
      [
        "invalid /linux/maskedPaths: needs a mount namespace of the container's own",
        "invalid /linux/readonlyPaths: needs a mount namespace of the container's own",
      ],
    ],
    [
      "user namespace without mappings",
      { "/linux/namespaces": withNs("mount", "uts", "user") },
      [
        "invalid /linux/uidMappings: is required for a new user namespace",
        "invalid /linux/gidMappings: is required for a new user namespace",
      ],
    ],
    [
      "user namespace with one mapping",
      { "/linux/namespaces": withNs("mount", "uts", "user"), "/linux/uidMappings": root },
      ["invalid /linux/gidMappings: is required for a new user namespace"],
    ],
    [
      "user namespace without root",
      {
        "/linux/namespaces": withNs("mount", "uts", "user"),
        "/linux/uidMappings": [map(1, 1, 5)],
        "/linux/gidMappings": root,
        "/process/user/uid": 1,
      },
      ["invalid /linux/uidMappings: must map the container's id 0"],
    ],
    [
      "unmapped process ids",
      {
        "/linux/namespaces": withNs("mount", "uts", "user"),
        "/linux/uidMappings": root,
        "/linux/gidMappings": root,
        "/process/user": { uid: 10, gid: 11, additionalGids: [3, 12] },
      },
      [
        "invalid /process/user/uid: must be mapped by linux.uidMappings, got 10",
        "invalid /process/user/gid: must be mapped by linux.gidMappings, got 11",
        "invalid /process/user/additionalGids/1: must be mapped by linux.gidMappings, got 12",
      ],
    ],
    [
      "overlapping mappings",
      {
        "/linux/namespaces": withNs("mount", "uts", "user"),
        "/linux/uidMappings": [map(0, 0, 10), map(9, 100, 1)],
        "/linux/gidMappings": [map(0, 0, 10), map(10, 9, 1)],
      },
      [
        "invalid /linux/uidMappings/1: must not overlap with entry 0",
        "invalid /linux/gidMappings/1: must not overlap with entry 0",
      ],
    ],
    [
      "mapping beyond the last id",
      {
        "/linux/namespaces": withNs("mount", "uts", "user"),
        "/linux/uidMappings": [map(0, 4294967290, 6)],
        "/linux/gidMappings": root,
      },
      ["invalid /linux/uidMappings/0: must end below id 4294967295"],
    ],
    [
      "mappings in a joined user namespace",
      { "/linux/namespaces": joined("user"), "/linux/uidMappings": root, "/linux/gidMappings": root },
      [
        "warning /linux/uidMappings: is not used when a user namespace is joined",
        "warning /linux/gidMappings: is not used when a user namespace is joined",
      ],
    ],
    [
      "offsets in a joined time namespace",
      { "/linux/namespaces": joined("time"), "/linux/timeOffsets": { boottime: { secs: 1 } } },
      ["invalid /linux/timeOffsets: must not be given when a time namespace is joined"],
    ],
    [
      "offsets in a new time namespace",
      { "/linux/namespaces": withNs("mount", "uts", "time"), "/linux/timeOffsets": { boottime: { secs: -5 } } },
      [],
    ],
    [
      "sysctls without their namespaces",
      {
        "/linux/namespaces": withNs("mount", "uts"),
        "/linux/sysctl": { "net.core.somaxconn": "1", "fs.mqueue.msg_max": "5", "kernel.sem": "1" },
      },
      [
        "invalid /linux/sysctl/net.core.somaxconn: needs a namespace of type network: it would change the host",
        "invalid /linux/sysctl/fs.mqueue.msg_max: needs a namespace of type ipc: it would change the host",
        "invalid /linux/sysctl/kernel.sem: needs a namespace of type ipc: it would change the host",
      ],
    ],
    [
      "sysctls of the container's namespaces",
      {
        "/linux/sysctl": {
          "net.core.somaxconn": "1",
          "kernel/shmmax": "5",
          "fs.mqueue.msg_max": "5",
          "kernel.domainname": "x",
        },
      },
      [],
    ],
    [
      "a bind of a procfs over /proc",
      { "/mounts": [{ destination: "/proc", source: "/proc", options: ["rbind"] }] },
      [],
    ],
    [
      "lxcfs files below /proc",
      {
        "/mounts": [
          "cpuinfo",
          "diskstats",
          "meminfo",
          "stat",
          "swaps",
          "uptime",
          "loadavg",
          "slabinfo",
          "sys/kernel/ns_last_pid",
          "sys/crypto/fips_enabled",
        ].map((f) => ({ destination: `/proc/${f}`, source: "/x", options: ["bind"] })),
      },
      [],
    ],
    ["a remount without type", { "/mounts": [{ destination: "/x", options: ["remount", "ro"] }] }, []],
    [
      "the same destination twice",
      {
        "/mounts": [
          { destination: "/x", type: "tmpfs" },
          { destination: "/x", type: "tmpfs" },
        ],
      },
      [],
    ],
    ["a destination that only begins like /proc", { "/mounts": [{ destination: "/process", type: "tmpfs" }] }, []],
    [
      "tmpcopyup without tmpfs",
      { "/mounts": [{ destination: "/x", type: "ramfs", options: ["ro", "tmpcopyup"] }] },
      ["warning /mounts/0/options/1: has no effect unless the type is tmpfs"],
    ],
    [
      "a file-system option in a bind mount",
      { "/mounts": [{ destination: "/a", source: "b", options: ["rbind", "ro", "size=1k"] }] },
      ['warning /mounts/0/options/2: a file-system option has no effect on a bind mount, got "size=1k"'],
    ],
    ["no linux section", { "/linux": undefined, "/hostname": undefined }, []],
    [
      "no linux section and a host name",
      { "/linux": undefined },
      ["invalid /hostname: needs a uts namespace of the container's own"],
    ],
  ])("%s", (_, changes, expected) => {
    expect(issues(config(changes))).toEqual(expected);
  });

  test("a rule is silent where a field that it reads is invalid", () => {
    expect(issues(patched("/linux/namespaces", "none"))).toEqual([
      'invalid /linux/namespaces: must be an array, got "none"',
    ]);
    const mounts = [
      { destination: "/a", options: [1] },
      { destination: "/proc/x", type: "tmpfs" },
    ];
    expect(issues(patched("/mounts", mounts))).toEqual([
      "invalid /mounts/0/options/0: must be a string, got 1",
      'invalid /mounts/1/destination: must not be inside /proc, got "/proc/x"',
    ]);
  });
});

describe("what comes later is refused, not dropped", () => {
  test.each<[string, unknown]>([["/linux/memoryPolicy", { mode: "MPOL_LOCAL" }]])("%s = %j", (pointer, value) => {
    expect(issues(patched(pointer, value))).toEqual([`unsupported ${pointer}: is not supported yet`]);
    expect(loadConfig(patched(pointer, value)).config).toBeUndefined();
  });

  test("mount option copy-symlink", () => {
    const mounts = [{ destination: "/a", source: "/b", options: ["rbind", "copy-symlink"] }];
    expect(issues(patched("/mounts", mounts))).toEqual([
      'unsupported /mounts/0/options/1: is not supported yet: "copy-symlink"',
    ]);
  });

  test("values that ask for nothing are fine, as engines write them", () => {
    const document = base();
    patched(
      "/linux/resources",
      {
        devices: [],
        memory: {},
        cpu: { shares: 0, cpus: "" },
        pids: {},
        blockIO: { weight: 0 },
        unified: null,
        rdma: {},
      },
      document,
    );
    patched("/linux/seccomp", {}, document);
    patched("/linux/intelRdt", null, document);
    patched("/linux/netDevices", {}, document);
    patched("/linux/mountLabel", "", document);
    patched("/process/apparmorProfile", "", document);
    patched("/process/selinuxLabel", "", document);
    patched("/mounts/0/uidMappings", null, document);
    expect(issues(JSON.stringify(document))).toEqual([]);
  });
});

describe("linux.seccomp", () => {
  const notify = {
    defaultAction: "SCMP_ACT_ALLOW",
    syscalls: [{ names: ["mkdir"], action: "SCMP_ACT_NOTIFY" }],
  };

  test("its problems have their place in config.json", () => {
    const profile = { defaultAction: "ALLOW", syscalls: [{ names: ["write"], action: "SCMP_ACT_NOTIFY" }] };
    expect(issues(patched("/linux/seccomp", profile)).map((issue) => issue.slice(0, issue.indexOf(": ")))).toEqual([
      "invalid /linux/seccomp/defaultAction",
      "invalid /linux/seccomp/syscalls/0/names/0",
    ]);
  });

  test("notifications need somebody who gets them", () => {
    expect(issues(patched("/linux/seccomp", notify))).toEqual([
      "invalid /linux/seccomp/listenerPath: must be set, as /linux/seccomp/syscalls/0/action is SCMP_ACT_NOTIFY",
    ]);
    expect(issues(patched("/linux/seccomp", { ...notify, listenerPath: "/run/agent" }))).toEqual([]);
  });

  test("none, or one that says nothing, is none", () => {
    expect(load(JSON.stringify(base())).linux.seccomp).toBeUndefined();
    expect(load(patched("/linux/seccomp", {})).linux.seccomp).toBeUndefined();
    expect(load(patched("/linux/seccomp", null)).linux.seccomp).toBeUndefined();
  });
});

describe("what is decoded", () => {
  test("64-bit values keep every digit", () => {
    const text = patched("/process/rlimits", [
      { type: "RLIMIT_CORE", soft: 9007199254740993n, hard: 18446744073709551615n },
    ]);
    expect(load(text).process.rlimits).toEqual([{ resource: 4, soft: 9007199254740993n, hard: 18446744073709551615n }]);
    const deadline = patched("/process/scheduler", { policy: "SCHED_DEADLINE", runtime: 18446744073709551614n });
    expect(load(deadline).process.scheduler?.runtime).toBe(18446744073709551614n);
    const document = base();
    patched("/linux/namespaces", withNs("mount", "uts", "time"), document);
    const offsets = patched("/linux/timeOffsets", { boottime: { secs: -9223372036854775808n, nanosecs: 5 } }, document);
    expect(load(offsets).linux.timeOffsets).toEqual([{ clock: "boottime", secs: -9223372036854775808n, nanosecs: 5 }]);
  });

  test("unknown capabilities are left out with a warning, the rest becomes masks", () => {
    const text = patched("/process/capabilities", {
      bounding: ["CAP_CHOWN", "CAP_NEW", "CAP_BPF"],
      ambient: ["CAP_X"],
    });
    const { config, issues } = loadConfig(text);
    expect(config?.process.capabilities).toEqual({
      bounding: 1n | (1n << 39n),
      effective: 0n,
      inheritable: 0n,
      permitted: 0n,
      ambient: 0n,
    });
    expect(issues).toEqual([
      {
        pointer: "/process/capabilities/bounding/1",
        kind: "warning",
        message: 'unknown capability "CAP_NEW" is left out',
      },
      {
        pointer: "/process/capabilities/ambient/0",
        kind: "warning",
        message: 'unknown capability "CAP_X" is left out',
      },
    ]);
    expect(load(patched("/process/capabilities", undefined)).process.capabilities).toBeUndefined();
    expect(
      load(patched("/process/capabilities", { bounding: ["CAP_SYSLOG", "CAP_SETFCAP"] })).process.capabilities
        ?.bounding,
    ).toBe((1n << 34n) | (1n << 31n));
  });

  test("personality flags, of which the spec has none, are ignored with a warning", () => {
    const { config, issues } = loadConfig(patched("/linux/personality", { domain: "LINUX32", flags: ["X"] }));
    expect(config?.linux.personality).toBe("LINUX32");
    expect(issues).toEqual([
      {
        pointer: "/linux/personality/flags",
        kind: "warning",
        message: "is ignored: the runtime-spec has no flags yet",
      },
    ]);
  });

  test("maps are sorted by code unit and hold any key", () => {
    const text = `{"annotations":{"b":"1","__proto__":"2","10":"3","9":"4","constructor":"5","é":"6"},${configTemplate({ cgroup2: true }).slice(1)}`;
    const { annotations } = load(text);
    expect([...annotations]).toEqual([
      ["10", "3"],
      ["9", "4"],
      ["__proto__", "2"],
      ["b", "1"],
      ["constructor", "5"],
      ["é", "6"],
    ]);
  });

  test("the last of two equal keys wins", () => {
    expect(load(`{"hostname":"a",${configTemplate({ cgroup2: true }).slice(1)}`).hostname).toBe("runc");
  });

  test("unknown fields and other systems' sections are ignored", () => {
    const document = base();
    for (const name of ["solaris", "windows", "vm", "zos", "freebsd", "x"]) patched(`/${name}`, { a: [1] }, document);
    patched("/process/commandLine", 5, document);
    patched("/process/user/username", 5, document);
    patched("/linux/new", "x", document);
    expect(issues(JSON.stringify(document))).toEqual([]);
  });

  test("null is the same as absent, and a proto key adds nothing", () => {
    const document = base();
    for (const pointer of [
      "/hostname",
      "/mounts",
      "/hooks",
      "/annotations",
      "/process/env",
      "/process/rlimits",
      "/linux/devices",
    ]) {
      patched(pointer, null, document);
    }
    expect(issues(JSON.stringify(document))).toEqual([]);
    const text = configTemplate({ cgroup2: true }).replace(
      '"hostname": "runc"',
      '"__proto__": {"hostname": 5, "domainname": 5}',
    );
    expect(load(text).hostname).toBeUndefined();
  });

  test("devices: type bits of the mode are cut off, a FIFO has no number", () => {
    const text = patched("/linux/devices", [
      { path: "/dev/a", type: "u", major: 1, minor: 3, fileMode: 0o20660, uid: 5, gid: 6 },
      { path: "/dev/b", type: "p" },
    ]);
    expect(load(text).linux.devices).toEqual([
      { path: "/dev/a", type: "u", major: 1, minor: 3, fileMode: 0o660, uid: 5, gid: 6 },
      { path: "/dev/b", type: "p", major: 0, minor: 0, uid: 0, gid: 0 },
    ]);
  });

  test("device rules: -1 and absent are every number", () => {
    const rules = [
      { allow: true, access: "rw", type: "c", major: 1, minor: -1 },
      { allow: false, access: "m" },
    ];
    expect(load(patched("/linux/resources/devices", rules)).linux.resources.devices).toEqual([
      { allow: true, access: "rw", type: "c", major: 1 },
      { allow: false, access: "m", type: "a" },
    ]);
  });

  test("hooks of every kind, in order", () => {
    const hooks = {
      poststop: [
        { path: "/a", args: ["a", "b"], env: ["X=y"], timeout: 5 },
        { path: "/b", args: [], env: [] },
      ],
      prestart: [{ path: "/c" }],
    };
    const loaded = load(patched("/hooks", hooks)).hooks;
    expect(loaded.poststop).toEqual([
      { path: "/a", args: ["a", "b"], env: ["X=y"], timeout: 5 },
      { path: "/b", env: [] },
    ]);
    expect(loaded.prestart).toEqual([{ path: "/c" }]);
    expect(loaded.createContainer).toEqual([]);
  });

  test("scheduling attributes", () => {
    const { scheduler } = load(
      patched("/process/scheduler", {
        policy: "SCHED_OTHER",
        nice: -5,
        flags: ["SCHED_FLAG_RESET_ON_FORK", "SCHED_FLAG_KEEP_PARAMS"],
      }),
    ).process;
    expect(scheduler).toEqual({
      policy: "SCHED_OTHER",
      nice: -5,
      priority: 0,
      flags: 0x11,
      runtime: 0n,
      deadline: 0n,
      period: 0n,
    });
    expect(load(patched("/process/ioPriority", { class: "IOPRIO_CLASS_BE", priority: 4 })).process.ioPriority).toEqual({
      class: "IOPRIO_CLASS_BE",
      priority: 4,
    });
    expect(load(patched("/process/execCPUAffinity", { initial: "0-3,7", final: "" })).process.execCPUAffinity).toEqual({
      initial: "0-3,7",
    });
  });

  test("a relative destination counts from the root, with a warning", () => {
    const { config, issues } = loadConfig(patched("/mounts", [{ destination: "tmp", type: "tmpfs" }]));
    expect(config?.mounts[0]?.destination).toBe("/tmp");
    expect(issues).toEqual([
      {
        pointer: "/mounts/0/destination",
        kind: "warning",
        message: 'should be an absolute path, got "tmp"; taken from the root',
      },
    ]);
  });

  test("a raw byte stays a raw byte", () => {
    expect(load(patched("/process/args", ["a\udcff"]).replace("\\udcff", "\udcff")).process.args).toEqual(["a\udcff"]);
  });
});

describe("many issues", () => {
  test("are all reported, in the order of the document", () => {
    const text = `{
      "linux": { "sysctl": { "vm.x": "1", "a": 1 }, "namespaces": [{ "type": "uts" }, { "type": "mount" }, { "type": "x" }] },
      "mounts": [{ "type": 5, "destination": "/a" }, { "destination": 6 }],
      "process": { "cwd": "x", "args": [1, 2], "terminal": 0 },
      "root": { "readonly": 1 },
      "ociVersion": "1.0.0"
    }`;
    expect(issues(text)).toEqual([
      "invalid /linux/sysctl/a: must be a string, got 1",
      'invalid /linux/namespaces/2/type: must be one of "pid", "network", "mount", "ipc", "uts", "user", "cgroup", "time", got "x"',
      "invalid /mounts/0/type: must be a string, got 5",
      "invalid /mounts/1/destination: must be a string, got 6",
      'invalid /process/cwd: must be an absolute path, got "x"',
      "invalid /process/args/0: must be a string, got 1",
      "invalid /process/args/1: must be a string, got 2",
      "invalid /process/terminal: must be true or false, got 0",
      "invalid /root/path: is required",
      "invalid /root/readonly: must be true or false, got 1",
    ]);
  });

  test("end at a hundred", () => {
    const found = loadConfig(patched("/process/env", new Array(100_000).fill(0)));
    expect(found.issues).toHaveLength(MAX_ISSUES);
    expect(found.config).toBeUndefined();
    const capabilities = patched("/process/capabilities/bounding", new Array(1000).fill("CAP_X"));
    expect(loadConfig(capabilities).issues).toHaveLength(MAX_ISSUES);
  });
});

describe("texts that are no config", () => {
  test.each([
    ["", "invalid : invalid JSON: line 1, column 1: expected a value, found the end of the text"],
    ["{", 'invalid : invalid JSON: line 1, column 2: expected a member name or "}", found the end of the text'],
    ["null", "invalid : must be an object, got null"],
    ["[]", "invalid : must be an object, got an array"],
    ["5", "invalid : must be an object, got 5"],
  ])("%j is one issue", (text, expected) => {
    expect(issues(text)).toEqual([expected]);
  });

  test("a million brackets, a huge number, deep unknown fields", () => {
    const start = performance.now();
    expect(issues("[".repeat(1_000_000))).toEqual([
      "invalid : invalid JSON: line 1, column 1001: nesting deeper than 1000",
    ]);
    expect(issues(`{"x":${"[".repeat(1_000_000)}`)[0]).toContain("nesting deeper than 1000");
    expect(issues(`{"process":{"oomScoreAdj":${"9".repeat(1_000_000)}}}`)).toContain(
      "invalid /process/oomScoreAdj: must be an integer from -1000 to 1000, got Infinity",
    );
    expect(issues(patched("/linux/seccomp", JSON.parse("[".repeat(900) + "]".repeat(900))))).toEqual([
      "invalid /linux/seccomp: must be an object, got an array",
    ]);
    expect(performance.now() - start).toBeLessThan(1000);
  });

  test("every truncation of a config is one syntax error", () => {
    const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8").trimEnd();
    for (let length = 0; length < text.length; length += 7) {
      expect(issues(text.slice(0, length))[0]).toMatch(/^invalid : invalid JSON: line \d+, column \d+: /);
    }
  });
});
