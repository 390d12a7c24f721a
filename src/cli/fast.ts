// Reads the command lines that engines write: flags in front of the arguments, each well-formed. Declines everything
// else (mistakes, help, `--`, flags behind arguments, values that begin with a dash): general.ts reads those, and a test
// proves that both read the same wherever this one does not decline.

import { type Invocation, Options, type OptionValue } from "./reading.ts";
import { type Flag, findCommand, findFlag, GLOBAL_FLAGS } from "./table.ts";
import { isList, oneMore, parseValue } from "./values.ts";

/** undefined: declined. */
export function readFast(argv: readonly string[]): Invocation | undefined {
  const global = new Map<string, OptionValue>();
  let at = readFlags(argv, 0, GLOBAL_FLAGS, global);
  if (at < 0 || at >= argv.length) return undefined;
  const command = findCommand(argv[at] as string);
  if (command === undefined) return undefined;
  const given = new Map<string, OptionValue>();
  at = readFlags(argv, at + 1, command.flags, given);
  if (at < 0) return undefined;
  const args = argv.slice(at);
  if (args.length < command.args[0] || args.length > command.args[1]) return undefined;
  // The first is no flag; where it ends them, nothing behind it is.
  const plain = command.argsEndFlags === true ? 1 : args.length;
  for (let i = 0; i < plain; i++) if (args[i]?.startsWith("-")) return undefined;
  return {
    kind: "run",
    command,
    global: new Options(GLOBAL_FLAGS, global),
    options: new Options(command.flags, given),
    args,
  };
}

/** Reads flags from `at` on; the index of the first word that is none, -1 to decline. */
function readFlags(
  argv: readonly string[],
  at: number,
  flags: readonly Flag[],
  given: Map<string, OptionValue>,
): number {
  while (at < argv.length) {
    const word = argv[at] as string;
    if (!word.startsWith("-")) return at;
    const equals = word.indexOf("=");
    const start = word.startsWith("--") ? 2 : 1;
    const flag = findFlag(flags, equals < 0 ? word.slice(start) : word.slice(start, equals));
    if (flag === undefined) return -1;
    at++;
    let text: string;
    if (equals >= 0) text = word.slice(equals + 1);
    else if (flag.kind === "bool") text = "true";
    else {
      if (at >= argv.length || (argv[at] as string).startsWith("-")) return -1;
      text = argv[at++] as string;
    }
    const value = parseValue(flag.kind, text);
    if (value === undefined) return -1;
    given.set(flag.name, isList(flag.kind) ? oneMore(given.get(flag.name), text) : value);
  }
  return at;
}
