// Runs the runtime's own steps of a plan, in order, while init works through its ops.

import type { Config } from "../../config/types.ts";
import { thaw } from "../../container/thaw.ts";
import { RuntimeError } from "../../errors/runtime-error.ts";
import { must, nativeError } from "../../host/must.ts";
import type { Native } from "../../host/native.gen.ts";
import { loaded } from "../../lazy.ts";
import type { Plan, RuntimeStep } from "../../plan/plan.ts";
import { BARRIER, REPORT } from "../../plan/protocol.ts";
import { mapFile } from "../../plan/user-mappings.ts";
import {
  type Cgroups,
  enableControllers,
  inheritFile,
  makeCgroup,
  openUnified,
  placeOf,
  warnIgnored,
  writeCgroupFile,
} from "./cgroups.ts";
import { type Ends, openInherited } from "./inherited.ts";
import type { Interrupts } from "./interrupts.ts";
import type { NetDevices } from "./net-devices.ts";
import { awaitReport, mustSend, type Report } from "./reports.ts";
import type { SystemdDriver } from "./systemd.ts";
import type { UndoStack } from "./undo.ts";

const AT_FDCWD = -100;
const O_WRONLY = 1;
const EPERM = 1;
const ECHILD = 10;
const SIGKILL = 9;
const POLLIN = 1;
const PATIENCE_MS = 10_000;

/** Everything that the steps of one create share. */
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

/** prestart is from the time when `start` ran it: its hooks see the status that they saw then, as under crun. */
const HOOK_STATUS = { prestart: "created", createRuntime: "creating" } as const;

/** Runs the steps first..end-1; the first failure, init's own included, is thrown, nothing is undone here. */
export function runSteps(creation: Creation, steps: readonly RuntimeStep[], first = 0, end = steps.length): void {
  try {
    runAll(creation, steps, first, end);
  } catch (error) {
    throw loaded(import("./first-cause.ts")).firstCause(creation, error);
  }
}

function runAll(creation: Creation, steps: readonly RuntimeStep[], first: number, end: number): void {
  for (let i = first; i < end; i++) {
    const step = steps[i] as RuntimeStep;
    if (step.step === "write cgroup file") {
      const place = placeOf(creation.cgroups);
      i =
        creation.rootless && step.file.startsWith("devices.")
          ? loaded(import("./rootless-devices.ts")).writeDeviceRules(creation.native, steps, i, place)
          : writeCgroupFile(creation.native, steps, i, place);
    } else runStep(creation, step);
  }
}

function runStep(creation: Creation, step: Exclude<RuntimeStep, { step: "write cgroup file" }>): void {
  const { native } = creation;
  switch (step.step) {
    case "mkdir cgroup":
      makeCgroup(native, creation.cgroups, step);
      return;
    case "check cgroup empty":
      return; // done by checkCgroups
    case "inherit cgroup file":
      inheritFile(native, creation.cgroups, step);
      return;
    case "ignore field":
      warnIgnored(step);
      return;
    case "enable controllers":
      enableControllers(native, creation.cgroups, step);
      return;
    case "start unit":
      creation.systemd?.start(step, creation.pid, creation.interrupts);
      return;
    case "set unit properties":
      creation.systemd?.set(step);
      return;
    case "join cgroup":
      loaded(import("./systemd.ts")).joinCgroup(native, step, creation.pid);
      return;
    case "delegate cgroup":
      loaded(import("./delegate.ts")).delegateFiles(
        native,
        step,
        openUnified(native, creation.cgroups, step.path, step.origin.pointer),
      );
      return;
    case "attach device program":
      loaded(import("./device-program.ts")).attachProgram(
        native,
        step,
        openUnified(native, creation.cgroups, step.path, step.origin.pointer),
        creation.rootless,
      );
      return;
    case "spawn":
      beginSpawn(creation, step);
      return;
    case "send plan":
      sendPlan(creation);
      return;
    case "send cgroups":
      sendCgroups(creation, step);
      return;
    case "await clone": {
      const failure = finishSpawn(creation);
      if (failure !== undefined) throw failure;
      return;
    }
    case "await barrier":
      // At an earlier one it may still be the joiner.
      if (step.barrier === BARRIER.devices) creation.onInit();
      hear(creation, REPORT.barrier, step.barrier);
      return;
    case "release barrier":
      must(native.send_go(creation.socket, step.barrier), { operation: "send", message: "cannot reach init" });
      return;
    case "await child":
      awaitChild(creation);
      return;
    case "send filter":
      loaded(import("./filter.ts")).sendFilter(native, creation.socket, creation.filter);
      return;
    case "await listener": {
      const { pid, pidfd } = creation;
      creation.onInit();
      const { value } = hear(creation, REPORT.listener, 0);
      loaded(import("./filter.ts")).sendListener(
        native,
        creation.interrupts,
        step,
        { pid, pidfd, fd: value },
        creation.hookState(pid, "creating"),
      );
      return;
    }
    case "await ready":
      creation.onInit();
      creation.beforeReady?.();
      hear(creation, REPORT.ready, 0);
      return;
    case "write proc file": {
      const path = `/proc/${creation.pid}/${step.file}`;
      must(native.write_file(AT_FDCWD, path, O_WRONLY, 0, step.data), {
        operation: "write",
        path,
        pointer: step.origin.pointer,
      });
      return;
    }
    case "map ids":
      mapIds(creation, step);
      return;
    case "make user namespace":
    case "open user namespace":
      loaded(import("./idmapped.ts")).addUserNamespace(creation, step);
      return;
    case "map mount":
      loaded(import("./idmapped.ts")).mapMount(creation, step);
      return;
    case "find network device":
    case "move network device":
      loaded(import("./net-devices.ts")).stepNetDevice(creation, step);
      return;
    case "make resctrl group":
    case "write schemata":
    case "join resctrl group":
      loaded(import("./resctrl.ts")).runResctrlStep(creation, step);
      return;
    case "raise rlimit":
      raiseRlimit(creation, step);
      return;
    case "hook": {
      creation.onInit();
      creation.onHook();
      const hook = creation.config.hooks[step.kind][step.index];
      if (hook === undefined) throw new RangeError(`the plan names hook ${step.kind}/${step.index}`);
      const { runHook } = loaded(import("../../container/hooks.ts"));
      runHook(
        native,
        hook,
        creation.hookState(creation.pid, HOOK_STATUS[step.kind]),
        step.origin.pointer,
        creation.interrupts.fd,
      );
      creation.interrupts.check();
      return;
    }
  }
}

export type Step<K extends RuntimeStep["step"]> = Extract<RuntimeStep, { step: K }>;

/** Waits for a report of init; FAILED or its end is thrown. */
function hear({ native, interrupts, socket, plan }: Creation, kind: number, value: number): Report {
  return awaitReport(native, interrupts, socket, (plan as Plan).init, kind, value);
}

function beginSpawn(creation: Creation, step: Step<"spawn">): void {
  if (creation.spawning) return; // it could be told early: see early-spawn.ts
  const { native, undo, cgroups } = creation;
  // Steps before this one take microseconds, later ones wait with an eye on signals.
  creation.interrupts.check();
  const cgroup = step.cgroup === undefined ? -1 : openUnified(native, cgroups, step.cgroup, step.origin.pointer);
  const rootless = creation.unprivileged ? 1 : 0;
  // Without privilege this process must stay dumpable to read its own /proc/self: it waits for the clone.
  const background = creation.unprivileged ? 0 : 1;
  const begun = native.spawn_begin(creation.ends.sync, creation.base, step.flags, cgroup, rootless, background);
  if (begun < 0) throw spawnError(native, begun);
  creation.spawning = true;
  undo.push(() => endInit(creation));
}

/** The undo of "spawn"; the second time there is nothing left to do. */
export function endInit(creation: Creation): void {
  if (creation.spawning) finishSpawn(creation);
  if (creation.pidfd >= 0) killInit(creation);
}

function sendPlan(creation: Creation): void {
  const { native, interrupts } = creation;
  const { init, inherited } = creation.plan as Plan;
  interrupts.check();
  const opened: number[] = [];
  let sent: number;
  try {
    const fds = openInherited(native, inherited, creation.ends, opened);
    sent = native.send_plan(creation.socket, init.words, init.strings, fds, creation.unprivileged ? 1 : 0);
  } finally {
    for (const fd of opened) native.close(fd);
  }
  const error = sent < 0 ? spawnError(native, sent) : undefined;
  const { seccomp } = creation.config.linux;
  // The clone may still be going on, and init has enough to do then.
  if (error === undefined && seccomp !== undefined) {
    const filter = loaded(import("./filter.ts")).compilePlanned((creation.plan as Plan).runtime, seccomp);
    if (filter !== undefined) creation.filter = filter;
  }
  // Why init has not got it.
  if (error !== undefined) throw finishSpawn(creation) ?? error;
}

function sendCgroups({ native, socket }: Creation, { files, origin }: Step<"send cgroups">): void {
  const fds = new Uint32Array(files.length);
  let opened = 0;
  try {
    for (; opened < files.length; opened++) {
      const path = files[opened] as string;
      fds[opened] = must(native.open(AT_FDCWD, path, O_WRONLY, 0), {
        operation: "open",
        path,
        pointer: origin.pointer,
      });
    }
    mustSend(native.send_descriptors(socket, fds), "cannot reach init");
  } finally {
    for (let i = 0; i < opened; i++) native.close(fds[i] as number);
  }
}

/** Its failure is the caller's to throw: with one there is no init, and nothing to undo. */
function finishSpawn(creation: Creation): RuntimeError | undefined {
  const { native } = creation;
  creation.spawning = false;
  const ids = native.spawn_finish();
  const error = typeof ids === "number" ? spawnError(native, ids) : undefined;
  native.close(creation.ends.sync);
  if (typeof ids === "number") return error;
  creation.pid = ids[0] as number;
  creation.pidfd = ids[1] as number;
  return undefined;
}

function spawnError(native: Native, error: number): RuntimeError {
  const detail = native.detail() as string;
  return nativeError(error, { message: "cannot start the container's init process", operation: "clone", detail });
}

/** The joiner hands over its child and has exited. */
function awaitChild(creation: Creation): void {
  const { native } = creation;
  const child = hear(creation, REPORT.child, 0);
  const joiner = creation.pid;
  native.close(creation.pidfd);
  creation.pid = child.value;
  creation.pidfd = child.fd;
  native.wait_child(joiner, 0);
}

function mapIds(creation: Creation, step: Step<"map ids">): void {
  const path = `/proc/${creation.pid}/${mapFile(step.helper)}`;
  const written = creation.native.write_file(AT_FDCWD, path, O_WRONLY, 0, step.data);
  if (written === -EPERM) loaded(import("./id-helper.ts")).mapByHelper(creation, step);
  else must(written, { operation: "write", path, pointer: step.origin.pointer });
}

function raiseRlimit(creation: Creation, step: Step<"raise rlimit">): void {
  const low = (value: bigint): number => Number(value & 0xffffffffn);
  const high = (value: bigint): number => Number(value >> 32n);
  const { soft, hard } = step;
  const result = creation.native.prlimit(creation.pid, step.resource, low(soft), high(soft), low(hard), high(hard));
  must(result, { operation: "prlimit", pointer: step.origin.pointer });
}

/** Kills init and reaps it. One that is frozen on v1 dies once it is thawed, and never below a frozen cgroup. */
function killInit(creation: Creation): void {
  const { native, pidfd } = creation;
  creation.pidfd = -1;
  native.pidfd_kill(pidfd, SIGKILL);
  thaw(native, creation.leaves);
  const ended = native.poll(Uint32Array.of(pidfd), Uint32Array.of(POLLIN), PATIENCE_MS);
  if (typeof ended !== "number" && ended[0] === 0) {
    throw new RuntimeError({ message: "the container's init does not end: is its cgroup frozen?" });
  }
  const waited = native.wait_child(creation.pid, 0);
  native.close(pidfd);
  if (typeof waited === "number" && waited !== -ECHILD) throw nativeError(waited, { operation: "waitid" });
}
