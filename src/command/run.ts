// `run`: create and start in one command, then wait (unless detached) and delete.

import { removeCgroups } from "../container/cgroup-remove.ts";
import { awaitStart, releaseInit } from "../container/start-pipe.ts";
import { RuntimeError } from "../errors/runtime-error.ts";
import type { Native } from "../host/native.gen.ts";
import { loaded } from "../lazy.ts";
import type { Context, Outcome } from "./command.ts";
import { type Created, createContainer } from "./create/container.ts";
import { recordCreated, removeState } from "./create/record.ts";
import type { CreateRequest } from "./create/request.ts";
import { undone } from "./create/undo.ts";
import { createRequest } from "./create.ts";
import type { Terminal } from "./run/terminal.ts";
import { forwardedSignals, waitForExit } from "./run/wait.ts";

const SIGKILL = 9;
const AT_FDCWD = -100;
const AT_REMOVEDIR = 0x200;

interface RunOptions {
  detach: boolean;
  keep: boolean;
  subreaper: boolean;
}

/** Exit code: the container's own, 128 + signal, or 0 when detached. */
export function run(context: Context): Outcome {
  const { options } = context;
  const detach = options.bool("detach");
  const request = createRequest(context, { outlives: false, foreground: !detach });
  const keep = options.bool("keep");
  return { code: runContainer(context.native, request, { detach, keep, subreaper: !options.bool("no-subreaper") }) };
}

function runContainer(native: Native, request: CreateRequest, options: RunOptions): number {
  if (options.subreaper && !options.detach) native.set_subreaper();
  let signals = -1;
  // Before the program can run: it may be waited for by somebody who then sends a signal.
  const beforeStart = (): void => {
    if (signals < 0 && !options.detach) signals = forwardedSignals(native);
  };
  const created = createContainer(native, request, beforeStart);
  let terminal: Terminal | undefined;
  try {
    if (created.ptySocket >= 0) {
      const { Terminal } = loaded(import("./run/terminal.ts"));
      terminal = new Terminal(native, created.ptySocket);
      created.undo.push(() => terminal?.restore());
    }
    const notifier = created.state.record.notify
      ? loaded(import("./notifier.ts")).Notifier.open(native, created.state)
      : undefined;
    beforeStart();
    if (!releaseInit(native, created.startPipe)) {
      throw new RuntimeError({
        message: "the container's init process died before it was started (killed, or out of memory)",
      });
    }
    recordCreated(native, created.state);
    const failure = awaitStart(native, created.startPipe);
    if (failure !== undefined) {
      const { initFailure } = loaded(import("./create/init-failure.ts"));
      throw initFailure(created.plan.init, failure, failure.detail);
    }
    const { hooks } = created.state.record;
    if (hooks.poststart.length > 0) {
      const { runPoststartHooks } = loaded(import("../container/hooks.ts"));
      runPoststartHooks(native, hooks, created.state.record, created.pid);
    }
    if (options.detach) {
      notifier?.wait(created.pid, created.pidfd, created.interrupts);
      return 0;
    }
    const code = waitForExit(native, created.pid, created.pidfd, signals, terminal, notifier);
    terminal?.restore();
    if (!options.keep) removeContainer(native, created);
    return code;
  } catch (error) {
    throw undone(error, created.undo);
  }
}

/** What is left of a container whose init has ended. */
function removeContainer(native: Native, created: Created): void {
  native.pidfd_kill(created.pidfd, SIGKILL);
  const { systemd } = created.state.record;
  if (systemd !== undefined) {
    loaded(import("../container/systemd/stop.ts")).endUnit(native, systemd, created.plan.cgroups, true);
  }
  // Nearly always it is as simple as that; what this process has made itself needs no look at where it leads.
  const left = created.plan.cgroups.filter((path) => native.unlink(AT_FDCWD, path, AT_REMOVEDIR) < 0);
  if (left.length > 0) removeCgroups(native, left, true);
  const { resctrl } = created.state.record;
  if (resctrl !== undefined) loaded(import("../container/resctrl.ts")).removeResctrl(native, resctrl);
  removeState(native, created.state, created.config.hooks.poststop);
}
