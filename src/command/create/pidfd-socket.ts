// --pidfd-socket: whoever listens gets a pidfd of init, and so a hold of the process that no reuse of its number can break.

import { must } from "../../host/must.ts";
import type { Native } from "../../host/native.gen.ts";

/** `kind` is the message: runc's "standard" for a container's init, "setns" for exec. */
export function sendPidfd(native: Native, path: string, pidfd: number, kind: "standard" | "setns"): void {
  const facts = { path, message: "cannot send the pidfd" };
  const socket = must(native.connect(path), { ...facts, operation: "connect" }) as number;
  const sent = native.send_fd(socket, kind, pidfd);
  native.close(socket);
  must(sent, { ...facts, operation: "sendmsg" });
}
