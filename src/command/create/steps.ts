// Runs the runtime's own steps of a plan, in order, while init works through its ops.

import { must } from "../../host/must.ts";
import { loaded } from "../../lazy.ts";
import type { RuntimeStep } from "../../plan/plan.ts";
import { BARRIER, REPORT } from "../../plan/protocol.ts";
import { mapFile } from "../../plan/user-mappings.ts";
import {
  enableControllers,
  inheritFile,
  makeCgroup,
  openUnified,
  placeOf,
  warnIgnored,
  writeCgroupFile,
} from "./cgroups.ts";
import type { Creation, Step } from "./creation.ts";
import { awaitChild, beginSpawn, finishSpawn, hear, sendCgroups, sendPlan } from "./init-process.ts";

const AT_FDCWD = -100;
const O_WRONLY = 1;
const EPERM = 1;

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
