// The config.json that `spec` writes: the one of runc, member for member, so that scripts which edit it keep working.
// Newer than runc 1.1: no ambient capabilities (a default that grants them to every program was given up in runc 1.2).

import { type Json, writeJson } from "../json/write.ts";
import { VERSION } from "../version.ts";

/** Version of the runtime-spec that Berth implements, and that the template names. */
export const SPEC_VERSION = VERSION.spec;

export interface TemplateOptions {
  /** A pure cgroup v2 host: the container gets a cgroup namespace. */
  cgroup2: boolean;
  /** For a caller without root: a user namespace that maps these ids to root. */
  rootless?: { euid: number; egid: number };
}

const CAPABILITIES = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"];

const MASKED = [
  "/proc/acpi",
  "/proc/asound",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/proc/sched_debug",
  "/sys/firmware",
  "/proc/scsi",
];

const READONLY = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

const SYS: Json = {
  destination: "/sys",
  type: "sysfs",
  source: "sysfs",
  options: ["nosuid", "noexec", "nodev", "ro"],
};

/** A new sysfs needs a network namespace of its own, which rootless has not: the host's is bound read-only. */
const ROOTLESS_SYS: Json = {
  destination: "/sys",
  type: "none",
  source: "/sys",
  options: ["rbind", "nosuid", "noexec", "nodev", "ro"],
};

function mounts(rootless: boolean): Json {
  return [
    { destination: "/proc", type: "proc", source: "proc" },
    {
      destination: "/dev",
      type: "tmpfs",
      source: "tmpfs",
      options: ["nosuid", "strictatime", "mode=755", "size=65536k"],
    },
    {
      destination: "/dev/pts",
      type: "devpts",
      source: "devpts",
      // gid 5 (tty) is not mapped when there is one id only.
      options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", ...(rootless ? [] : ["gid=5"])],
    },
    {
      destination: "/dev/shm",
      type: "tmpfs",
      source: "shm",
      options: ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"],
    },
    { destination: "/dev/mqueue", type: "mqueue", source: "mqueue", options: ["nosuid", "noexec", "nodev"] },
    rootless ? ROOTLESS_SYS : SYS,
    {
      destination: "/sys/fs/cgroup",
      type: "cgroup",
      source: "cgroup",
      options: ["nosuid", "noexec", "nodev", "relatime", "ro"],
    },
  ];
}

function namespaces(options: TemplateOptions): Json {
  const types = ["pid", "network", "ipc", "uts", "mount"];
  if (options.cgroup2) types.push("cgroup");
  if (options.rootless === undefined) return types.map((type) => ({ type }));
  return [...types.filter((type) => type !== "network"), "user"].map((type) => ({ type }));
}

function linux(options: TemplateOptions): Json {
  const { rootless } = options;
  const mapping = (hostID: number): Json => [{ containerID: 0, hostID, size: 1 }];
  return {
    uidMappings: rootless && mapping(rootless.euid),
    gidMappings: rootless && mapping(rootless.egid),
    resources: rootless ? undefined : { devices: [{ allow: false, access: "rwm" }] },
    namespaces: namespaces(options),
    maskedPaths: MASKED,
    readonlyPaths: READONLY,
  };
}

/** The text of a default config.json, indented with tabs, without a newline at the end, as runc writes it. */
export function configTemplate(options: TemplateOptions): string {
  const config: Json = {
    ociVersion: SPEC_VERSION,
    process: {
      terminal: true,
      user: { uid: 0, gid: 0 },
      args: ["sh"],
      env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"],
      cwd: "/",
      capabilities: { bounding: CAPABILITIES, effective: CAPABILITIES, permitted: CAPABILITIES },
      rlimits: [{ type: "RLIMIT_NOFILE", hard: 1024, soft: 1024 }],
      noNewPrivileges: true,
    },
    root: { path: "rootfs", readonly: true },
    hostname: "runc",
    mounts: mounts(options.rootless !== undefined),
    linux: linux(options),
  };
  return writeJson(config, "\t");
}
