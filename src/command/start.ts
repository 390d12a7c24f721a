// `berth start`: releases init, which waits at the start pipe, and waits until the container's program is executed.

import { runPoststartHooks } from "../container/hooks.ts";
import { openProcess } from "../container/liveness.ts";
import { ENOENT, O_NONBLOCK, O_RDONLY } from "../container/open-flags.ts";
import { releaseInit } from "../container/start-pipe.ts";
import type { ProcessId } from "../container/state.ts";
import { statusOf } from "../container/status.ts";
import { checkOwner, type Loaded, openState, START_FIFO } from "../container/store.ts";
import { MESSAGE } from "../errors/messages.ts";
import { RuntimeError } from "../errors/runtime-error.ts";
import { must } from "../host/must.ts";
import type { Native } from "../host/native.gen.ts";
import { loaded } from "../lazy.ts";
import type { Context, Outcome } from "./command.ts";

const SIGKILL = 9;

export function start({ native, root, args }: Context): Outcome {
  const container = openState(native, root, args[0] as string);
  checkOwner(native, container);
  const { state } = container;
  switch (statusOf(native, container.dir, state)) {
    case "created":
      break;
    case "stopped":
      throw new RuntimeError({ message: MESSAGE.startStopped });
    case "running":
      throw new RuntimeError({ message: MESSAGE.startRunning });
    case "creating":
      throw new RuntimeError({ message: "cannot start a container in the creating state" });
    case "paused":
      throw new RuntimeError({ message: "cannot start a container in the paused state" });
  }
  const init = state.init as ProcessId;
  const pidfd = openProcess(native, init.pid, init.startTime);
  if (pidfd === undefined) throw new RuntimeError({ message: MESSAGE.startStopped });
  release(native, container);
  if (state.hooks.poststart.length > 0) poststart(native, container, init.pid, pidfd);
  native.close(pidfd);
  return {};
}

/** Whoever unlinks the fifo has won; the descriptor opened before is then the only way to init. */
function release(native: Native, { dir, path, state }: Loaded): void {
  const fifo = native.open(dir, START_FIFO, O_RDONLY | O_NONBLOCK, 0);
  if (fifo === -ENOENT) throw new RuntimeError({ message: MESSAGE.startRunning });
  must(fifo, { operation: "open", path: `${path}/${START_FIFO}` });
  const removed = native.unlink(dir, START_FIFO, 0);
  if (removed === -ENOENT) throw new RuntimeError({ message: MESSAGE.startRunning });
  must(removed, { operation: "unlink", path: `${path}/${START_FIFO}` });
  const failure = releaseInit(native, fifo);
  native.close(fifo);
  if (failure !== undefined) throw loaded(import("./start-failure.ts")).startFailure(failure, state.startOps);
}

/** A poststart hook that fails stops the container (runtime-spec, lifecycle 9). */
function poststart(native: Native, { state }: Loaded, pid: number, pidfd: number): void {
  try {
    runPoststartHooks(native, state.hooks.poststart, state, pid);
  } catch (error) {
    native.pidfd_kill(pidfd, SIGKILL);
    throw error;
  }
}
