// A compiled plan: everything that a command will do, as data. compile: src/plan/create.ts; run: src/command/create;
// print: src/plan/print.ts.

import type { IdMapping } from "../config/types.ts";
import type { HostFacts } from "../host/facts.ts";
import type { CompileOptions } from "../seccomp/types.ts";
import type { UnitProperty } from "../systemd/property.ts";

/** Where an operation comes from, for messages and explain: a JSON pointer, or a word such as "default". */
export interface Origin {
  pointer: string;
  /** The path or name that the operation is about, as the user knows it. */
  subject?: string;
}

/** init's program, encoded: words and strings as csrc/init/plan.h describes, an origin for each operation. */
export interface InitProgram {
  words: Uint32Array;
  strings: string[];
  /** By op index. */
  origins: readonly Origin[];
  /** Where the part that `start` releases begins: index and first word of wait_start or filter_and_wait. */
  waitStart?: { op: number; word: number };
}

/**
 * A descriptor that init inherits in its slot, in slot order: slot 0 sync socket, 1 plan file, then these. The runtime
 * opens each just before the clone.
 */
export type Inherited =
  | { what: "sync" }
  | { what: "plan" }
  | { what: "start pipe" }
  /** Only for `create`: see wait_commit. `run` has the anonymous start pipe, which does the same. */
  | { what: "commit pipe" }
  | { what: "console socket" }
  /** `exec`: the pidfd of the container's init, whose namespaces are joined. */
  | { what: "container" }
  /**
   * `changed`: the pointer of a sysctl that would change the host, should the namespace be berth's own. `moved`: that of
   * devices that would be moved nowhere then. `ids`: what config.json says of the maps of a user namespace, which must be
   * true.
   */
  | {
      what: "namespace";
      type: string;
      path: string;
      nstype: number;
      changed?: string;
      moved?: string;
      ids?: { uids: readonly IdMapping[]; gids: readonly IdMapping[] };
      origin: Origin;
    }
  /** `exec`: `tasks` of a v1 cgroup, or cgroup.procs of the unified one, opened for writing. */
  | { what: "cgroup join"; path: string; origin: Origin }
  /** A v2 cgroup directory, for the joiner's clone. */
  | { what: "cgroup directory"; path: string; origin: Origin }
  /** A bind source that only the runtime can reach: open_tree is done by init all the same. */
  | { what: "file"; path: string; flags: number; origin: Origin };

/** What the runtime itself does, in order. Each step is undone when a later one fails (see command/create/undo). */
export type RuntimeStep =
  /**
   * Makes the missing folders from below `mountpoint` down to `path`. `controllers` is a hierarchy's name, "" is v2.
   * `shared`: systemd may have made it for the same unit.
   */
  | { step: "mkdir cgroup"; path: string; mountpoint: string; controllers: string; shared?: true; origin: Origin }
  /**
   * A cgroup that was there before must hold no process (its children neither) and must not be frozen. Nothing between it
   * and `mountpoint` may be frozen either: a process that is made there would never run.
   */
  | { step: "check cgroup empty"; path: string; mountpoint: string; controllers: string; origin: Origin }
  /** Copies the parent's value when the file is empty: cpuset.cpus and cpuset.mems of v1. */
  | { step: "inherit cgroup file"; path: string; file: string; origin: Origin }
  /**
   * `otherwise` is written instead where the kernel has no such file (io.bfq.weight). `optional`: without the file nothing
   * is to be done (memory.swap.max on a kernel without swap accounting, when no limit is asked). `retry`: EINVAL is not
   * the end; it is written again after the next step without `retry`, whose value it must fit (a burst and its quota).
   * `patient`: EINVAL may come from a cgroup beside it that was just removed and whose share the kernel has not given
   * back yet; it is tried for a while. `above`: refused when that file of the cgroup already holds the value or more.
   */
  | {
      step: "write cgroup file";
      path: string;
      file: string;
      data: string;
      otherwise?: { file: string; data: string };
      optional?: true;
      retry?: true;
      patient?: true;
      above?: { file: string; value: string };
      origin: Origin;
    }
  /** Warns: the field has no meaning in this cgroup mode. */
  | { step: "ignore field"; reason: string; origin: Origin }
  /**
   * v2: makes the controllers available in `path`, by cgroup.subtree_control of each folder above that lacks one;
   * `pointers` are the fields that need them, in the same order. `others`: so are all that the top has, as far as the
   * folders let it be, for what is read of the container later.
   */
  | {
      step: "enable controllers";
      path: string;
      mountpoint: string;
      controllers: readonly string[];
      pointers: readonly string[];
      others: boolean;
      origin: Origin;
    }
  /**
   * Has systemd make the transient unit, with the process that was spawned in it, and waits for it. `cgroup` is where that
   * process must be then: the line of /proc/PID/cgroup with that name ("" is v2).
   */
  | {
      step: "start unit";
      unit: string;
      properties: readonly UnitProperty[];
      cgroup: { name: string; path: string };
      origin: Origin;
    }
  | { step: "set unit properties"; unit: string; properties: readonly UnitProperty[]; origin: Origin }
  /** v1 with systemd, which knows only some controllers: makes what is missing and moves the process there. */
  | { step: "join cgroup"; path: string; controllers: string; origin: Origin }
  /** v2: the cgroup is mounted writable, so it and the files that the kernel lists are the user's. */
  | { step: "delegate cgroup"; path: string; uid: number; origin: Origin }
  /** For explain: deviceProgramLines of src/cgroup/device-decode.ts. */
  | { step: "attach device program"; path: string; program: Uint32Array; origin: Origin }
  /** Begins the clone. It goes on while the steps up to "await clone" are done, and while the plan is compiled. */
  | { step: "spawn"; flags: number; cgroup?: string; origin: Origin }
  /** init begins with the plan and its inherited descriptors, once it is cloned. */
  | { step: "send plan"; origin: Origin }
  /** For init's op join_cgroups: each file opened for writing, in the same order. */
  | { step: "send cgroups"; files: readonly string[]; origin: Origin }
  | { step: "await clone"; origin: Origin }
  /** Waits for init's report BARRIER n; FAILED or EOF instead is the error. */
  | { step: "await barrier"; barrier: number; origin: Origin }
  | { step: "release barrier"; barrier: number; origin: Origin }
  /** Sends the filter of linux.seccomp, compiled since "send plan", to init, which may have come to receive_filter or not. */
  | { step: "send filter"; compile: CompileOptions; origin: Origin }
  /** Waits for init's report LISTENER, and hands a copy of that descriptor to who listens at `path`. */
  | { step: "await listener"; path: string; metadata?: string; origin: Origin }
  /** The joiner's child: pid and pidfd replace those of spawn. */
  | { step: "await child"; origin: Origin }
  | { step: "await ready"; origin: Origin }
  /** Writes to /proc/<pid of init>/<file>. */
  | {
      step: "write proc file";
      file: "oom_score_adj" | "setgroups" | "uid_map" | "gid_map";
      data: string;
      origin: Origin;
    }
  /**
   * As above for uid_map (newuidmap) or gid_map (newgidmap); where the kernel does not let us, the helper does it, which
   * knows the caller's subordinate ids.
   */
  | { step: "map ids"; helper: "newuidmap" | "newgidmap"; data: string; origin: Origin }
  /** For idmapped mounts; numbered from 0 in the order of these steps. `path`: one that is there already. */
  | { step: "make user namespace"; uids: string; gids: string; origin: Origin }
  | { step: "open user namespace"; path: string; origin: Origin }
  /**
   * Clones `source` in init's mount namespace, gives it the ids of a user namespace (-1: its own) and hands it to init,
   * which waits at the `mount` barrier. flags are those of open_tree(2); `last`: the user namespaces are not needed any more.
   */
  | {
      step: "map mount";
      source: string;
      flags: number;
      namespace: number;
      recursive: boolean;
      last: boolean;
      origin: Origin;
    }
  /** The device is there, and its name free in init's network namespace. `name`: there; absent: the one it has. */
  | { step: "find network device"; device: string; name?: string; origin: Origin }
  /** Moves and renames it, gives it its addresses back and brings it up. */
  | { step: "move network device"; device: string; name?: string; origin: Origin }
  /** `root`: where resctrl is mounted; `group`: below it. `own`: it must not be there yet. */
  | { step: "make resctrl group"; root: string; group: string; own: boolean; origin: Origin }
  | { step: "write schemata"; root: string; group: string; data: string; origin: Origin }
  /** Puts init into it. `optional`: when it is there. */
  | { step: "join resctrl group"; root: string; group: string; optional?: true; origin: Origin }
  | { step: "raise rlimit"; resource: number; soft: bigint; hard: bigint; origin: Origin }
  | { step: "hook"; kind: "prestart" | "createRuntime"; index: number; origin: Origin };

export interface Plan {
  init: InitProgram;
  inherited: Inherited[];
  runtime: RuntimeStep[];
  /** cgroups that are ours to remove: leaf folders, by hierarchy mount point. */
  cgroups: string[];
  /** The unit that systemd is asked for; absent without --systemd-cgroup. */
  unit?: string;
}

/** What systemd says of itself, with --systemd-cgroup. */
export interface SystemdFacts {
  /** A user's service manager, not the system's. */
  user: boolean;
  version: number;
  /** The cgroup that its own tree begins at: "" or "/" for the system's. */
  controlGroup: string;
}

export interface CreateOptions {
  id: string;
  /** Absolute, resolved folder of the bundle. */
  bundle: string;
  /** The caller's fds 3.. that the container keeps. */
  preserveFds: number;
  listenFds: number;
  noPivot: boolean;
  noNewKeyring: boolean;
  /** create: init outlives the runtime, so it waits for wait_commit (a "commit pipe" is inherited) before wait_start. */
  outlives: boolean;
  /** "none": config has no terminal. "socket": --console-socket. "foreground": run in this terminal. */
  console: "none" | "socket" | "foreground";
  /**
   * The unified cgroup was there before: init moves itself into it. When somebody freezes it meanwhile, a clone into it
   * would hang where no signal but SIGKILL reaches the runtime.
   */
  oldUnified?: boolean;
  facts: HostFacts;
  /** --systemd-cgroup: the cgroups are systemd's to make. */
  systemd?: SystemdFacts;
}
