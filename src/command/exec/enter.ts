// One attempt to start exec's process: clone, plan, the files and sockets that tell of it, and its start. What fails leaves
// no process behind, in a frozen cgroup neither.

import type { Config } from "../../config/types.ts";
import type { Rights } from "../../container/root.ts";
import { awaitStart, fullPipe, releaseInit } from "../../container/start-pipe.ts";
import { RuntimeError } from "../../errors/runtime-error.ts";
import type { CgroupFacts } from "../../host/facts.ts";
import { must } from "../../host/must.ts";
import type { Native } from "../../host/native.gen.ts";
import { loaded } from "../../lazy.ts";
import { compileExec, type ExecOptions } from "../../plan/exec.ts";
import type { Creation } from "../create/creation.ts";
import type { Ends } from "../create/inherited.ts";
import type { Interrupts } from "../create/interrupts.ts";
import { writePidFile } from "../create/pid-file.ts";
import { runSteps } from "../create/steps.ts";
import { UndoStack, undone } from "../create/undo.ts";
import type { Terminal } from "../run/terminal.ts";
import { endEntered } from "./end.ts";

const AT_FDCWD = -100;
const NO_ORIGIN = { pointer: "" };

/** What the clone needs; the rest is found out meanwhile. */
export interface Joiner {
  readonly native: Native;
  readonly interrupts: Interrupts;
  /** The pidfd of the container's init. */
  readonly container: number;
  /** The first descriptor that is init's own. */
  readonly base: number;
  readonly rights: Rights;
}

export interface Attempt {
  readonly config: Config;
  readonly facts: CgroupFacts;
  readonly plan: ExecOptions;
  /** Where the terminal's master comes in, and where init sends it; -1: none. One connection for all attempts. */
  readonly console: readonly [pty: number, socket: number];
  /** Absolute. */
  readonly pidFile?: string;
  /** The container's state as JSON, for a seccomp agent. */
  readonly state: string;
  /** "": none. */
  readonly pidfdSocket: string;
}

/** The process runs. */
export interface Started {
  pid: number;
  pidfd: number;
  terminal?: Terminal;
  undo: UndoStack;
}

/** Throws the first error after the process has been ended. `prepare` is called while the joiner is cloned. */
export function startIn(joiner: Joiner, prepare: () => Attempt): Started {
  const undo = new UndoStack();
  try {
    return start(joiner, prepare, undo);
  } catch (error) {
    throw undone(error, undo);
  }
}

function start(
  { native, interrupts, container, base, rights }: Joiner,
  prepare: () => Attempt,
  undo: UndoStack,
): Started {
  const [socket, sync] = must(native.socketpair(), { operation: "socketpair" }) as [number, number];
  const ends: Ends = { sync, startPipe: -1, commitPipe: -1, consoleSocket: -1, container };
  let cloning = false;
  const creation: Creation = {
    native,
    interrupts,
    undo,
    get config() {
      return prepare().config;
    },
    ends,
    socket,
    base,
    rootless: rights.rootless,
    unprivileged: rights.unprivileged || rights.userNamespace,
    cgroups: { old: new Set(), made: [] },
    leaves: [],
    spawning: false,
    pid: 0,
    pidfd: -1,
    userNamespaces: [],
    onHook: () => {},
    onInit: () => {
      cloning = false;
    },
    hookState: () => prepare().state,
  };
  runSteps(creation, [{ step: "spawn", flags: 0, origin: NO_ORIGIN }]);
  undo.push(() => {
    // Before there is a pid it is ended by the undo of the clone.
    if (creation.pid !== 0) endEntered(creation, prepare().facts, cloning);
  });

  const attempt = prepare();
  const plan = compileExec(attempt.config, attempt.plan);
  creation.plan = plan;
  const [read, write] = fullPipe(native);
  ends.startPipe = write;
  const [ptySocket, consoleSocket] = attempt.console;
  ends.consoleSocket = consoleSocket;
  // The first ones send the plan and wait for the clone.
  runSteps(creation, plan.runtime, 0, 2);
  cloning = true;
  runSteps(creation, plan.runtime, 2);

  const { pid, pidfd } = creation;
  if (consoleSocket >= 0) native.close(consoleSocket);
  if (attempt.pidfdSocket !== "") {
    loaded(import("../create/pidfd-socket.ts")).sendPidfd(native, interrupts, attempt.pidfdSocket, pidfd, "setns");
  }
  const terminal = ptySocket < 0 ? undefined : openTerminal(native, ptySocket, undo);
  if (attempt.pidFile !== undefined) announce(native, attempt.pidFile, pid, undo);
  interrupts.check();
  // While this end is open, the pipe would never end.
  must(native.close(write), { operation: "close" });
  if (!releaseInit(native, read, interrupts)) {
    throw new RuntimeError({ message: "the process died before it was started (killed, or out of memory)" });
  }
  const failure = awaitStart(native, read, interrupts);
  if (failure !== undefined) {
    throw loaded(import("../create/init-failure.ts")).initFailure(plan.init, failure, failure.detail);
  }
  return { pid, pidfd, undo, ...(terminal === undefined ? {} : { terminal }) };
}

function openTerminal(native: Native, socket: number, undo: UndoStack): Terminal {
  const { Terminal } = loaded(import("../run/terminal.ts"));
  const terminal = new Terminal(native, socket);
  undo.push(() => terminal.restore());
  return terminal;
}

function announce(native: Native, path: string, pid: number, undo: UndoStack): void {
  writePidFile(native, path, pid);
  undo.push(() => {
    native.unlink(AT_FDCWD, path, 0);
  });
}
