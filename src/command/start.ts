// `berth start`: releases init, which waits at the start pipe, and waits until the container's program is executed.

import { runPoststartHooks } from "../container/hooks.ts";
import { isAlive, openProcess } from "../container/liveness.ts";
import { AT_SYMLINK_NOFOLLOW, ENOENT, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } from "../container/open-flags.ts";
import { awaitStart, releaseInit } from "../container/start-pipe.ts";
import type { ContainerState, ProcessId } from "../container/state.ts";
import { statusOf } from "../container/status.ts";
import { checkOwner, type Loaded, openState, START_FIFO } from "../container/store.ts";
import { MESSAGE } from "../errors/messages.ts";
import { RuntimeError } from "../errors/runtime-error.ts";
import { must } from "../host/must.ts";
import type { Native } from "../host/native.gen.ts";
import { loaded } from "../lazy.ts";
import type { Context, Outcome } from "./command.ts";

const SIGKILL = 9;
const LOCK_EX = 2;
const LOCK_NB = 4;
const LOCK_UN = 8;
const EWOULDBLOCK = 11;

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
  const notifier = state.notify ? loaded(import("./notifier.ts")).Notifier.open(native, container) : undefined;
  release(native, container);
  if (state.hooks.poststart.length > 0) poststart(native, container, init.pid, pidfd);
  notifier?.wait(init.pid, pidfd);
  native.close(pidfd);
  return {};
}

/**
 * Of several that start at once, whoever holds the lock on exec.fifo releases init; it is unlinked after that, so that a
 * start which is killed on the way can be tried again. The lock is not held while hooks of the container run.
 */
function release(native: Native, { dir, path, state }: Loaded): void {
  const facts = { path: `${path}/${START_FIFO}` };
  const fifo = native.open(dir, START_FIFO, O_RDONLY | O_NONBLOCK | O_NOFOLLOW, 0);
  if (fifo === -ENOENT) throw new RuntimeError({ message: MESSAGE.startRunning });
  must(fifo, { ...facts, operation: "open" });
  const locked = native.flock(fifo, LOCK_EX | LOCK_NB);
  // Whoever had the lock before has unlinked the fifo.
  if (locked === -EWOULDBLOCK || native.stat(dir, START_FIFO, AT_SYMLINK_NOFOLLOW) === -ENOENT) {
    throw new RuntimeError({ message: MESSAGE.startRunning });
  }
  must(locked, { ...facts, operation: "flock" });
  const released = releaseInit(native, fifo);
  const removed = native.unlink(dir, START_FIFO, 0);
  if (!released) throw initDied(native, state);
  native.flock(fifo, LOCK_UN);
  if (removed !== -ENOENT) must(removed, { ...facts, operation: "unlink" });
  const failure = awaitStart(native, fifo);
  native.close(fifo);
  if (failure !== undefined) throw loaded(import("./start-failure.ts")).startFailure(failure, state.startOps);
}

/** The pipe has ended without init's byte: init is dead, or a start that was killed has released it before. */
function initDied(native: Native, state: ContainerState): RuntimeError {
  const init = state.init as ProcessId;
  if (isAlive(native, init.pid, init.startTime)) return new RuntimeError({ message: MESSAGE.startRunning });
  return new RuntimeError({
    message: `${MESSAGE.startStopped}: its init process died (killed, or out of memory)`,
  });
}

/** A poststart hook that fails stops the container (runtime-spec, lifecycle 9), unless the bundle is for an older one. */
function poststart(native: Native, { state }: Loaded, pid: number, pidfd: number): void {
  try {
    runPoststartHooks(native, state.hooks, state, pid);
  } catch (error) {
    native.pidfd_kill(pidfd, SIGKILL);
    throw error;
  }
}
