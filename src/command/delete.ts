// `berth delete`: processes, cgroups, state folder, poststop hooks, in this order (runc's).
//
// Of several deletes at once one removes: the folder's lock keeps the others from touching cgroups that a new container
// of the same name may have by then. Nobody holds it while waiting for a container or a hook.

import { removeCgroups } from "../container/cgroup-remove.ts";
import { runPoststopHooks } from "../container/hooks.ts";
import { openProcess } from "../container/liveness.ts";
import type { ContainerState } from "../container/state.ts";
import { statusOf } from "../container/status.ts";
import {
  checkOwner,
  claimRemoval,
  type Folder,
  type Loaded,
  openFolder,
  readState,
  removeFolder,
} from "../container/store.ts";
import { thaw } from "../container/thaw.ts";
import { MESSAGE } from "../errors/messages.ts";
import { RuntimeError } from "../errors/runtime-error.ts";
import { warn } from "../errors/warning.ts";
import { must } from "../host/must.ts";
import type { Native } from "../host/native.gen.ts";
import { loaded } from "../lazy.ts";
import type { Context, Outcome } from "./command.ts";

const SIGKILL = 9;
const SIGTERM = 15;
const LOCK_EX = 2;
const POLLIN = 1;
/** How long init may take to die: runc's 100 times 100 ms. */
const PATIENCE_MS = 10_000;
/** How long init may take until its cgroups are killed, too. */
const ALONE_MS = 200;
/** How long a create may take to undo what it has done. */
const CREATOR_PATIENCE_MS = 2000;

export function deleteContainer({ native, root, options, args }: Context): Outcome {
  const id = args[0] as string;
  const force = options.bool("force");
  const folder = openFolder(native, root, id);
  if (folder?.state === undefined) {
    if (folder !== undefined) removeHalfMade(native, folder, force);
    if (force) return {};
    throw new RuntimeError({ message: MESSAGE.notExist, path: id });
  }
  const container = folder as Loaded;
  checkOwner(native, container);
  if (force) interruptCreator(native, container.state);
  else refuseUnlessEnded(native, container);
  endProcesses(native, container);
  const { systemd, cgroups } = container.state;
  if (systemd !== undefined) {
    loaded(import("../container/systemd/stop.ts")).endUnit(native, systemd, cgroups, force);
  }
  removeContainer(native, container);
  return {};
}

/** A create that was killed before it could write a record leaves an empty folder: gone, whatever the answer. */
function removeHalfMade(native: Native, folder: Folder, force: boolean): void {
  checkOwner(native, folder);
  if (folder.damage !== undefined) {
    if (!force) throw folder.damage;
    warn(folder.damage); // what it names, cgroups above all, is not found any more
  }
  removeFolder(native, folder.path, folder.dir);
}

/** A created container has run nothing of the user's: it may go without --force, as in runc. */
function refuseUnlessEnded(native: Native, { dir, state }: Loaded): void {
  const status = statusOf(native, dir, state);
  if (status === "stopped" || status === "created") return;
  throw new RuntimeError({ message: `cannot delete container ${state.id} that is not stopped: ${status}` });
}

/**
 * A create that is under way is asked to end, and undoes everything by itself, hooks included. One that does not
 * answer is taken over: without init it has nothing to go on with, and it cannot record anything any more.
 */
function interruptCreator(native: Native, { created, creator }: ContainerState): void {
  if (created !== undefined) return;
  const pidfd = openProcess(native, creator.pid, creator.startTime);
  if (pidfd === undefined) return;
  native.pidfd_kill(pidfd, SIGTERM);
  awaitEnd(native, pidfd, CREATOR_PATIENCE_MS);
  native.close(pidfd);
}

/**
 * Kills init and waits for its end. A pid namespace of its own ends with it, but not quickly when it is full of processes
 * that fork; without one everybody in the cgroups is killed. What is left then dies when the cgroups are removed.
 */
function endProcesses(native: Native, { dir, path, state }: Loaded): void {
  // A create that is still under way may have recorded init meanwhile.
  const { init, cgroups, privatePid } = readState(native, dir, path) ?? state;
  const pidfd = init === undefined ? undefined : openProcess(native, init.pid, init.startTime);
  if (pidfd === undefined) return;
  native.pidfd_kill(pidfd, SIGKILL);
  thaw(native, cgroups);
  if (!privatePid || !awaitEnd(native, pidfd, ALONE_MS)) {
    loaded(import("../container/cgroup-kill.ts")).killCgroups(native, cgroups);
    if (!awaitEnd(native, pidfd, PATIENCE_MS)) throw new RuntimeError({ message: "container init still running" });
  }
  native.close(pidfd);
}

/** Whether the process has ended within the time. */
function awaitEnd(native: Native, pidfd: number, patience: number): boolean {
  const deadline = native.monotonic() + patience;
  for (;;) {
    const left = deadline - native.monotonic();
    const ready = native.poll(Uint32Array.of(pidfd), Uint32Array.of(POLLIN), Math.max(left, 0));
    if (typeof ready !== "number" && ready[0] !== 0) return true;
    if (left <= 0) return false;
  }
}

function removeContainer(native: Native, container: Loaded): void {
  const { dir, path } = container;
  must(native.flock(dir, LOCK_EX), { operation: "flock", path });
  // Somebody else was faster: there is nothing left that is this container's.
  const state = readState(native, dir, path);
  if (state === undefined) return;
  removeCgroups(native, state.cgroups, true);
  if (state.resctrl !== undefined) loaded(import("../container/resctrl.ts")).removeResctrl(native, state.resctrl);
  if (!claimRemoval(native, container)) return;
  removeFolder(native, path, dir);
  native.close(dir); // with it the lock
  poststop(native, state);
}

function poststop(native: Native, state: ContainerState): void {
  runPoststopHooks(native, state.hooks.poststop, state);
}
