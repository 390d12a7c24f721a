// runc's flags follow Go's flag package. Rewrites a command line into the one spelling that every parser reads alike:
// each known flag as `--name="value"` (yargs-parser takes one pair of quotes off, so that is the only spelling in which
// it leaves a value alone). What Go does differently from getopt and from yargs:
//
//   -name is --name; there are no groups of short flags
//   a flag that takes a value takes the next word, whatever it looks like
//   a bool takes a value only behind `=`, and knows 1 t T true TRUE True and their opposites
//
// and, from urfave/cli in runc 1.1: a command's known flags may also stand behind its arguments, up to `--`; an unknown
// one there is an argument. Behind an argument `--` is an argument itself.

import { type Flag, findFlag } from "./table.ts";
import { isList, oneMore, parseValue } from "./values.ts";

/** Thrown for what Go's flag package calls an error; `text` is what it says. */
export class Mistake {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/**
 * The words in plain spelling. `behind` tells whether flags may follow arguments; if not, everything from the first
 * argument on is left as it is. Throws Mistake.
 */
export function spell(argv: readonly string[], flags: readonly Flag[], behind: boolean): string[] {
  const options: string[] = [];
  const args: string[] = [];
  const lists = new Map<string, string>();
  let at = 0;
  while (at < argv.length) {
    const word = argv[at++] as string;
    if (word === "--") {
      args.push(...argv.slice(args.length === 0 ? at : at - 1));
      break;
    }
    const flag = isFlag(word) ? flagOf(word, flags, args.length === 0) : undefined;
    if (flag === undefined) {
      if (!behind) {
        args.push(...argv.slice(at - 1));
        break;
      }
      args.push(word);
      continue;
    }
    const [typed, inline] = split(word);
    if (inline === undefined && flag.kind !== "bool" && at >= argv.length) {
      throw new Mistake(`flag needs an argument: -${typed}`);
    }
    const value = inline ?? (flag.kind === "bool" ? "true" : (argv[at++] as string));
    checkValue(flag, typed, value);
    if (isList(flag.kind)) lists.set(flag.name, oneMore(lists.get(flag.name), value));
    else options.push(`--${flag.name}="${value}"`);
  }
  for (const [name, values] of lists) options.push(`--${name}="${values}"`);
  return args.length === 0 ? options : [...options, "--", ...args];
}

function isFlag(word: string): boolean {
  return word.length > 1 && word.startsWith("-");
}

/** [name as typed, value behind `=`]. */
function split(word: string): [string, string | undefined] {
  const name = word.slice(word.startsWith("--") ? 2 : 1);
  const equals = name.indexOf("=");
  return equals < 0 ? [name, undefined] : [name.slice(0, equals), name.slice(equals + 1)];
}

function flagOf(word: string, flags: readonly Flag[], strict: boolean): Flag | undefined {
  const [name] = split(word);
  const flag = findFlag(flags, name);
  if (flag !== undefined || !strict) return flag;
  if (name === "" || name.startsWith("-")) throw new Mistake(`bad flag syntax: ${word}`);
  throw new Mistake(`flag provided but not defined: -${name}`);
}

function checkValue(flag: Flag, typed: string, value: string): void {
  if (parseValue(flag.kind, value) !== undefined) return;
  const quoted = JSON.stringify(value);
  if (flag.kind === "bool") throw new Mistake(`invalid boolean value ${quoted} for -${typed}: parse error`);
  const tooLarge = isDecimal(value);
  if (flag.kind === "integers") {
    const why = tooLarge ? "value out of range" : "invalid syntax";
    throw new Mistake(`invalid value ${quoted} for flag -${typed}: strconv.ParseInt: parsing ${quoted}: ${why}`);
  }
  throw new Mistake(
    `invalid value ${quoted} for flag -${typed}: ${tooLarge && flag.kind !== "duration" ? "value out of range" : "parse error"}`,
  );
}

/** A decimal number that was refused, then, for its size; a count may have no sign. */
function isDecimal(text: string): boolean {
  for (let i = text.startsWith("-") ? 1 : 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c < 0x30 || c > 0x39) return false;
  }
  return text.length > 9;
}
