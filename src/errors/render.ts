// The one place that makes sentences of errors:
//
//   create: cannot enter the bundle: chdir "/none": no such file or directory
//   create: mount_setattr "/proc/sys": operation not permitted (/linux/readonlyPaths/0, op 41)
//   start: exec: "x": executable file not found in $PATH (/process/args/0)

import { errnoText } from "../tables/errno.ts";
import { type ErrorFacts, RuntimeError } from "./runtime-error.ts";

/** What the user reads, without a newline at the end. `command` is named first when there is one. */
export function sentence(error: unknown, command?: string): string {
  const clause = error instanceof RuntimeError ? clauseOf(error.facts) : internal(error);
  return command === undefined ? clause : `${command}: ${clause}`;
}

/** The exit code that an error asks for. */
export function exitCodeOf(error: unknown): number {
  return error instanceof RuntimeError ? (error.facts.exitCode ?? 1) : 1;
}

function clauseOf(facts: ErrorFacts): string {
  const parts: string[] = [];
  if (facts.message !== "") parts.push(facts.message);
  const subject = facts.path === undefined ? "" : JSON.stringify(facts.path);
  if (facts.operation !== undefined) parts.push(subject === "" ? facts.operation : `${facts.operation} ${subject}`);
  else if (subject !== "") parts.push(subject);
  // A message that was made from the errno already ends with its text.
  if (facts.errno !== undefined && !facts.message.endsWith(errnoText(facts.errno))) parts.push(errnoText(facts.errno));
  if (parts.length === 0) parts.push(facts.cause === undefined ? "unknown error" : sentence(facts.cause));
  const detail = facts.detail?.trim() ?? "";
  if (detail !== "") parts.push(detail);
  return parts.join(": ") + place(facts) + undoFailures(facts);
}

/** Where in config.json and in init's plan it was. */
function place(facts: ErrorFacts): string {
  const words: string[] = [];
  if (facts.pointer !== undefined && facts.pointer !== "") words.push(facts.pointer);
  if (facts.op !== undefined) words.push(`op ${facts.op}`);
  return words.length === 0 ? "" : ` (${words.join(", ")})`;
}

function undoFailures(facts: ErrorFacts): string {
  if (facts.suppressed === undefined || facts.suppressed.length === 0) return "";
  return `; undoing it failed too: ${facts.suppressed.map((error) => sentence(error)).join("; ")}`;
}

/** Not a RuntimeError: a mistake in Berth, or the engine out of memory. */
function internal(error: unknown): string {
  if (!(error instanceof Error)) return `internal error: ${String(error)}`;
  return `internal error: ${error.name}: ${error.message}`;
}
