// Where the container's terminal goes: to who listens at --console-socket, or to `run` itself.

import { RuntimeError } from "../../errors/runtime-error.ts";
import { must } from "../../host/must.ts";
import type { Native } from "../../host/native.gen.ts";
import { loaded } from "../../lazy.ts";
import type { Interrupts } from "./interrupts.ts";
import type { CreateRequest } from "./request.ts";

/** runc's rules for terminal, --detach and --console-socket. */
export function consoleMode(
  terminal: boolean,
  request: Pick<CreateRequest, "foreground" | "consoleSocket">,
): "none" | "socket" | "foreground" {
  if (!request.foreground && terminal && request.consoleSocket === undefined) {
    throw new RuntimeError({
      message: "cannot allocate tty if berth will detach without setting console socket",
      pointer: "/process/terminal",
    });
  }
  if (request.consoleSocket !== undefined && (request.foreground || !terminal)) {
    throw new RuntimeError({
      message: "cannot use console socket if berth will not detach or allocate tty",
      pointer: "/process/terminal",
    });
  }
  if (!terminal) return "none";
  return request.consoleSocket === undefined ? "foreground" : "socket";
}

/** [where we get the master, what init sends it to]. */
export function openConsole(
  native: Native,
  interrupts: Interrupts,
  request: Pick<CreateRequest, "consoleSocket">,
  mode: "none" | "socket" | "foreground",
): [number, number] {
  if (mode === "none") return [-1, -1];
  if (mode === "foreground") {
    return must(native.socketpair(), { operation: "socketpair", message: "cannot make the console's socket" }) as [
      number,
      number,
    ];
  }
  const path = request.consoleSocket as string;
  const { reach } = loaded(import("./reach.ts"));
  return [-1, reach(native, interrupts, { path, message: "cannot reach the console socket" })];
}
