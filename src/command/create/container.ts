// Makes a container up to the point where init waits to be started; used by `create` and `run`.

import type { Config } from "../../config/types.ts";
import { checkUnused, reserveState, type StateHandle } from "../../container/store.ts";
import type { CgroupFacts, HostFacts } from "../../host/facts.ts";
import { gatherFacts } from "../../host/gather.ts";
import { cgroupMode } from "../../host/gather-cgroups.ts";
import { must } from "../../host/must.ts";
import type { Native } from "../../host/native.gen.ts";
import { loaded } from "../../lazy.ts";
import { type Beginning, compileBeginning, compileCreate } from "../../plan/create.ts";
import type { CreateOptions, Plan } from "../../plan/plan.ts";
import { type CallerFds, callerFds } from "./caller-fds.ts";
import { type Cgroups, checkCgroups, closeUnified, undoCgroups } from "./cgroups.ts";
import { consoleMode, openConsole } from "./console.ts";
import type { Creation } from "./creation.ts";
import { earlySpawn } from "./early-spawn.ts";
import type { Ends } from "./inherited.ts";
import { endInit } from "./init-process.ts";
import { Interrupts } from "./interrupts.ts";
import { decodeBundle, type OpenBundle, openBundle } from "./load.ts";
import { Making } from "./making.ts";
import { writePidFile } from "./pid-file.ts";
import { recordCreated, removeState, stateOf } from "./record.ts";
import type { CreateRequest } from "./request.ts";
import { openAhead, openPipes, releaseCommit } from "./start-pipes.ts";
import { runSteps } from "./steps.ts";
import type { SystemdDriver } from "./systemd.ts";
import { UndoStack, undone } from "./undo.ts";

const AT_FDCWD = -100;

export interface Created {
  config: Config;
  plan: Plan;
  state: StateHandle;
  pid: number;
  pidfd: number;
  /** `run`: the read end of the start pipe; -1 for `create`. */
  startPipe: number;
  /** `run` in the foreground with a terminal: where init has sent the pty's master; else -1. */
  ptySocket: number;
  undo: UndoStack;
  interrupts: Interrupts;
}

/**
 * Throws the first error after everything made so far has been unmade. `beforeStart`: `run` is ready for the container's
 * program. It is called when nothing but init's own report is missing; init then goes on without waiting for releaseInit,
 * unless something must be done first that needs init (a pty, a pid file).
 */
export function createContainer(native: Native, request: CreateRequest, beforeStart?: () => void): Created {
  checkUnused(native, request.root, request.id);
  const environ = must(native.environ(), { operation: "environ" }) as string;
  const fds = callerFds(native, request.preserveFds, environ);
  const opened = openBundle(native, request.bundle);
  const undo = new UndoStack();
  const interrupts = new Interrupts(native);
  try {
    return createFrom(opened, fds, environ, request, { native, interrupts, undo }, beforeStart);
  } catch (error) {
    throw undone(error, undo);
  }
}

type Tools = Pick<Creation, "native" | "interrupts" | "undo">;

function createFrom(
  opened: OpenBundle,
  fds: CallerFds,
  environ: string,
  request: CreateRequest,
  tools: Tools,
  beforeStart?: () => void,
): Created {
  const { native, undo, interrupts } = tools;
  const [socket, sync] = must(native.socketpair(), { operation: "socketpair" }) as [number, number];
  const ends: Ends = { sync, startPipe: -1, commitPipe: -1, consoleSocket: -1 };
  const making = new Making(tools, request, fds.base, socket, ends);
  const mode = cgroupMode(native);
  const early = earlySpawn(opened, request, mode);
  if (early !== undefined) runSteps(making, [early]);

  // init is cloned meanwhile.
  const prepared = prepare(making, opened, request, mode, fds.listenFds, environ);
  const { config, options, beginning, systemd, notifies } = prepared;
  const state = reserve(making, prepared, request);
  if (early === undefined) claim(making, prepared, request, state);
  runSteps(making, beginning.steps);
  const plan = compileCreate(config, options, beginning);
  making.plan = plan;
  const pipes = openPipes(native, request, state);
  const [ptySocket, consoleSocket] = openConsole(native, interrupts, request, options.console);
  ends.startPipe = pipes.start;
  ends.commitPipe = pipes.commit;
  ends.consoleSocket = consoleSocket;
  if (beforeStart !== undefined && options.console === "none" && !notifies && !tells(request)) {
    making.beforeReady = () => {
      beforeStart();
      openAhead(native, pipes);
    };
  }
  const sent = plan.runtime.findIndex(({ step }) => step === "send plan") + 1;
  runSteps(making, plan.runtime, beginning.steps.length, sent);
  // init has what it needs to begin before anything else is looked at or made.
  if (early !== undefined) claim(making, prepared, request, state);
  runSteps(making, plan.runtime, sent);
  closeUnified(native, making.cgroups);
  systemd?.close();

  if (request.outlives) recordCreated(native, state, plan);
  tell(making, request);
  interrupts.check();
  native.close(socket);
  if (consoleSocket >= 0) native.close(consoleSocket);
  // While this end is open, the pipe would never end for `run`.
  must(native.close(pipes.start), { operation: "close" });
  if (pipes.commit >= 0) {
    native.close(pipes.commit);
    releaseCommit(native, pipes.commitRead);
  }
  making.poststopDue = true;
  making.netDevices?.close();
  const { pid, pidfd } = making;
  return { config, plan, state, pid, pidfd, startPipe: pipes.startRead, ptySocket, undo, interrupts };
}

/** What is known before anything of the container exists but, perhaps, its first process. */
interface Prepared {
  bundle: string;
  config: Config;
  options: CreateOptions;
  beginning: Beginning;
  /** The cgroups that were there before; undefined: to be looked at, none of them changes the plan. */
  old: Cgroups["old"] | undefined;
  systemd: SystemdDriver | undefined;
  /** NOTIFY_SOCKET is to be offered to the container. */
  notifies: boolean;
}

function prepare(
  making: Making,
  opened: OpenBundle,
  request: CreateRequest,
  mode: CgroupFacts["mode"],
  listenFds: number,
  environ: string,
): Prepared {
  const { native } = making;
  const { rights, noPivot, noNewKeyring, outlives, preserveFds, id } = request;
  const { path: bundle, config, text } = decodeBundle(opened, rights.unprivileged);
  making.loaded = { config, text };
  const notify = environ.includes("NOTIFY_SOCKET=") ? loaded(import("../notify.ts")) : undefined;
  const notifies = notify?.managerAddress(environ) !== undefined;
  if (notifies) notify?.offerSocket(config, request.root, id);
  const terminal = consoleMode(config.process.terminal, request);
  let facts = gatherFacts(native, config, mode, rights.userNamespace);
  if (rights.rootless && !request.systemd) {
    facts = loaded(import("./closed-cgroups.ts")).markClosed(native, config, id, facts);
  }
  const flags = { noPivot, noNewKeyring, outlives, preserveFds, listenFds };
  const options: CreateOptions = { id, bundle, ...flags, console: terminal, facts };
  const systemd = request.systemd ? openSystemd(native, request, facts) : undefined;
  if (systemd !== undefined) options.systemd = systemd.facts;
  let beginning = compileBeginning(config, options);
  const { unified } = beginning.cgroups;
  const old = unified === undefined ? undefined : checkCgroups(native, beginning);
  if (unified !== undefined && old?.has(unified.path)) {
    options.oldUnified = true;
    beginning = compileBeginning(config, options);
  }
  return { bundle, config, options, beginning, old, systemd, notifies };
}

/** From here on the id is ours. */
function reserve(making: Making, { config, notifies }: Prepared, request: CreateRequest): StateHandle {
  const { native, undo } = making;
  const state = reserveState(native, request.root, request.id);
  making.state = state;
  // What could not be removed is for `delete --force`, which needs the state.
  undo.push(() => making.cgroupsUndone && removeState(native, state, making.poststopDue ? config.hooks.poststop : []));
  if (notifies) loaded(import("../notify.ts")).makeSocketFolder(native, state);
  // Before the folder goes; early, it is further down in the stack.
  undo.push(() => endInit(making));
  return state;
}

/** Records what is about to be made outside of init's namespaces: what `create` makes is unmade when it fails. */
function claim(making: Making, prepared: Prepared, request: CreateRequest, state: StateHandle): void {
  const { native, undo } = making;
  const { bundle, config, options, beginning, systemd, notifies } = prepared;
  // Before anything is recorded as ours: what is recorded, `delete --force` kills and removes.
  const old = prepared.old ?? checkCgroups(native, beginning);
  const rdt = config.linux.intelRdt === undefined ? undefined : loaded(import("./resctrl.ts"));
  const resctrl = rdt?.checkResctrl(native, config, request.id, options.facts);
  const unit = systemd && { unit: beginning.unit?.unit ?? "", user: systemd.facts.user };
  const input = stateOf(config, bundle, request, beginning.leaves, unit, resctrl);
  state.begin(notifies ? { ...input, notify: true } : input);
  const cgroups: Cgroups = { old, made: [] };
  making.cgroups = cgroups;
  making.leaves = beginning.leaves;
  undo.push(() => {
    making.cgroupsUndone = false;
    undoCgroups(native, cgroups, making.pid !== 0);
    making.cgroupsUndone = true;
  });
  if (rdt !== undefined && resctrl !== undefined) {
    const groups: string[] = [];
    making.resctrlGroups = groups;
    undo.push(() => rdt.undoResctrl(native, resctrl, groups, making.pid));
  }
  if (systemd !== undefined) {
    making.systemd = systemd;
    undo.push(() => systemd.undo(beginning.leaves));
  }
  // Before its cgroups go.
  undo.push(() => endInit(making));
}

const tells = ({ pidFile, pidfdSocket }: CreateRequest): boolean => pidFile !== undefined || pidfdSocket !== undefined;

/** --pid-file and --pidfd-socket. */
function tell({ native, interrupts, undo, pid, pidfd }: Creation, { pidFile, pidfdSocket }: CreateRequest): void {
  if (pidFile !== undefined) {
    writePidFile(native, pidFile, pid);
    undo.push(() => {
      native.unlink(AT_FDCWD, pidFile, 0);
    });
  }
  if (pidfdSocket !== undefined) {
    loaded(import("./pidfd-socket.ts")).sendPidfd(native, interrupts, pidfdSocket, pidfd, "standard");
  }
}

function openSystemd(native: Native, request: CreateRequest, { cgroup }: HostFacts): SystemdDriver {
  const { SystemdDriver } = loaded(import("./systemd.ts"));
  return SystemdDriver.open(native, request.rights.rootless, cgroup.mode);
}
