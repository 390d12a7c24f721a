// The seccomp filter of a process that init becomes; `create`, `run` and `exec` alike.

import { must } from "../../host/must.ts";
import type { Native } from "../../host/native.gen.ts";
import { loaded } from "../../lazy.ts";
import type { RuntimeStep } from "../../plan/plan.ts";
import { compileFilter } from "../../seccomp/compile.ts";
import type { Seccomp } from "../../seccomp/types.ts";
import { VERSION } from "../../version.ts";
import type { Interrupts } from "./interrupts.ts";
import { mustSend } from "./reports.ts";

/**
 * The filter of the plan's "send filter" step; undefined when there is none. Throws RuntimeError with the JSON pointer of what
 * makes no filter.
 */
export function compilePlanned(steps: readonly RuntimeStep[], seccomp: Seccomp): Uint32Array | undefined {
  for (const step of steps) if (step.step === "send filter") return compileFilter(seccomp, step.compile).filter;
  return undefined;
}

/** Sends the filter to init. */
export function sendFilter(native: Native, socket: number, filter: Uint32Array | undefined): void {
  if (filter === undefined) throw new RangeError("the plan sends a filter that was not compiled");
  mustSend(native.send_words(socket, filter), "cannot send the seccomp filter to init");
}

/** Where the listening descriptor is, and whose notifications it gets. */
export interface Listener {
  pid: number;
  pidfd: number;
  fd: number;
}

/**
 * Hands the listener to the agent: the container process state (config-linux.md) over a new connection, which is closed
 * then. `state` is the container's state as JSON.
 */
export function sendListener(
  native: Native,
  interrupts: Interrupts,
  { path, metadata, origin }: { path: string; metadata?: string; origin: { pointer: string } },
  { pid, pidfd, fd }: Listener,
  state: string,
): void {
  const { pointer } = origin;
  const { bytesOfText, textOfBytes } = loaded(import("../../bytes/bytes.ts"));
  const { reach, sendAll } = loaded(import("./reach.ts"));
  const listener = must(native.pidfd_getfd(pidfd, fd), { operation: "pidfd_getfd", pointer }) as number;
  try {
    const facts = { message: "cannot reach the seccomp agent", path, pointer };
    const socket = reach(native, interrupts, facts);
    const more = metadata === undefined || metadata === "" ? "" : `"metadata":${JSON.stringify(metadata)},`;
    const text = `{"ociVersion":"${VERSION.spec}","fds":["seccompFd"],"pid":${pid},${more}"state":${state}}`;
    try {
      sendAll(native, interrupts, socket, textOfBytes(bytesOfText(text)), listener, facts);
    } finally {
      native.close(socket);
    }
  } finally {
    native.close(listener);
  }
}
