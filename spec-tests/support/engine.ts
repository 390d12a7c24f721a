// What the tests of engines' calls share.

import { readFileSync } from "node:fs";
import { helper } from "./helpers.ts";
import { type Running, startProgram } from "./runtime.ts";
import { type Sandbox, until } from "./sandbox.ts";

/** A program that says so, and waits. */
export const waits = "echo up; while :; do sleep 0.1; done";

/** A process.json; its path. */
export function processFile(t: Sandbox, args: readonly string[], more: object = {}): string {
  const process = { args, cwd: "/", env: ["PATH=/bin"], user: { uid: 0, gid: 0 }, ...more };
  return t.write("process.json", JSON.stringify(process));
}

/** runc does not wait until it has executed the program. */
export function runsSleep(pid: string): Promise<boolean> {
  return until("the program runs", () => readFileSync(`/proc/${pid}/cmdline`, "utf8") === "sleep\0" + "1000\0");
}

/** The engine's end of a console socket: takes the terminal and prints what it shows. */
export async function receiver(t: Sandbox, name: string): Promise<{ socket: string; receiving: Running }> {
  const socket = t.path(name);
  const receiving = startProgram([helper("receiver"), socket]);
  await until("the receiver listens", () => t.exists(name));
  return { socket, receiving };
}
