// The bundle: changes into it, reads and decodes config.json. Everything that is wrong is said at once.

import { type Loaded, loadConfig, parseConfig } from "../../config/load.ts";
import type { Config, Issue } from "../../config/types.ts";
import { RuntimeError } from "../../errors/runtime-error.ts";
import { warn } from "../../errors/warning.ts";
import { must } from "../../host/must.ts";
import type { Native } from "../../host/native.gen.ts";
import { loaded } from "../../lazy.ts";

const AT_FDCWD = -100;
const ENOENT = 2;
const CONFIG_MAX = 16 << 20;
const ISSUES_SHOWN = 10;

export interface Bundle {
  /** The folder as the kernel names it. */
  path: string;
  config: Config;
  /** Of config.json. */
  text: string;
}

/** A bundle whose config.json is read, but not decoded yet. */
export interface OpenBundle {
  path: string;
  text: string;
  parsed: ReturnType<typeof parseConfig>;
}

/** Changes into the bundle and reads its config.json. */
export function openBundle(native: Native, bundle: string): OpenBundle {
  must(native.chdir(bundle), { operation: "chdir", path: bundle, message: "cannot enter the bundle" });
  const path = must(native.getcwd(), { operation: "getcwd", path: bundle }) as string;
  const text = readText(native);
  return { path, text, parsed: parseConfig(text) };
}

export function loadBundle(native: Native, bundle: string): Bundle {
  return decodeBundle(openBundle(native, bundle));
}

/**
 * Throws one RuntimeError that names every problem. `unprivileged`: this process is no root, not even of a user namespace.
 */
export function decodeBundle({ path, text, parsed }: OpenBundle, unprivileged = false): Bundle {
  const { config, issues } = loadConfig(text, parsed);
  if (config === undefined) throw invalidConfig(issues.filter((issue) => issue.kind !== "warning"));
  if (unprivileged) {
    const { checkRootless } = loaded(import("../../config/checks/rootless.ts"));
    const problems = checkRootless(config);
    if (problems.length > 0) throw invalidConfig(problems);
  }
  for (const issue of issues) warn(`config.json: ${issue.pointer}: ${issue.message}`);
  return { path, config, text };
}

/** Reads config.json of the current folder: what could be decoded, and all issues in document order. */
export function readConfig(native: Native): Loaded {
  return loadConfig(readText(native));
}

function readText(native: Native): string {
  const text = native.read_file(AT_FDCWD, "config.json", CONFIG_MAX);
  if (text === -ENOENT) {
    throw new RuntimeError({ message: "JSON specification file config.json not found", path: "config.json" });
  }
  return must(text, { operation: "read", path: "config.json" }) as string;
}

function invalidConfig(problems: readonly Issue[]): RuntimeError {
  const [first] = problems;
  if (problems.length === 1 && first !== undefined) {
    return new RuntimeError({ message: `config.json: ${first.message}`, pointer: first.pointer });
  }
  const shown = problems.slice(0, ISSUES_SHOWN).map((issue) => `${issue.pointer || "/"}: ${issue.message}`);
  const more = problems.length > ISSUES_SHOWN ? `; and ${problems.length - ISSUES_SHOWN} more` : "";
  return new RuntimeError({ message: `config.json has ${problems.length} problems: ${shown.join("; ")}${more}` });
}
