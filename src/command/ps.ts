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
  const pids = containerPids(native, container.state.cgroups);
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
  const [title = "", ...lines] = output.split("\n");
  const column = fieldsOf(title).indexOf("PID");
  if (column < 0) throw new RuntimeError({ message: "couldn't find PID field in ps output" });
  let kept = `${title}\n`;
  for (const line of lines) {
    if (line === "") continue;
    const field = fieldsOf(line)[column];
    const pid = Number(field);
    if (field === undefined || !Number.isInteger(pid)) {
      throw new RuntimeError({ message: `unable to parse pid: ${JSON.stringify(field ?? line)}` });
    }
    if (pids.has(pid)) kept += `${line}\n`;
  }
  return kept;
}

function fieldsOf(line: string): string[] {
  const fields: string[] = [];
  for (const words of line.split(" ")) for (const word of words.split("\t")) if (word !== "") fields.push(word);
  return fields;
}
