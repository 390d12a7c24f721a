// state.json: one JSON record a line, appended whole. A last line without its newline was torn and is not there.

import { RuntimeError } from "../errors/runtime-error.ts";
import type { ContainerState, ProcessId } from "./state.ts";

/** One line. Bytes that are not UTF-8 come out as \udcXX escapes and survive the way back. */
export function encodeRecord(record: object): string {
  return `${JSON.stringify(record)}\n`;
}

/** All complete records as one; undefined when there is not even the first. Throws when a complete line is damaged. */
export function decodeRecords(text: string): ContainerState | undefined {
  const end = text.lastIndexOf("\n");
  if (end < 0) return undefined;
  const state = {};
  for (const line of text.slice(0, end).split("\n")) Object.assign(state, decodeLine(line));
  if (!isState(state)) throw damaged();
  return state;
}

/** Whether all is there that commands rely on, and of its type: they are to say what is wrong, and `delete --force` to go on. */
function isState(state: Partial<ContainerState>): state is ContainerState {
  const { id, bundle, rootfs, ociVersion, annotations, cgroups, hooks, creator, init } = state;
  const texts = [id, bundle, rootfs, ociVersion].every((text) => typeof text === "string");
  const lists = [annotations, cgroups, hooks?.poststart, hooks?.poststop].every(Array.isArray);
  if (!texts || !lists || !annotations?.every(Array.isArray)) return false;
  if (!cgroups?.every((path) => typeof path === "string")) return false;
  return isProcess(creator) && (init === undefined || isProcess(init));
}

function isProcess(process: ProcessId | undefined): boolean {
  const { pid, startTime } = process ?? {};
  return Number.isSafeInteger(pid) && (pid as number) > 0 && Number.isSafeInteger(startTime);
}

function decodeLine(line: string): object {
  let record: unknown;
  try {
    record = JSON.parse(line);
  } catch {
    throw damaged();
  }
  if (typeof record !== "object" || record === null || Array.isArray(record)) throw damaged();
  return record;
}

function damaged(): RuntimeError {
  return new RuntimeError({ message: "the container's state is damaged", path: "state.json" });
}
