// Connections to who listens at a path that the caller or config.json names, and messages to them. Somebody who does not
// answer must not make the command deaf to SIGTERM.

import { must } from "../../host/must.ts";
import type { Native } from "../../host/native.gen.ts";
import type { Interrupts } from "./interrupts.ts";

const EAGAIN = 11;
/** Signals are looked for this often. */
const SLICE_MS = 500;

interface Facts {
  message: string;
  path: string;
  pointer?: string;
}

/** A connected socket. Throws RuntimeError, also when a signal has come. */
export function reach(native: Native, interrupts: Interrupts, facts: Facts): number {
  for (;;) {
    const socket = native.connect(facts.path, SLICE_MS);
    if (socket !== -EAGAIN) return must(socket, { ...facts, operation: "connect" });
    interrupts.check();
  }
}

/**
 * Sends all the bytes, each of which is a character below U+0080 or a raw one (textOfBytes), the descriptor with the first.
 * Throws RuntimeError, also when a signal has come.
 */
export function sendAll(
  native: Native,
  interrupts: Interrupts,
  socket: number,
  text: string,
  fd: number,
  facts: Facts,
): void {
  for (let rest = text; rest !== ""; ) {
    const sent = native.send_fd(socket, rest, rest === text ? fd : -1);
    if (sent !== -EAGAIN) rest = rest.slice(must(sent, { ...facts, operation: "sendmsg" }));
    if (rest !== "") interrupts.check();
  }
}
