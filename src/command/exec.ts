// `exec`: one more process in a container that is there.

import { reloadConfig } from "../config/load.ts";
import type { Config } from "../config/types.ts";
import { hookState } from "../container/hook-state.ts";
import { openProcess } from "../container/liveness.ts";
import { absolute, rightsOf } from "../container/root.ts";
import type { ContainerState, ProcessId } from "../container/state.ts";
import { statusOf } from "../container/status.ts";
import { checkOwner, type Loaded, openState, savedConfig } from "../container/store.ts";
import { RuntimeError } from "../errors/runtime-error.ts";
import { gatherFacts } from "../host/gather.ts";
import type { Native } from "../host/native.gen.ts";
import type { ExecCgroups } from "../plan/exec.ts";
import { CLONE_NEWNS, CLONE_NEWUSER } from "../tables/linux.ts";
import { namespaceFlag } from "../tables/namespaces.ts";
import type { Context, Outcome } from "./command.ts";
import { callerFds } from "./create/caller-fds.ts";
import { consoleMode, openConsole } from "./create/console.ts";
import { Interrupts } from "./create/interrupts.ts";
import { undone } from "./create/undo.ts";
import { execCgroups, otherCgroups, unifiedFolderOf } from "./exec/cgroups.ts";
import { type Attempt, type Joiner, type Started, startIn } from "./exec/enter.ts";
import { placeOf, wantedProcess } from "./exec/process.ts";
import { forwardedSignals, waitForExit } from "./run/wait.ts";

const AT_FDCWD = -100;
/** Of exec itself, whatever went wrong. */
const FAILED = 255;

/** Exit code: the process's own, 128 + signal, 0 when detached. */
export function exec(context: Context): Outcome {
  try {
    return { code: execute(context) };
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw new RuntimeError({ message: "", cause: error, exitCode: FAILED });
    throw new RuntimeError({ exitCode: FAILED, ...placeOf(error.facts, context.options) });
  }
}

function execute(context: Context): number {
  const { native, root, options, args } = context;
  // Before a descriptor of our own has one of those numbers.
  const fds = callerFds(native, options.int("preserve-fds"), "");
  const container = openState(native, root, args[0] as string);
  checkOwner(native, container);
  checkStatus(native, container, options.bool("ignore-paused"));
  const { state } = container;
  const init = state.init as ProcessId;
  const pidfd = openProcess(native, init.pid, init.startTime);
  if (pidfd === undefined) throw stopped();

  const rights = rightsOf(native, context.rootless);
  const joiner: Joiner = {
    native,
    interrupts: new Interrupts(native),
    container: pidfd,
    base: fds.base,
    rights,
  };
  const detach = options.bool("detach");
  // Before the program can run: it may be waited for by somebody who then sends a signal.
  const signals = detach ? -1 : forwardedSignals(native);
  const started = startSomewhere(joiner, state, () => attemptOf(context, joiner, container, init.pid));
  if (detach) return 0;
  try {
    const code = waitForExit(native, started.pid, started.pidfd, signals, started.terminal);
    started.terminal?.restore();
    return code;
  } catch (error) {
    throw undone(error, started.undo);
  }
}

function attemptOf(
  { native, options, args }: Context,
  { interrupts, rights }: Joiner,
  container: Loaded,
  init: number,
): Attempt {
  const { state } = container;
  const saved = reloadConfig(savedConfig(native, container));
  if (saved === undefined) throw new RuntimeError({ message: "the container's saved config.json is damaged" });
  const config: Config = { ...saved, process: wantedProcess(native, saved, options, args.slice(1)) };
  const consoleSocket = options.string("console-socket") ?? "";
  const request = { foreground: !options.bool("detach"), ...(consoleSocket === "" ? {} : { consoleSocket }) };
  const terminal = consoleMode(config.process.terminal, request);
  const pidFile = options.string("pid-file") ?? "";
  const facts = gatherFacts(native, config, undefined, rights.userNamespace);
  const chosen = options.list("cgroup");
  return {
    config,
    facts: facts.cgroup,
    plan: {
      id: state.id,
      namespaces: namespacesOf(native, config, init),
      cgroups: execCgroups(state, facts.cgroup, chosen),
      chosenCgroup: chosen.length > 0,
      preserveFds: options.int("preserve-fds"),
      noNewKeyring: state.noNewKeyring === true,
      console: terminal,
      facts,
      ...(state.resctrl === undefined ? {} : { resctrl: state.resctrl }),
    },
    console: openConsole(native, interrupts, request, terminal),
    ...(pidFile === "" ? {} : { pidFile: absolute(native, pidFile) }),
    pidfdSocket: options.string("pidfd-socket") ?? "",
    state: hookState(state, "running", init),
  };
}

function checkStatus(native: Native, { dir, state }: Loaded, ignorePaused: boolean): void {
  switch (statusOf(native, dir, state)) {
    case "stopped":
      throw stopped();
    case "creating":
      throw new RuntimeError({ message: "cannot exec in a container that is being created" });
    case "paused":
      if (!ignorePaused) {
        throw new RuntimeError({
          message: "cannot exec in a paused container (use --ignore-paused to override)",
        });
      }
      return;
    case "created":
    case "running":
      return;
  }
}

function stopped(): RuntimeError {
  return new RuntimeError({ message: "cannot exec in a stopped container" });
}

/** In the container's cgroup, or in the next best one: see otherCgroups. */
function startSomewhere(joiner: Joiner, state: ContainerState, find: () => Attempt): Started {
  let attempt: Attempt | undefined;
  const prepare = (): Attempt => {
    attempt ??= find();
    return attempt;
  };
  for (;;) {
    try {
      return startIn(joiner, prepare);
    } catch (error) {
      if (attempt === undefined || !(error instanceof RuntimeError)) throw error;
      const other = nextCgroups(joiner, attempt, state, error);
      if (other === undefined) throw error;
      attempt.plan.cgroups = other;
    }
  }
}

/** Undefined: it was no cgroup that failed, or there is none to go on with. */
function nextCgroups(
  { native, rights: { rootless } }: Joiner,
  { plan, facts }: Attempt,
  state: ContainerState,
  error: RuntimeError,
): ExecCgroups | undefined {
  const { operation, errno, suppressed, path } = error.facts;
  const { files, folder } = plan.cgroups;
  const places = [folder, ...files, ...files.map((file) => file.slice(0, file.lastIndexOf("/")))];
  const isCgroup = operation === "sibling" || (path !== undefined && places.includes(path));
  if (!isCgroup || errno === undefined || suppressed !== undefined) return undefined;
  const pid = state.init?.pid ?? 0;
  const own = (): string | undefined => unifiedFolderOf(native, pid, facts);
  return otherCgroups(plan.cgroups, errno, { chosen: plan.chosenCgroup, rootless, own });
}

/** Of all types that config.json names, made or joined; the user namespace unless it is the one this process is in. */
function namespacesOf(native: Native, config: Config, pid: number): number {
  let flags = 0;
  for (const { type } of config.linux.namespaces) flags |= namespaceFlag(type);
  // Its root is a mount that no namespace has: what joins would be at the host's root.
  if ((flags & CLONE_NEWNS) === 0) {
    const message = "exec is not supported in a container without a mount namespace";
    throw new RuntimeError({ message, pointer: "/linux/namespaces" });
  }
  if ((flags & CLONE_NEWUSER) === 0) return flags;
  const [own, its] = ["self", pid].map((process) => native.readlink(AT_FDCWD, `/proc/${process}/ns/user`));
  return typeof own === "string" && own === its ? flags & ~CLONE_NEWUSER : flags;
}
