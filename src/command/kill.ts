// `berth kill`: a signal to init, through a pidfd that is proved to be init's.

import { openProcess } from "../container/liveness.ts";
import type { ContainerState } from "../container/state.ts";
import { checkOwner, openState } from "../container/store.ts";
import { thaw } from "../container/thaw.ts";
import { MESSAGE } from "../errors/messages.ts";
import { RuntimeError } from "../errors/runtime-error.ts";
import { nativeError } from "../host/must.ts";
import type { Native } from "../host/native.gen.ts";
import { loaded } from "../lazy.ts";
import { parseSignal } from "../tables/signals.ts";
import type { Context, Outcome } from "./command.ts";

const SIGKILL = 9;
const EINVAL = 22;
const ESRCH = 3;

export function kill({ native, root, options, args }: Context): Outcome {
  const container = openState(native, root, args[0] as string);
  checkOwner(native, container);
  const signal = signalOf(args[1] ?? "");
  if (options.bool("all")) signalEverybody(native, container.state, signal);
  else if (!signalContainer(native, container.state, signal)) throw new RuntimeError({ message: MESSAGE.notRunning });
  return {};
}

function signalOf(text: string): number {
  const signal = parseSignal(text === "" ? "SIGTERM" : text);
  if (signal !== undefined) return signal;
  // runc: a number that is no signal is refused by the kernel, a word by runc.
  if (isNumber(text)) throw new RuntimeError({ message: "unable to signal init", path: text, errno: EINVAL });
  throw new RuntimeError({ message: `unknown signal ${JSON.stringify(text)}` });
}

function killCgroups(native: Native, cgroups: readonly string[]): boolean {
  return loaded(import("../container/cgroup-kill.ts")).killCgroups(native, cgroups);
}

function isNumber(text: string): boolean {
  const digits = text.startsWith("-") || text.startsWith("+") ? text.slice(1) : text;
  return digits !== "" && [...digits].every((c) => c >= "0" && c <= "9");
}

/** --all: every process in the cgroups gets it. Nobody there is no error, as in runc. */
function signalEverybody(native: Native, state: ContainerState, signal: number): void {
  if (signal === SIGKILL) {
    killCgroups(native, state.cgroups);
    signalContainer(native, state, signal); // init, where no cgroup could be reached
    return;
  }
  const { signalCgroups } = loaded(import("../container/cgroup-kill.ts"));
  const { isFrozen } = loaded(import("../container/freezer.ts"));
  const reached = signalCgroups(native, state.cgroups, signal, isFrozen(native, state.cgroups));
  if (!reached) signalContainer(native, state, signal);
}

/**
 * Sends the signal; false when the container is not running. SIGKILL ends every process: with a pid namespace of its own
 * the kernel does that when init dies, without one everybody in the cgroups is killed.
 */
export function signalContainer(native: Native, state: ContainerState, signal: number): boolean {
  const { init } = state;
  let reached = false;
  if (signal === SIGKILL && !state.privatePid) reached = killCgroups(native, state.cgroups);
  const pidfd = init === undefined ? undefined : openProcess(native, init.pid, init.startTime);
  if (pidfd !== undefined) {
    const sent = native.pidfd_kill(pidfd, signal);
    native.close(pidfd);
    if (sent < 0 && sent !== -ESRCH) throw nativeError(sent, { message: "unable to signal init" });
    reached ||= sent >= 0;
  }
  if (signal === SIGKILL) thaw(native, state.cgroups);
  return reached;
}
