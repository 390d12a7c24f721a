// config.json as Berth works with it: the field names of the OCI runtime-spec (v1.3), decoded and validated by
// decode.ts. 64-bit fields are bigint. Maps keep their order of keys sorted by code unit. Absent fields are absent.

import type { Seccomp } from "../seccomp/types.ts";

/** Every string is free of NUL; bytes that are not UTF-8 are U+DC80..DCFF (see host/abi.ts). */
export interface Config {
  ociVersion: string;
  root: Root;
  /** Always there: a config.json without process is refused, as runc does at create. */
  process: Process;
  hostname?: string;
  domainname?: string;
  mounts: Mount[];
  hooks: Hooks;
  annotations: ReadonlyMap<string, string>;
  linux: Linux;
}

export interface Root {
  path: string;
  readonly: boolean;
}

export interface Process {
  terminal: boolean;
  consoleSize?: { height: number; width: number };
  user: { uid: number; gid: number; umask?: number; additionalGids: number[] };
  args: string[];
  env: string[];
  cwd: string;
  /** Absent: the container process keeps no capability at all (as runc). */
  capabilities?: Capabilities;
  rlimits: Rlimit[];
  noNewPrivileges: boolean;
  oomScoreAdj?: number;
  scheduler?: Scheduler;
  ioPriority?: { class: IoPriorityClass; priority: number };
  apparmorProfile?: string;
  selinuxLabel?: string;
  execCPUAffinity?: { initial?: string; final?: string };
}

/** Capability masks: bit n is capability number n (CAP_CHOWN is bit 0). Unknown names are left out with a warning. */
export interface Capabilities {
  bounding: bigint;
  effective: bigint;
  inheritable: bigint;
  permitted: bigint;
  ambient: bigint;
}

export interface Rlimit {
  /** RLIMIT_ number. */
  resource: number;
  soft: bigint;
  hard: bigint;
}

export type SchedulerPolicy =
  | "SCHED_OTHER"
  | "SCHED_FIFO"
  | "SCHED_RR"
  | "SCHED_BATCH"
  | "SCHED_ISO"
  | "SCHED_IDLE"
  | "SCHED_DEADLINE";

export interface Scheduler {
  policy: SchedulerPolicy;
  nice: number;
  priority: number;
  /** SCHED_FLAG_ bits. */
  flags: number;
  runtime: bigint;
  deadline: bigint;
  period: bigint;
}

export type IoPriorityClass = "IOPRIO_CLASS_RT" | "IOPRIO_CLASS_BE" | "IOPRIO_CLASS_IDLE";

export interface IdMapping {
  containerID: number;
  hostID: number;
  size: number;
}

export interface Mount {
  /** Absolute and as written (not cleaned); a relative one got a leading slash and a warning. Never the root itself. */
  destination: string;
  /** Absent or without meaning for a bind mount or remount; there for every other mount. */
  type?: string;
  /** There for every bind mount: absolute or relative to the bundle. */
  source?: string;
  /** As written; tables/mount-options.ts reads them. */
  options: string[];
  /** The ids of an idmapped mount: both or none; none with the option idmap: those of the user namespace. */
  uidMappings?: IdMapping[];
  gidMappings?: IdMapping[];
}

export const HOOK_KINDS = [
  "prestart",
  "createRuntime",
  "createContainer",
  "startContainer",
  "poststart",
  "poststop",
] as const;
export type HookKind = (typeof HOOK_KINDS)[number];
export type Hooks = Readonly<Record<HookKind, readonly Hook[]>>;

export interface Hook {
  path: string;
  /** Absent: [path]. */
  args?: string[];
  /** Absent: the kind's default environment. */
  env?: string[];
  /** Seconds, above 0. */
  timeout?: number;
}

export type NamespaceType = "pid" | "network" | "mount" | "ipc" | "uts" | "user" | "cgroup" | "time";

export interface Namespace {
  type: NamespaceType;
  /** Join this one; absent: a new one. */
  path?: string;
}

export interface TimeOffset {
  clock: "boottime" | "monotonic";
  secs: bigint;
  /** 0..999999999. */
  nanosecs: number;
}

export interface Device {
  /** "u" is a character device without buffer: the same node as "c". */
  type: "c" | "b" | "u" | "p";
  path: string;
  /** 0 for a FIFO ("p"). */
  major: number;
  minor: number;
  /** Permission, set-id and sticky bits (07777; type bits are cut off); absent: 0666. */
  fileMode?: number;
  uid: number;
  gid: number;
}

export interface DeviceRule {
  allow: boolean;
  /** "a" is every type. */
  type: "a" | "c" | "b";
  /** Absent: every number. */
  major?: number;
  minor?: number;
  /** Letters of "rwm", never empty. */
  access: string;
}

export type RootfsPropagation =
  | "shared"
  | "slave"
  | "private"
  | "unbindable"
  | "rshared"
  | "rslave"
  | "rprivate"
  | "runbindable";

/**
 * linux.resources (config-linux.md, "Control groups"); also what `update -r` reads. An absent member changes nothing.
 * Numbers as the spec types them; 64-bit ones are bigint. -1 is "unlimited" where the spec says so.
 */
export interface Resources {
  devices: DeviceRule[];
  memory?: MemoryResources;
  cpu?: CpuResources;
  pids?: { limit?: bigint };
  blockIO?: BlockIOResources;
  hugepageLimits?: { pageSize: string; limit: bigint }[];
  network?: { classID?: number; priorities: { name: string; priority: number }[] };
  rdma?: ReadonlyMap<string, { hcaHandles?: number; hcaObjects?: number }>;
  /** cgroup v2 files and what is written to them. */
  unified?: ReadonlyMap<string, string>;
}

/** Bytes. */
export interface MemoryResources {
  limit?: bigint;
  reservation?: bigint;
  /** Memory and swap together, as v1 counts. */
  swap?: bigint;
  swappiness?: bigint;
  disableOOMKiller?: boolean;
  /** Refuse a limit below what is in use. */
  checkBeforeUpdate?: boolean;
}

export interface CpuResources {
  shares?: bigint;
  /** Microseconds, as the three after it. */
  quota?: bigint;
  burst?: bigint;
  period?: bigint;
  realtimeRuntime?: bigint;
  realtimePeriod?: bigint;
  cpus?: string;
  mems?: string;
  idle?: bigint;
}

export interface BlockIOResources {
  weight?: number;
  leafWeight?: number;
  weightDevice: { major: number; minor: number; weight?: number; leafWeight?: number }[];
  throttleReadBpsDevice: ThrottleDevice[];
  throttleWriteBpsDevice: ThrottleDevice[];
  throttleReadIOPSDevice: ThrottleDevice[];
  throttleWriteIOPSDevice: ThrottleDevice[];
}

export interface ThrottleDevice {
  major: number;
  minor: number;
  rate: bigint;
}

export interface Linux {
  namespaces: Namespace[];
  uidMappings: IdMapping[];
  gidMappings: IdMapping[];
  timeOffsets: TimeOffset[];
  devices: Device[];
  cgroupsPath?: string;
  resources: Resources;
  rootfsPropagation?: RootfsPropagation;
  maskedPaths: string[];
  readonlyPaths: string[];
  sysctl: ReadonlyMap<string, string>;
  /** SELinux context of the file systems that are mounted. */
  mountLabel?: string;
  /** linux.personality.domain. */
  personality?: "LINUX" | "LINUX32";
  seccomp?: Seccomp;
  /** By the name of the device in the runtime's network namespace; never empty. */
  netDevices?: ReadonlyMap<string, NetDevice>;
  intelRdt?: IntelRdt;
}

export interface IntelRdt {
  /** Absent: the container's id. "/": the default group. */
  closID?: string;
  l3CacheSchema?: string;
  memBwSchema?: string;
  /** Further lines; empty ones count for nothing. */
  schemata: string[];
  enableMonitoring: boolean;
}

export interface NetDevice {
  /** In the container; absent: the one it has. `%d` in it stands for a number that is free there. */
  name?: string;
}

/** One thing wrong with config.json. */
export interface Issue {
  /** RFC 6901, "" for the whole document. */
  pointer: string;
  /** "invalid" (wrong type or value), "unsupported" (a valid field that Berth does not do yet), "warning". */
  kind: "invalid" | "unsupported" | "warning";
  /** Without the pointer: `must be an absolute path, got "proc"`. */
  message: string;
}
