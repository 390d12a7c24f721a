// THE command table: every command, its arguments and flags, once. The parsers and the help read it; the words of the
// help are in help-text.ts, which only help loads, and whose type demands an entry for everything that is named here.

export type FlagKind = "bool" | "string" | "int";

export interface Flag {
  readonly name: string;
  readonly kind: FlagKind;
  readonly short?: string;
  readonly value?: string | number;
  /** Taken but not shown in help. */
  readonly hidden?: true;
}

export interface Command {
  readonly name: string;
  /** The least and the largest number of arguments. */
  readonly args: readonly [number, number];
  readonly flags: readonly Flag[];
}

const bundle = { name: "bundle", kind: "string", short: "b" } as const;

const creation = [
  bundle,
  { name: "console-socket", kind: "string" },
  { name: "pid-file", kind: "string" },
  { name: "no-pivot", kind: "bool" },
  { name: "no-new-keyring", kind: "bool" },
  { name: "preserve-fds", kind: "int", value: 0 },
] as const;

export const GLOBAL_FLAGS = [
  { name: "debug", kind: "bool" },
  { name: "log", kind: "string" },
  { name: "log-format", kind: "string", value: "text" },
  { name: "root", kind: "string" },
  { name: "systemd-cgroup", kind: "bool" },
  { name: "rootless", kind: "string", value: "auto" },
] as const satisfies readonly Flag[];

export const COMMANDS = [
  { name: "create", args: [1, 1], flags: creation },
  { name: "delete", args: [1, 1], flags: [{ name: "force", kind: "bool", short: "f" }] },
  {
    name: "explain",
    args: [0, 1],
    flags: [bundle, { name: "format", kind: "string", short: "f", value: "text" }],
  },
  { name: "kill", args: [1, 2], flags: [{ name: "all", kind: "bool", short: "a", hidden: true }] },
  {
    name: "list",
    args: [0, 0],
    flags: [
      { name: "format", kind: "string", short: "f", value: "table" },
      { name: "quiet", kind: "bool", short: "q" },
    ],
  },
  {
    name: "run",
    args: [1, 1],
    flags: [
      ...creation,
      { name: "detach", kind: "bool", short: "d" },
      { name: "keep", kind: "bool" },
      { name: "no-subreaper", kind: "bool" },
    ],
  },
  { name: "spec", args: [0, 0], flags: [bundle, { name: "rootless", kind: "bool" }] },
  { name: "start", args: [1, 1], flags: [] },
  { name: "state", args: [1, 1], flags: [] },
  { name: "validate", args: [0, 1], flags: [bundle] },
] as const satisfies readonly Command[];

export type CommandName = (typeof COMMANDS)[number]["name"];

/** On every level, beside the table's flags. */
export const HELP_FLAG: Flag = { name: "help", kind: "bool", short: "h" };
/** For the program only. */
export const VERSION_FLAG: Flag = { name: "version", kind: "bool", short: "v" };

export function findCommand(name: string): (Command & { readonly name: CommandName }) | undefined {
  for (let i = 0; i < COMMANDS.length; i++) if (COMMANDS[i]?.name === name) return COMMANDS[i];
  return undefined;
}

/** By long or short name. */
export function findFlag(flags: readonly Flag[], name: string): Flag | undefined {
  for (let i = 0; i < flags.length; i++) {
    const flag = flags[i] as Flag;
    if (flag.name === name || flag.short === name) return flag;
  }
  return undefined;
}
