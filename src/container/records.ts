// state.json: one JSON record a line, appended whole. A last line without its newline was torn and is not there.

import { RuntimeError } from "../errors/runtime-error.ts";
import type { ContainerState } from "./state.ts";

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
  if (typeof (state as ContainerState).id !== "string") throw damaged();
  return state as ContainerState;
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
