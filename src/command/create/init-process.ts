// init as the runtime's child: cloned, given its plan and descriptors, heard, ended.

import { thaw } from "../../container/thaw.ts";
import { RuntimeError } from "../../errors/runtime-error.ts";
import { must, nativeError } from "../../host/must.ts";
import type { Native } from "../../host/native.gen.ts";
import { loaded } from "../../lazy.ts";
import type { Plan } from "../../plan/plan.ts";
import { REPORT } from "../../plan/protocol.ts";
import { openUnified } from "./cgroups.ts";
import type { Creation, Step } from "./creation.ts";
import { openInherited } from "./inherited.ts";
import { awaitReport, mustSend, type Report } from "./reports.ts";

const AT_FDCWD = -100;
const O_WRONLY = 1;
const ECHILD = 10;
const SIGKILL = 9;
const POLLIN = 1;
const PATIENCE_MS = 10_000;

export function beginSpawn(creation: Creation, step: Step<"spawn">): void {
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

/** Its failure is the caller's to throw: with one there is no init, and nothing to undo. */
export function finishSpawn(creation: Creation): RuntimeError | undefined {
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

export function sendPlan(creation: Creation): void {
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

export function sendCgroups({ native, socket }: Creation, { files, origin }: Step<"send cgroups">): void {
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

/** Waits for a report of init; FAILED or its end is thrown. */
export function hear({ native, interrupts, socket, plan }: Creation, kind: number, value: number): Report {
  return awaitReport(native, interrupts, socket, (plan as Plan).init, kind, value);
}

/** The joiner hands over its child and has exited. */
export function awaitChild(creation: Creation): void {
  const { native } = creation;
  const child = hear(creation, REPORT.child, 0);
  const joiner = creation.pid;
  native.close(creation.pidfd);
  creation.pid = child.value;
  creation.pidfd = child.fd;
  native.wait_child(joiner, 0);
}

/** The undo of "spawn"; the second time there is nothing left to do. */
export function endInit(creation: Creation): void {
  if (creation.spawning) finishSpawn(creation);
  if (creation.pidfd >= 0) killInit(creation);
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
