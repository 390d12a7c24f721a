// `berth ps`: the container's processes, as a list of pids or as the lines that the host's ps has for them.

import { containerPids } from "../container/cgroup-walk.ts";
import { ENOENT, ENOTDIR } from "../container/open-flags.ts";
import { openState } from "../container/store.ts";
import { RuntimeError } from "../errors/runtime-error.ts";
import { must } from "../host/must.ts";
import type { Native } from "../host/native.gen.ts";
import type { Context, Outcome } from "./command.ts";

const EACCES = 13;
const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const OUTPUT_MAX = 16 << 20;

export function ps({ native, root, options, args }: Context): Outcome {
  const container = openState(native, root, args[0] as string);
  const { cgroups } = container.state;
  if (cgroups.length === 0) throw new RuntimeError({ message: "the container has no cgroup that tells its processes" });
  const pids = containerPids(native, cgroups);
  switch (options.string("format")) {
    case "json": // of nobody, Go's encoder makes null
      return { stdout: `${pids === undefined || pids.length === 0 ? "null" : JSON.stringify(pids)}\n` };
    case "table":
      return { stdout: linesOf(hostPs(native, args.slice(1)), new Set(pids)) };
    default:
      throw new RuntimeError({ message: "invalid format option" });
  }
}

/** The output of ps with the given arguments, found in $PATH, with berth's own environment. */
function hostPs(native: Native, given: readonly string[]): string {
  const environment = must(native.environ(), { operation: "environ" }) as string;
  const env = environment.split("\0").filter((entry) => entry !== "");
  const args = ["ps", ...(given.length === 0 ? ["-ef"] : given)];
  const path = env.find((entry) => entry.startsWith("PATH="))?.slice("PATH=".length) ?? DEFAULT_PATH;
  for (const folder of path.split(":")) {
    if (!folder.startsWith("/")) continue; // never a program of the current folder
    const output = native.run_program(`${folder}/ps`, args, env, OUTPUT_MAX);
    if (output === -ENOENT || output === -ENOTDIR || output === -EACCES) continue;
    const text = must(output, { message: "cannot run ps", operation: "exec", path: `${folder}/ps` }) as string;
    const end = native.detail();
    if (typeof end === "string" && end !== "") throw new RuntimeError({ message: end, detail: text });
    return text;
  }
  throw new RuntimeError({ message: 'exec: "ps": executable file not found in $PATH' });
}

/** The title line, and those whose PID column names one of the processes. */
function linesOf(output: string, pids: ReadonlySet<number>): string {
  const lines = output.split("\n");
  const title = lines[0] as string;
  let column = 0;
  while (fieldAt(title, column) !== "PID") {
    if (fieldAt(title, column) === "") throw new RuntimeError({ message: "couldn't find PID field in ps output" });
    column++;
  }
  let kept = `${title}\n`;
  for (let i = 1; i < lines.length; i++) {
    const line = lines[i] as string;
    if (line === "") continue;
    const field = fieldAt(line, column);
    const pid = Number(field);
    if (field === "" || !Number.isInteger(pid)) {
      throw new RuntimeError({ message: `unable to parse pid: ${JSON.stringify(field)}` });
    }
    if (pids.has(pid)) kept += `${line}\n`;
  }
  return kept;
}

/** The word with that index, "" behind the last. Without a list of all of them: there may be many lines, and long ones. */
function fieldAt(line: string, index: number): string {
  let at = 0;
  for (let words = 0; ; words++) {
    while (isBlank(line.charCodeAt(at))) at++;
    let end = at;
    while (end < line.length && !isBlank(line.charCodeAt(end))) end++;
    if (words === index || end === at) return line.slice(at, end);
    at = end;
  }
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
