// Makes a container up to the point where init waits to be started; used by `create` and `run`.

import type { Config, Hook } from "../../config/types.ts";
import { startOps } from "../../container/start-ops.ts";
import { fullPipe } from "../../container/start-pipe.ts";
import type { StateInput } from "../../container/state.ts";
import { checkUnused, createState, START_FIFO, type StateHandle } from "../../container/store.ts";
import { formatTime } from "../../container/time.ts";
import { RuntimeError } from "../../errors/runtime-error.ts";
import type { HostFacts } from "../../host/facts.ts";
import { gatherFacts } from "../../host/gather.ts";
import { cgroupMode } from "../../host/gather-cgroups.ts";
import { must } from "../../host/must.ts";
import type { Native } from "../../host/native.gen.ts";
import { loaded } from "../../lazy.ts";
import { compileBeginning, compileCreate } from "../../plan/create.ts";
import type { CreateOptions, Plan } from "../../plan/plan.ts";
import { VERSION } from "../../version.ts";
import { type CallerFds, callerFds } from "./caller-fds.ts";
import { type Cgroups, checkCgroups, closeUnified, undoCgroups } from "./cgroups.ts";
import { earlySpawn } from "./early-spawn.ts";
import type { Ends } from "./inherited.ts";
import { Interrupts } from "./interrupts.ts";
import { decodeBundle, type OpenBundle, openBundle } from "./load.ts";
import { Making } from "./making.ts";
import { writePidFile } from "./pid-file.ts";
import type { CreateRequest } from "./request.ts";
import { type Creation, endInit, runSteps } from "./steps.ts";
import type { SystemdDriver } from "./systemd.ts";
import { UndoStack } from "./undo.ts";

const AT_FDCWD = -100;
const O_RDWR = 2;
/** Anything of the stream of a full pipe: it holds one page, or a few where a page cannot be had. */
const PIPE_READ = 65536;

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
  const { rights } = request;
  const [socket, sync] = must(native.socketpair(), { operation: "socketpair" }) as [number, number];
  const ends: Ends = { sync, startPipe: -1, commitPipe: -1, consoleSocket: -1 };
  const making = new Making(tools, request, fds.base, socket, ends);
  const mode = cgroupMode(native);
  const early = earlySpawn(opened, request, mode);
  if (early !== undefined) runSteps(making, [early], 0);

  // init is cloned meanwhile.
  const { path: bundle, config, text } = decodeBundle(opened, rights.unprivileged);
  making.loaded = { config, text };
  const notify = environ.includes("NOTIFY_SOCKET=") ? loaded(import("../notify.ts")) : undefined;
  const notifies = notify?.managerAddress(environ) !== undefined;
  if (notifies) notify?.offerSocket(config, request.root, request.id);
  const terminal = consoleMode(config.process.terminal, request);
  let facts = gatherFacts(native, config, mode, rights.userNamespace);
  if (rights.rootless && !request.systemd) {
    facts = loaded(import("./closed-cgroups.ts")).markClosed(native, config, request.id, facts);
  }
  const { noPivot, noNewKeyring, outlives, preserveFds, id } = request;
  const { listenFds } = fds;
  const flags = { noPivot, noNewKeyring, outlives, preserveFds, listenFds };
  const options: CreateOptions = { id, bundle, ...flags, console: terminal, facts };
  const systemd = request.systemd ? openSystemd(native, request, facts) : undefined;
  if (systemd !== undefined) options.systemd = systemd.facts;
  let beginning = compileBeginning(config, options);
  // Before anything is recorded as ours: what is recorded, `delete --force` kills and removes.
  const old = checkCgroups(native, beginning);
  if (old.size > 0 && old.has(beginning.cgroups.unified?.path ?? "")) {
    options.oldUnified = true;
    beginning = compileBeginning(config, options);
  }

  const unit = systemd && { unit: beginning.unit?.unit ?? "", user: systemd.facts.user };
  const input = stateOf(config, bundle, request, beginning.leaves, unit);
  const state = createState(native, request.root, id, notifies ? { ...input, notify: true } : input);
  making.state = state;
  undo.push(() => removeState(native, state, making.poststopDue ? config.hooks.poststop : []));
  if (notifies) notify?.makeSocketFolder(native, state);
  const cgroups: Cgroups = { old, made: [] };
  making.cgroups = cgroups;
  making.leaves = beginning.leaves;
  undo.push(() => undoCgroups(native, cgroups, making.pid !== 0));
  if (systemd !== undefined) {
    making.systemd = systemd;
    undo.push(() => systemd.undo(beginning.leaves));
  }
  // Before its cgroups go; early, it is further down in the stack.
  undo.push(() => endInit(making));
  runSteps(making, beginning.steps, 0);
  const plan = compileCreate(config, options, beginning);
  making.plan = plan;
  const pipes = openPipes(native, request, state);
  const [ptySocket, consoleSocket] = openConsole(native, request, terminal);
  ends.startPipe = pipes.start;
  ends.commitPipe = pipes.commit;
  ends.consoleSocket = consoleSocket;
  if (beforeStart !== undefined && terminal === "none" && !notifies && !tells(request)) {
    making.beforeReady = () => {
      beforeStart();
      // Zeros alone: init's byte finds no room before them.
      must(native.read(pipes.startRead, PIPE_READ), { operation: "read", message: "cannot drain the start pipe" });
    };
  }
  runSteps(making, plan.runtime, beginning.steps.length);
  closeUnified(native, cgroups);
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

const tells = ({ pidFile, pidfdSocket }: CreateRequest): boolean => pidFile !== undefined || pidfdSocket !== undefined;

/** --pid-file and --pidfd-socket. */
function tell({ native, undo, pid, pidfd }: Creation, { pidFile, pidfdSocket }: CreateRequest): void {
  if (pidFile !== undefined) {
    writePidFile(native, pidFile, pid);
    undo.push(() => {
      native.unlink(AT_FDCWD, pidFile, 0);
    });
  }
  if (pidfdSocket !== undefined) {
    loaded(import("./pidfd-socket.ts")).sendPidfd(native, pidfdSocket, pidfd, "standard");
  }
}

function stateOf(
  config: Config,
  bundle: string,
  { id, rights, noNewKeyring }: CreateRequest,
  cgroups: string[],
  systemd: StateInput["systemd"],
): StateInput {
  return {
    ociVersion: VERSION.spec,
    id,
    bundle,
    rootfs: config.root.path.startsWith("/") ? config.root.path : `${bundle}/${config.root.path}`,
    annotations: config.annotations,
    cgroups,
    ...(systemd === undefined ? {} : { systemd }),
    hooks: hooksAfterStart(config),
    privatePid: config.linux.namespaces.some((ns) => ns.type === "pid" && ns.path === undefined),
    rootless: rights.rootless,
    ...(noNewKeyring ? { noNewKeyring: true } : {}),
  };
}

function openSystemd(native: Native, request: CreateRequest, { cgroup }: HostFacts): SystemdDriver {
  const { SystemdDriver } = loaded(import("./systemd.ts"));
  return SystemdDriver.open(native, request.rights.rootless, cgroup.mode);
}

/**
 * Records that the container is created. `run` does it once init goes on, so that nothing waits for the write: nobody else
 * can start this container, so nobody needs `startOps`.
 */
export function recordCreated(native: Native, state: StateHandle, plan?: Plan): void {
  const [seconds, nanoseconds] = must(native.clock(), { operation: "clock_gettime" }) as [number, number];
  const created = formatTime(seconds, nanoseconds);
  state.appendCreated(plan === undefined ? { created } : { created, startOps: startOps(plan.init) });
}

/** Removes the state folder, and tells the hooks when it was still ours to remove. */
export function removeState(native: Native, state: StateHandle, poststop: readonly Hook[]): void {
  if (!state.remove() || poststop.length === 0) return;
  const { runPoststopHooks } = loaded(import("../../container/hooks.ts"));
  runPoststopHooks(native, poststop, state.record);
}

/** Runs the undo stack; what fails there is attached to the error, never in its place. */
export function undone(error: unknown, undo: UndoStack): unknown {
  const failures = undo.run();
  if (failures.length === 0 || !(error instanceof RuntimeError)) return error;
  return new RuntimeError({ ...error.facts, suppressed: failures });
}

/** runc's rules for terminal, --detach and --console-socket. */
export function consoleMode(
  terminal: boolean,
  request: Pick<CreateRequest, "foreground" | "consoleSocket">,
): "none" | "socket" | "foreground" {
  if (!request.foreground && terminal && request.consoleSocket === undefined) {
    throw new RuntimeError({
      message: "cannot allocate tty if berth will detach without setting console socket",
      pointer: "/process/terminal",
    });
  }
  if (request.consoleSocket !== undefined && (request.foreground || !terminal)) {
    throw new RuntimeError({
      message: "cannot use console socket if berth will not detach or allocate tty",
      pointer: "/process/terminal",
    });
  }
  if (!terminal) return "none";
  return request.consoleSocket === undefined ? "foreground" : "socket";
}

/**
 * Drains the commit pipe until init's own byte, the first that is not zero, has come. Zeros alone are not enough: init
 * may not be in its write yet, and would find the pipe broken once this process has ended.
 */
function releaseCommit(native: Native, pipe: number): void {
  for (;;) {
    const bytes = must(native.read(pipe, PIPE_READ), { operation: "read", message: "cannot hear from init" }) as string;
    if (bytes === "")
      throw new RuntimeError({ message: "the container's init process died (killed, or out of memory)" });
    if (bytes.charCodeAt(bytes.length - 1) !== 0) return;
  }
}

interface Pipes {
  start: number;
  startRead: number;
  commit: number;
  commitRead: number;
}

/** The full pipes that init blocks on: see docs/architecture.md, "Start pipe". */
function openPipes(native: Native, request: CreateRequest, state: StateHandle): Pipes {
  const [read, write] = fullPipe(native);
  if (!request.outlives) return { start: write, startRead: read, commit: -1, commitRead: -1 };
  must(native.mkfifo(state.dir, START_FIFO, 0o600), { operation: "mkfifo", path: `${state.path}/${START_FIFO}` });
  const facts = { operation: "open", path: `${state.path}/${START_FIFO}` };
  const start = must(native.open(state.dir, START_FIFO, O_RDWR, 0), facts);
  must(native.fill_pipe(start), { operation: "fill pipe" });
  return { start, startRead: -1, commit: write, commitRead: read };
}

/** [where we get the master, what init sends it to]. */
export function openConsole(
  native: Native,
  request: Pick<CreateRequest, "consoleSocket">,
  mode: "none" | "socket" | "foreground",
): [number, number] {
  if (mode === "none") return [-1, -1];
  if (mode === "foreground") {
    return must(native.socketpair(), { operation: "socketpair", message: "cannot make the console's socket" }) as [
      number,
      number,
    ];
  }
  const path = request.consoleSocket as string;
  return [-1, must(native.connect(path), { operation: "connect", path, message: "cannot reach the console socket" })];
}

/** What start and delete run. */
function hooksAfterStart({ hooks: { poststart, poststop }, ociVersion }: Config): StateInput["hooks"] {
  if (poststart.length === 0) return { poststart, poststop };
  const { poststartMayFail } = loaded(import("../../container/hooks.ts"));
  return poststartMayFail(ociVersion) ? { poststart, poststop, poststartMayFail: true } : { poststart, poststop };
}
