// Reads any command line: spelling.ts makes Go's spelling plain, yargs-parser takes it apart. Loaded only when fast.ts
// has declined.

import yargs from "yargs-parser/browser";
import { Options, type OptionValue, type Reading } from "./reading.ts";
import { Mistake, spell } from "./spelling.ts";
import { type Command, type Flag, findCommand, GLOBAL_FLAGS, HELP_FLAG, VERSION_FLAG } from "./table.ts";
import { isList, parseValue } from "./values.ts";

/** Everything that yargs would guess is off: the last value of a flag counts, and no word is changed. */
const CONFIGURATION = {
  "boolean-negation": false,
  "camel-case-expansion": false,
  "dot-notation": false,
  "duplicate-arguments-array": false,
  "parse-numbers": false,
  "parse-positional-numbers": false,
  "populate--": false,
  "short-option-groups": false,
};

interface Level {
  options: Options;
  args: string[];
}

export function readGeneral(argv: readonly string[]): Reading {
  let program: Level;
  try {
    program = readLevel(argv, [...GLOBAL_FLAGS, HELP_FLAG, VERSION_FLAG], false);
  } catch (error) {
    return mistake(error);
  }
  const [name, ...rest] = program.args;
  if (program.options.bool("help")) return { kind: "help" };
  if (program.options.bool("version")) return { kind: "version" };
  if (name === undefined || name === "") return { kind: "help" };
  const global = program.options;
  if (name === "help" || name === "h") return help(rest[0], global);
  const command = findCommand(name);
  if (command === undefined) return { kind: "unknown command", name, global };
  let level: Level;
  try {
    level = readLevel(rest, [...command.flags, HELP_FLAG], command.argsEndFlags === undefined);
  } catch (error) {
    return mistake(error, command, global);
  }
  if (level.options.bool("help")) return { kind: "help", topic: command };
  const wrong = wrongCount(command, level.args.length);
  if (wrong !== undefined) return { kind: "mistake", heading: "Incorrect Usage.", text: wrong, topic: command, global };
  return { kind: "run", command, global, options: level.options, args: level.args };
}

function help(name: string | undefined, global: Options): Reading {
  if (name === undefined) return { kind: "help" };
  const topic = findCommand(name);
  return topic === undefined ? { kind: "unknown command", name, global } : { kind: "help", topic };
}

function readLevel(argv: readonly string[], flags: readonly Flag[], behind: boolean): Level {
  const result = yargs(spell(argv, flags, behind), {
    string: flags.map((flag) => flag.name),
    alias: {},
    configuration: CONFIGURATION,
  });
  const given = new Map<string, OptionValue>();
  for (const flag of flags) {
    const text = result[flag.name];
    if (typeof text !== "string") continue;
    const value = isList(flag.kind) ? text : parseValue(flag.kind, text);
    if (value !== undefined) given.set(flag.name, value);
  }
  return { options: new Options(flags, given), args: result._ };
}

/** What runc says about too few or too many arguments, or undefined. */
function wrongCount(command: Command, count: number): string | undefined {
  const [least, most] = command.args;
  if (count >= least && count <= most) return undefined;
  const wanted = least === most ? `exactly ${least}` : count < least ? `a minimum of ${least}` : `a maximum of ${most}`;
  return `berth: ${JSON.stringify(command.name)} requires ${wanted} argument(s)`;
}

function mistake(error: unknown, topic?: Command, global?: Options): Reading {
  if (!(error instanceof Mistake)) throw error;
  const { text } = error;
  if (topic === undefined || global === undefined)
    return { kind: "mistake", heading: `Incorrect Usage. ${text}`, text };
  return { kind: "mistake", heading: `Incorrect Usage: ${text}`, text, topic, global };
}
