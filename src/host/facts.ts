// What the plan compilers may know of the host. Gathered once (gather.ts), passed as data: the compilers stay pure.

export interface HostFacts {
  /** [major, minor] of the kernel. */
  kernel: readonly [number, number];
  /** Effective uid and gid of the runtime. */
  euid: number;
  egid: number;
  /**
   * Berth is root of a user namespace that is not the host's: it can make no device nodes, and what the host has mounted
   * keeps its attributes.
   */
  userNamespace?: true;
  /** setgroups(2) is denied there. */
  setgroups?: false;
  /** Berth's network namespace belongs to the host, or another user namespace: no new sysfs shows it. */
  foreignNetwork?: true;
  cgroup: CgroupFacts;
  /** The host has /proc/kcore: the container gets /dev/core. */
  kcore: boolean;
  /** Whether the kernel enforces these, each only where config.json asks for it (gather-lsm.ts). */
  apparmor?: boolean;
  selinux?: boolean;
  /** Only where config.json has linux.intelRdt, and a resctrl file system is mounted (gather-resctrl.ts). */
  resctrl?: ResctrlFacts;
  /** The limits this process has, by RLIMIT_ number, only those that config.json sets. */
  rlimits: ReadonlyMap<number, { soft: bigint; hard: bigint }>;
  /** The soft and hard RLIMIT_NOFILE to hand on (the Node host's own raise undone); absent: as inherited. */
  nofile?: { soft: bigint; hard: bigint };
}

export interface ResctrlFacts {
  /** Where it is mounted. */
  root: string;
  /** L3 cache and memory bandwidth can be allocated. */
  l3: boolean;
  mb: boolean;
}

export interface CgroupFacts {
  mode: "v1" | "hybrid" | "v2";
  /**
   * v1 hierarchies: the controllers or "name=..." of each, where it is mounted, own path in it. Empty on v2. In the order
   * of /proc/self/cgroup: the hierarchy that was made last comes first.
   */
  hierarchies: readonly CgroupHierarchy[];
  /** The unified hierarchy: mount point and own path; absent on pure v1. */
  unified?: { mountpoint: string; own: string; closed?: true };
}

export interface CgroupHierarchy {
  /** As /proc/self/cgroup names it: "cpu,cpuacct" or "name=systemd". */
  name: string;
  mountpoint: string;
  own: string;
  /** Rootless: no cgroup can be made there, and the container does without (src/host/gather-closed.ts). */
  closed?: true;
}
