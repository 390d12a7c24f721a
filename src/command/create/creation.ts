// What the steps of one create share.

import type { Config } from "../../config/types.ts";
import type { Native } from "../../host/native.gen.ts";
import type { Plan, RuntimeStep } from "../../plan/plan.ts";
import type { Cgroups } from "./cgroups.ts";
import type { Ends } from "./inherited.ts";
import type { Interrupts } from "./interrupts.ts";
import type { NetDevices } from "./net-devices.ts";
import type { SystemdDriver } from "./systemd.ts";
import type { UndoStack } from "./undo.ts";

export type Step<K extends RuntimeStep["step"]> = Extract<RuntimeStep, { step: K }>;

/** One create under way. */
export interface Creation {
  readonly native: Native;
  readonly interrupts: Interrupts;
  readonly undo: UndoStack;
  /** Compiled while init is cloned. */
  plan?: Plan;
  readonly config: Config;
  /** Of linux.seccomp; compiled once the plan is sent. */
  filter?: Uint32Array;
  readonly ends: Ends;
  /** The runtime's end of the sync socket. */
  readonly socket: number;
  /** The first descriptor that is init's own. */
  readonly base: number;
  /** What cgroups refuse may be gone without. */
  readonly rootless: boolean;
  /** This process is not the host's root: it must stay dumpable, and mounts need a user namespace. */
  readonly unprivileged: boolean;
  cgroups: Cgroups;
  /** With --systemd-cgroup. */
  systemd?: SystemdDriver;
  /** The leaf of each hierarchy. */
  leaves: readonly string[];
  /** A clone is under way. */
  spawning: boolean;
  /** The container's init; 0 and -1 before it exists. */
  pid: number;
  pidfd: number;
  /** Of idmapped mounts, by number; closed after the last one. */
  readonly userNamespaces: number[];
  /** Of linux.netDevices, while they can still be brought back. */
  netDevices?: NetDevices;
  /** Of linux.intelRdt: the groups that were made. */
  resctrlGroups?: string[];
  /** Called once init has its final pid, while it mounts, and again later: before init has to be waited for. */
  readonly onInit: () => void;
  /** Called when nothing but init's own report is missing. */
  beforeReady?: () => void;
  /** Called before a hook runs. */
  readonly onHook: () => void;
  /** The state that hooks get on stdin. */
  readonly hookState: (pid: number, status: "creating" | "created") => string;
}
