// Where errors and warnings go: the log file or standard error.

import { RuntimeError } from "../errors/runtime-error.ts";

export interface LogTarget {
  /** Descriptor of the log: 2, or the file of --log. */
  fd: number;
  format: "text" | "json";
  debug: boolean;
}

export const STDERR: LogTarget = { fd: 2, format: "text", debug: false };

/** --log-format. Throws for anything but text, json and, as runc, nothing. */
export function parseFormat(text: string): "text" | "json" {
  if (text === "json") return "json";
  if (text === "text" || text === "") return "text";
  throw new RuntimeError({ message: `invalid log-format: ${text}` });
}
