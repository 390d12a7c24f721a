// `berth validate [BUNDLE]`: everything that is wrong with config.json, a line each. Needs no privilege, changes nothing.

import { loadConfig } from "../config/load.ts";
import { AT_FDCWD } from "../container/open-flags.ts";
import { must } from "../host/must.ts";
import type { Context, Outcome } from "./command.ts";
import { seccompIssues } from "./validate-seccomp.ts";

const CONFIG_MAX = 16 << 20;

export function validate({ native, options, args }: Context): Outcome {
  const path = `${args[0] ?? (options.string("bundle") || ".")}/config.json`;
  const text = must(native.read_file(AT_FDCWD, path, CONFIG_MAX), { operation: "read", path }) as string;
  const { config, issues: found } = loadConfig(text);
  const issues = config === undefined ? found : [...found, ...seccompIssues(config)];
  if (issues.length === 0) return { stdout: `${path}: nothing is wrong\n` };
  const lines = issues.map(
    ({ kind, pointer, message }) => `${kind}: ${pointer === "" ? "" : `${pointer}: `}${message}\n`,
  );
  return { stdout: lines.join(""), code: issues.every((issue) => issue.kind === "warning") ? 0 : 1 };
}
