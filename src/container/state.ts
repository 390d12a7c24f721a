// What the state folder records (docs/architecture.md, "State folder").

import type { Hook } from "../config/types.ts";
import type { RecordedResctrl } from "./resctrl.ts";

/**
 * The first record: everything that start, kill and delete need, written before anything is made outside of init's
 * namespaces.
 */
export interface StateStatic {
  id: string;
  /** Absolute. */
  bundle: string;
  rootfs: string;
  ociVersion: string;
  /** Pairs, because an object would reorder keys such as "1" and lose "__proto__". Sorted by key. */
  annotations: [string, string][];
  /** cgroup folders that `delete` removes, absolute. */
  cgroups: string[];
  /** The unit that systemd keeps the cgroups in; absent: the cgroups were made by mkdir. */
  systemd?: SystemdUnit;
  /** With linux.intelRdt: what `exec` enters and `delete` removes. */
  resctrl?: RecordedResctrl;
  /** init is pid 1 of its own pid namespace: killing it kills all. */
  privatePid: boolean;
  /** poststartMayFail: as runtime-spec has it before 1.3, see hooks.ts. */
  hooks: { poststart: readonly Hook[]; poststop: readonly Hook[]; poststartMayFail?: true };
  /** The process that runs `create` or `run`. */
  creator: ProcessId;
  /** Effective uid of the creator. */
  uid: number;
  rootless: boolean;
  /** --no-new-keyring: what `exec` starts joins no session keyring either. */
  noNewKeyring?: true;
  /** It was created with NOTIFY_SOCKET, and has a socket of its own. */
  notify?: true;
}

/** What the caller of StateHandle.begin gives: the rest is found out there. */
export type StateInput = Omit<StateStatic, "annotations" | "creator" | "uid"> & {
  annotations: ReadonlyMap<string, string>;
};

/** With --systemd-cgroup. What `update` and `delete` need: they get no such flag (conmon's exec, too). */
export interface SystemdUnit {
  /** "libpod-ID.scope", or a slice. */
  unit: string;
  /** The user's service manager instead of the system's. */
  user: boolean;
}

export interface ProcessId {
  pid: number;
  /** Field 22 of /proc/PID/stat. */
  startTime: number;
}

/** init's ops after wait_start. */
export interface StartOps {
  /** Index of the first in the plan. */
  first: number;
  /** Opcode, JSON pointer, subject ("" when there is none) of each. */
  ops: [number, string, string][];
}

/** All records of a container. */
export interface ContainerState extends StateStatic {
  init?: ProcessId;
  /** RFC 3339 with nanoseconds; absent until create has ended. */
  created?: string;
  /** Where the ops that `start` releases come from; see start-ops.ts. Comes with `created`; `run` does without. */
  startOps?: StartOps;
}

export type Status = "creating" | "created" | "running" | "paused" | "stopped";
