// What argv says.

import type { Command, CommandName, Flag } from "./table.ts";

export type OptionValue = string | number | boolean;

/** Options of one level, defaults applied. */
export class Options {
  readonly #flags: readonly Flag[];
  readonly #given: ReadonlyMap<string, OptionValue>;

  constructor(flags: readonly Flag[], given: ReadonlyMap<string, OptionValue>) {
    this.#flags = flags;
    this.#given = given;
  }

  isSet(name: string): boolean {
    return this.#given.has(name);
  }

  bool(name: string): boolean {
    return this.#given.get(name) === true;
  }

  /** The value, or the flag's default; undefined when it has none. */
  string(name: string): string | undefined {
    const value = this.#value(name);
    return value === undefined ? undefined : String(value);
  }

  /** Every value of a "strings" or "integers" flag, in order. */
  list(name: string): string[] {
    const value = this.#given.get(name);
    return typeof value === "string" ? value.split("\0") : [];
  }

  /** An int flag always has a default. */
  int(name: string): number {
    return Number(this.#value(name) ?? 0);
  }

  #value(name: string): OptionValue | undefined {
    return this.#given.get(name) ?? this.#flags.find((flag) => flag.name === name)?.value;
  }
}

/** argv can be carried out. */
export interface Invocation {
  kind: "run";
  command: Command & { readonly name: CommandName };
  global: Options;
  options: Options;
  args: string[];
}

export type Reading =
  | Invocation
  | { kind: "version" }
  /** Help for the program, or for a command. */
  | { kind: "help"; topic?: Command }
  /** A command that does not exist was called, or help for it asked for. */
  | { kind: "unknown command"; name: string; global: Options }
  /** `heading` is the help's first line; `topic` the command that was misused, absent: the program, whose options then hold no more. */
  | { kind: "mistake"; heading: string; text: string; topic?: Command; global?: Options };
