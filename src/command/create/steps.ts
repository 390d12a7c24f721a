// Runs the runtime's own steps of a plan, in order, while init works through its ops.

import type { Config } from "../../config/types.ts";
import { thaw } from "../../container/thaw.ts";
import { RuntimeError } from "../../errors/runtime-error.ts";
import { must, nativeError } from "../../host/must.ts";
import type { Native } from "../../host/native.gen.ts";
import { loaded } from "../../lazy.ts";
import type { Plan, RuntimeStep } from "../../plan/plan.ts";
import { REPORT } from "../../plan/protocol.ts";
import {
  type Cgroups,
  closeUnified,
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
import { awaitReport } from "./reports.ts";
import type { SystemdDriver } from "./systemd.ts";
import type { UndoStack } from "./undo.ts";

const AT_FDCWD = -100;
const O_WRONLY = 1;
const ECHILD = 10;
const SIGKILL = 9;
const POLLIN = 1;
const PATIENCE_MS = 10_000;

/** Everything that the steps of one create share. */
export interface Creation {
  readonly native: Native;
  readonly interrupts: Interrupts;
  readonly undo: UndoStack;
  readonly plan: Plan;
  readonly config: Config;
  readonly ends: Ends;
  /** The runtime's end of the sync socket. */
  readonly socket: number;
  /** The first descriptor that is init's own. */
  readonly base: number;
  readonly rootless: boolean;
  readonly cgroups: Cgroups;
  /** With --systemd-cgroup. */
  readonly systemd?: SystemdDriver;
  /** The container's init; 0 and -1 before it exists. */
  pid: number;
  pidfd: number;
  /** Called once init has its final pid and before the first hook runs. */
  readonly onInit: () => void;
  /** The state that hooks get on stdin. */
  readonly hookState: (pid: number) => string;
}

/** Runs every step; the first failure is thrown, nothing is undone here. */
export function runSteps(creation: Creation): void {
  const { runtime } = creation.plan;
  for (let i = 0; i < runtime.length; i++) {
    const step = runtime[i] as RuntimeStep;
    if (step.step === "write cgroup file") {
      const place = placeOf(creation.cgroups);
      i =
        creation.rootless && step.file.startsWith("devices.")
          ? loaded(import("./rootless-devices.ts")).writeDeviceRules(creation.native, runtime, i, place)
          : writeCgroupFile(creation.native, runtime, i, place);
    } else runStep(creation, step);
  }
  closeUnified(creation.native, creation.cgroups);
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
      inheritFile(native, step);
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
    case "attach device program":
      loaded(import("./device-program.ts")).attachProgram(
        native,
        step,
        openUnified(native, creation.cgroups, step.path, step.origin.pointer),
        creation.rootless,
      );
      return;
    case "spawn":
      spawnInit(creation, step);
      return;
    case "await barrier":
      awaitReport(native, creation.interrupts, creation.socket, creation.plan.init, REPORT.barrier, step.barrier);
      return;
    case "release barrier":
      must(native.send_go(creation.socket, step.barrier), { operation: "send", message: "cannot reach init" });
      return;
    case "await child":
      awaitChild(creation);
      return;
    case "await ready":
      awaitReport(native, creation.interrupts, creation.socket, creation.plan.init, REPORT.ready, 0);
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
    case "raise rlimit":
      raiseRlimit(creation, step);
      return;
    case "hook": {
      creation.onInit();
      const hook = creation.config.hooks[step.kind][step.index];
      if (hook === undefined) throw new RangeError(`the plan names hook ${step.kind}/${step.index}`);
      const { runHook } = loaded(import("../../container/hooks.ts"));
      runHook(native, hook, creation.hookState(creation.pid), step.origin.pointer, creation.interrupts.fd);
      creation.interrupts.check();
      return;
    }
  }
}

export type Step<K extends RuntimeStep["step"]> = Extract<RuntimeStep, { step: K }>;

function spawnInit(creation: Creation, step: Step<"spawn">): void {
  const { native, plan, undo } = creation;
  // Steps before this one take microseconds, later ones wait with an eye on signals.
  creation.interrupts.check();
  const opened: number[] = [];
  try {
    const fds = openInherited(native, plan.inherited, creation.ends, opened);
    let cgroup = -1;
    if (step.cgroup !== undefined) {
      cgroup = openUnified(native, creation.cgroups, step.cgroup, step.origin.pointer);
    }
    const rootless = creation.rootless ? 1 : 0;
    const { words, strings } = plan.init;
    const ids = native.spawn(words, strings, fds, creation.base, step.flags, cgroup, rootless);
    if (typeof ids === "number") {
      const detail = native.detail() as string;
      throw nativeError(ids, { message: "cannot start the container's init process", operation: "clone", detail });
    }
    creation.pid = ids[0] as number;
    creation.pidfd = ids[1] as number;
    undo.push(() => killInit(creation));
  } finally {
    for (const fd of opened) native.close(fd);
    native.close(creation.ends.sync);
  }
}

/** The joiner hands over its child and has exited. */
function awaitChild(creation: Creation): void {
  const { native } = creation;
  const child = awaitReport(native, creation.interrupts, creation.socket, creation.plan.init, REPORT.child, 0);
  const joiner = creation.pid;
  native.close(creation.pidfd);
  creation.pid = child.value;
  creation.pidfd = child.fd;
  native.wait_child(joiner, 0);
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
  const { native } = creation;
  native.pidfd_kill(creation.pidfd, SIGKILL);
  thaw(native, creation.plan.cgroups);
  const ended = native.poll(Uint32Array.of(creation.pidfd), Uint32Array.of(POLLIN), PATIENCE_MS);
  if (typeof ended !== "number" && ended[0] === 0) {
    throw new RuntimeError({ message: "the container's init does not end: is its cgroup frozen?" });
  }
  const waited = native.wait_child(creation.pid, 0);
  native.close(creation.pidfd);
  if (typeof waited === "number" && waited !== -ECHILD) throw nativeError(waited, { operation: "waitid" });
}
