// What the compilers of one `create` share.

import type { CgroupPaths } from "../cgroup/path.ts";
import type { Config } from "../config/types.ts";
import type { PlanBuilder } from "./builder.ts";
import type { NamespaceSet } from "./namespace-set.ts";
import type { CreateOptions, RuntimeStep } from "./plan.ts";
import type { UnitPlan } from "./unit.ts";

/** A mount that is made read-only when nothing more has to be put into it. */
export interface DeferredReadOnly {
  mount: number;
  recursive: boolean;
  pointer: string;
  destination: string;
}

export interface KernelMount {
  destination: string;
  mount: number;
}

export interface Compilation {
  readonly config: Config;
  readonly options: CreateOptions;
  readonly ops: PlanBuilder;
  readonly steps: RuntimeStep[];
  readonly namespaces: NamespaceSet;
  readonly cgroups: CgroupPaths;
  /** With --systemd-cgroup. */
  readonly unit?: UnitPlan;
  /** Host path of the root file system. */
  readonly rootfs: string;
  readonly slots: InheritedSlots;
  /** Slot of the container's root mount; from rootfs.ts on. */
  root: number;
  /** Slot of the runtime's mount namespace, while init has left it to make the mounts; else NONE: see rootfs.ts. */
  hostMounts: number;
  /** Slot of our own procfs while it is open, else NONE: see procfs.ts. */
  procfs: number;
  readonly deferred: DeferredReadOnly[];
  /** What is mounted on /proc and /sys, for the masked and read-only paths below. */
  readonly kernelMounts: KernelMount[];
  /** The files through which init moves itself into its cgroups; empty from the op on that does it. */
  cgroupFiles: readonly string[];
  /** What the mount of cgroups lacks, when it is the last one and they are to come: done once /dev is made, which needs none. */
  fillCgroups?: () => void;
  /** A bind mount on /dev brings its own nodes: nothing is put into it. */
  bindsDev: boolean;
}

/** Slots of what init inherits. -1: not inherited. */
export interface InheritedSlots {
  startPipe: number;
  commitPipe: number;
  consoleSocket: number;
  /** `exec`: of the cgroups that the process moves itself into: the file that it writes to, and the folder. */
  tasks: { slot: number; path: string }[];
  /** Namespaces to join, in the order of config.json. */
  joins: { slot: number; nstype: number; pointer: string; path: string }[];
}

/** Descriptors 0.. that are the caller's: stdio, LISTEN_FDS and --preserve-fds. */
export function callerDescriptors(options: CreateOptions): number {
  return 3 + options.listenFds + options.preserveFds;
}
