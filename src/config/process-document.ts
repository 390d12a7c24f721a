// process.json of `exec`: config.json's process alone. Pointers count from the document's own root.

import { RuntimeError } from "../errors/runtime-error.ts";
import { type ParsedJson, parseQuick } from "../json/parse.ts";
import { loaded } from "../lazy.ts";
import { PROCESS_CHECKS } from "./checks/process.ts";
import { Context } from "./context.ts";
import { decodeProcess } from "./process.ts";
import type { Config, Issue, Process } from "./types.ts";

export interface LoadedProcess {
  /** There when nothing but warnings was found. */
  process?: Process;
  issues: Issue[];
}

/** Parses, decodes and checks the text. Never throws for what it holds. */
export function loadProcess(text: string): LoadedProcess {
  const parsed = parse(text);
  if ("kind" in parsed) return { issues: [parsed] };
  let c = new Context(parsed.nul);
  let process = decodeProcess(c, parsed.value);
  if (c.rounded && !parsed.exact) {
    c = new Context(parsed.nul);
    process = decodeProcess(c, loaded(import("../json/exact.ts")).parseExact(text));
  }
  const issues = [...c.issues];
  const add = (pointer: string, message: string, kind: Issue["kind"] = "invalid"): void => {
    issues.push({ pointer, kind, message });
  };
  // These rules read nothing but the process.
  if (issues.length === 0) for (const { run } of PROCESS_CHECKS) run({ process } as Config, add);
  const own = issues.map((issue) => ({ ...issue, pointer: issue.pointer.slice("/process".length) }));
  return own.some(({ kind }) => kind !== "warning") ? { issues: own } : { process, issues: own };
}

function parse(text: string): ParsedJson | Issue {
  try {
    return parseQuick(text);
  } catch (error) {
    if (error instanceof RuntimeError) return { pointer: "", kind: "invalid", message: error.message };
    throw error;
  }
}
