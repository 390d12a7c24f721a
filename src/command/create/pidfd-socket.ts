// --pidfd-socket: whoever listens gets a pidfd of init, and so a hold of the process that no reuse of its number can break.

import type { Native } from "../../host/native.gen.ts";
import type { Interrupts } from "./interrupts.ts";
import { reach, sendAll } from "./reach.ts";

/** `kind` is the message: runc's "standard" for a container's init, "setns" for exec. */
export function sendPidfd(
  native: Native,
  interrupts: Interrupts,
  path: string,
  pidfd: number,
  kind: "standard" | "setns",
): void {
  const facts = { path, message: "cannot send the pidfd" };
  const socket = reach(native, interrupts, facts);
  try {
    sendAll(native, interrupts, socket, kind, pidfd, facts);
  } finally {
    native.close(socket);
  }
}
