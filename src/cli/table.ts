// THE command table: every command, its arguments and flags, once. The parsers and the help read it; the words of the
// help are in help-text.ts, which only help loads, and whose type demands an entry for everything that is named here.

/**
 * "int" is a count from 0 up; "integer" may be negative; "duration" is Go's, such as 1m30s, kept as text; "strings" and
 * "integers" may be given several times.
 */
export type FlagKind = "bool" | "string" | "strings" | "integers" | "int" | "integer" | "duration";

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
  /** Everything behind the first argument belongs to the arguments, whatever it looks like. */
  readonly argsEndFlags?: true;
  readonly flags: readonly Flag[];
}

const bundle = { name: "bundle", kind: "string", short: "b" } as const;

const creation = [
  bundle,
  { name: "console-socket", kind: "string" },
  { name: "pidfd-socket", kind: "string" },
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
    name: "events",
    args: [1, 1],
    flags: [
      { name: "interval", kind: "duration", value: "5s" },
      { name: "stats", kind: "bool" },
    ],
  },
  {
    name: "exec",
    args: [1, Number.MAX_SAFE_INTEGER],
    flags: [
      { name: "console-socket", kind: "string" },
      { name: "pidfd-socket", kind: "string" },
      { name: "cwd", kind: "string" },
      { name: "env", kind: "strings", short: "e" },
      { name: "tty", kind: "bool", short: "t" },
      { name: "user", kind: "string", short: "u" },
      { name: "additional-gids", kind: "integers", short: "g" },
      { name: "process", kind: "string", short: "p" },
      { name: "detach", kind: "bool", short: "d" },
      { name: "pid-file", kind: "string" },
      { name: "process-label", kind: "string" },
      { name: "apparmor", kind: "string" },
      { name: "no-new-privs", kind: "bool" },
      { name: "cap", kind: "strings", short: "c" },
      { name: "preserve-fds", kind: "int", value: 0 },
      { name: "cgroup", kind: "strings" },
      { name: "ignore-paused", kind: "bool" },
    ],
    argsEndFlags: true,
  },
  {
    name: "explain",
    args: [0, 1],
    flags: [bundle, { name: "format", kind: "string", short: "f", value: "text" }],
  },
  { name: "features", args: [0, 0], flags: [] },
  {
    name: "kill",
    args: [1, 2],
    flags: [{ name: "all", kind: "bool", short: "a", hidden: true }],
    argsEndFlags: true,
  },
  {
    name: "list",
    args: [0, 0],
    flags: [
      { name: "format", kind: "string", short: "f", value: "table" },
      { name: "quiet", kind: "bool", short: "q" },
    ],
  },
  { name: "pause", args: [1, 1], flags: [] },
  {
    name: "ps",
    args: [1, Number.MAX_SAFE_INTEGER],
    flags: [{ name: "format", kind: "string", short: "f", value: "table" }],
    argsEndFlags: true,
  },
  { name: "resume", args: [1, 1], flags: [] },
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
  {
    name: "seccomp",
    args: [1, 8],
    flags: [
      bundle,
      { name: "profile", kind: "string", short: "p" },
      { name: "arch", kind: "string", short: "a" },
      { name: "format", kind: "string", short: "f", value: "base64" },
    ],
  },
  { name: "spec", args: [0, 0], flags: [bundle, { name: "rootless", kind: "bool" }] },
  { name: "start", args: [1, 1], flags: [] },
  { name: "state", args: [1, 1], flags: [] },
  {
    name: "update",
    args: [1, 1],
    flags: [
      { name: "resources", kind: "string", short: "r" },
      { name: "blkio-weight", kind: "integer", value: 0 },
      { name: "cpu-period", kind: "string" },
      { name: "cpu-quota", kind: "string" },
      { name: "cpu-burst", kind: "string" },
      { name: "cpu-share", kind: "string" },
      { name: "cpu-rt-period", kind: "string" },
      { name: "cpu-rt-runtime", kind: "string" },
      { name: "cpuset-cpus", kind: "string" },
      { name: "cpuset-mems", kind: "string" },
      { name: "kernel-memory", kind: "string", hidden: true },
      { name: "kernel-memory-tcp", kind: "string", hidden: true },
      { name: "memory", kind: "string" },
      { name: "cpu-idle", kind: "string" },
      { name: "memory-reservation", kind: "string" },
      { name: "memory-swap", kind: "string" },
      { name: "pids-limit", kind: "integer", value: 0 },
      { name: "l3-cache-schema", kind: "string" },
      { name: "mem-bw-schema", kind: "string" },
    ],
  },
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
