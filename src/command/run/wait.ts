// `run` in the foreground: forwards signals and terminal data until the container's init has ended.

import { must, nativeError } from "../../host/must.ts";
import type { Native } from "../../host/native.gen.ts";
import type { Notifier } from "../notifier.ts";
import type { Terminal } from "./terminal.ts";

const EINTR = 4;
const POLLIN = 1;
const SIGCHLD = 17;
const SIGWINCH = 28;
const SIGURG = 23;
const WNOHANG = 1;
const CLD_EXITED = 1;
/**
 * Every signal but SIGKILL and SIGSTOP, which cannot be caught, the faults SIGILL TRAP BUS FPE SEGV, which are this
 * process's own, and 32 and 33, which C libraries keep for themselves.
 */
const FORWARDED = [
  1, 2, 3, 6, 10, 12, 13, 14, 15, 16, 17, 18, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 34, 35, 36, 37, 38, 39,
  40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63, 64,
];

/** Blocks every signal that is to be forwarded, and SIGCHLD; the descriptor tells which have come. */
export function forwardedSignals(native: Native): number {
  return must(native.signal_fd(Uint32Array.from(FORWARDED)), { operation: "signalfd" });
}

/** The exit code of the container's init: its own, or 128 + signal. Other children are reaped on the way. */
export function waitForExit(
  native: Native,
  pid: number,
  pidfd: number,
  signals: number,
  terminal?: Terminal,
  notifier?: Notifier,
): number {
  for (;;) {
    const fds = [pidfd, signals];
    const events = [POLLIN, POLLIN];
    terminal?.wanted(fds, events);
    notifier?.wanted(fds, events);
    const ready = native.poll(Uint32Array.from(fds), Uint32Array.from(events), -1);
    if (ready === -EINTR) continue;
    if (typeof ready === "number") throw nativeError(ready, { operation: "poll" });
    terminal?.transfer(fds, ready);
    notifier?.transfer();
    if (ready[1] !== 0) drainSignals(native, pid, pidfd, signals, terminal);
    if (ready[0] !== 0) {
      terminal?.drain();
      return exitCode(must(native.wait_child(pid, 0), { operation: "waitid" }));
    }
  }
}

/** At a time, that is before the end of init is looked for: processes that never stop forking send SIGCHLD for ever. */
const SIGNALS = 64;
const ZOMBIES = 4096;

function drainSignals(native: Native, pid: number, pidfd: number, signals: number, terminal?: Terminal): void {
  for (let i = 0; i < SIGNALS; i++) {
    const signal = native.read_signal(signals);
    if (signal <= 0) return;
    if (signal === SIGCHLD) {
      reapOthers(native, pid);
      return;
    }
    if (signal === SIGWINCH && terminal !== undefined) terminal.resize();
    else if (signal !== SIGURG) native.pidfd_kill(pidfd, signal); // ESRCH: it has just ended
  }
}

/**
 * As sub-reaper: ends zombies that are not the container's init, which is left for waitForExit. What is left after so many
 * goes with the next SIGCHLD, or with this process.
 */
function reapOthers(native: Native, pid: number): void {
  for (let i = 0; i < ZOMBIES; i++) {
    const zombie = native.peek_child();
    if (zombie <= 0 || zombie === pid) return;
    native.wait_child(zombie, WNOHANG);
  }
}

function exitCode(waited: number[]): number {
  const [, code, status] = waited as [number, number, number];
  return code === CLD_EXITED ? status : 128 + status;
}
