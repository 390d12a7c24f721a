// runc's command line as a table (1.3; the comment tells what came later than 1.1), which is not Berth's own: what Berth
// lacks is to be seen. Each flag is tried in every form that Go's flag package knows and in some that it does not.

import type { Case } from "./case.ts";

type Kind = "bool" | "string" | "strings" | "int" | "gids" | "duration";

interface Flag {
  name: string;
  short?: string;
  kind: Kind;
  /** A value that is good as far as parsing goes. */
  value: string;
}

export interface Command {
  name: string;
  args: readonly [number, number];
  flags: readonly Flag[];
  /** Words that make the command fail only after it has read its flags, and change nothing. */
  harmless: readonly string[];
  /** Berth does not have it: each flag is shown once. */
  missing?: true;
  /** What was in the current folder before. */
  files?: Readonly<Record<string, string>>;
}

/** "name[,short] kind [value]". */
function flags(...lines: string[]): Flag[] {
  const values: Record<Kind, string> = { bool: "", string: "x", strings: "a=b", int: "1", gids: "1", duration: "1s" };
  return lines.map((line) => {
    const [names = "", kind = "bool", value] = line.split(" ") as [string, Kind, string?];
    const [name = "", short] = names.split(",");
    return { name, kind, value: value ?? values[kind], ...(short === undefined ? {} : { short }) };
  });
}

const MANY = Number.POSITIVE_INFINITY;
const NONE = ["no-such-id"];

/** pidfd-socket: 1.2. */
const creation = [
  "bundle,b string no-such-folder",
  "console-socket string",
  "pidfd-socket string",
  "pid-file string",
  "no-pivot bool",
  "no-new-keyring bool",
  "preserve-fds int",
];
const restoring = ["tcp-established bool", "ext-unix-sk bool", "shell-job bool", "file-locks bool"];

export const GLOBAL = flags(
  "debug bool",
  "log string log",
  "log-format string json",
  "root string root",
  "systemd-cgroup bool",
  "rootless string false",
);

export const COMMANDS: readonly Command[] = [
  { name: "create", args: [1, 1], flags: flags(...creation), harmless: NONE },
  // keep: 1.2.
  {
    name: "run",
    args: [1, 1],
    flags: flags(...creation, "detach,d bool", "keep bool", "no-subreaper bool"),
    harmless: NONE,
  },
  { name: "start", args: [1, 1], flags: [], harmless: NONE },
  { name: "state", args: [1, 1], flags: [], harmless: NONE },
  { name: "kill", args: [1, 2], flags: flags("all,a bool"), harmless: NONE },
  { name: "delete", args: [1, 1], flags: flags("force,f bool"), harmless: NONE },
  { name: "pause", args: [1, 1], flags: [], harmless: NONE },
  { name: "resume", args: [1, 1], flags: [], harmless: NONE },
  { name: "ps", args: [1, MANY], flags: flags("format,f string json"), harmless: NONE },
  { name: "events", args: [1, 1], flags: flags("interval duration", "stats bool"), harmless: NONE },
  { name: "list", args: [0, 0], flags: flags("format,f string json", "quiet,q bool"), harmless: [] },
  { name: "features", args: [0, 0], flags: [], harmless: [] },
  {
    name: "spec",
    args: [0, 0],
    flags: flags("bundle,b string .", "rootless bool"),
    harmless: [],
    files: { "config.json": "{}" },
  },
  {
    name: "exec",
    args: [1, MANY],
    // pidfd-socket: 1.2.
    flags: flags(
      "console-socket string",
      "pidfd-socket string",
      "cwd string",
      "env,e strings",
      "tty,t bool",
      "user,u string 1",
      "additional-gids,g gids",
      "process,p string",
      "detach,d bool",
      "pid-file string",
      "process-label string",
      "apparmor string",
      "no-new-privs bool",
      "cap,c strings CAP_KILL",
      "preserve-fds int",
      "cgroup strings x",
      "ignore-paused bool",
    ),
    harmless: ["no-such-id", "true"],
  },
  {
    name: "update",
    args: [1, 1],
    // cpu-burst: 1.2.
    flags: flags(
      "resources,r string",
      "blkio-weight int 100",
      "cpu-period string 100000",
      "cpu-quota string 1000",
      "cpu-burst string 1000",
      "cpu-share string 100",
      "cpu-rt-period string 1000",
      "cpu-rt-runtime string 1000",
      "cpu-idle string 1",
      "cpuset-cpus string 0",
      "cpuset-mems string 0",
      "kernel-memory string 1000",
      "kernel-memory-tcp string 1000",
      "memory string 100m",
      "memory-reservation string 10m",
      "memory-swap string -1",
      "pids-limit int 10",
      "l3-cache-schema string",
      "mem-bw-schema string",
    ),
    harmless: NONE,
  },
  {
    name: "checkpoint",
    missing: true,
    args: [1, 1],
    flags: flags(
      "image-path string",
      "work-path string",
      "parent-path string",
      "leave-running bool",
      // 1.4.
      "tcp-skip-in-flight bool",
      // 1.3.
      "link-remap bool",
      ...restoring,
      "lazy-pages bool",
      "status-fd int",
      "page-server string",
      "pre-dump bool",
      "manage-cgroups-mode string soft",
      "empty-ns strings network",
      "auto-dedup bool",
    ),
    harmless: NONE,
  },
  {
    name: "restore",
    missing: true,
    args: [1, 1],
    flags: flags(
      "console-socket string",
      "image-path string",
      "work-path string",
      ...restoring,
      "manage-cgroups-mode string soft",
      "bundle,b string no-such-folder",
      "detach,d bool",
      "pid-file string",
      "no-subreaper bool",
      "no-pivot bool",
      "empty-ns strings network",
      "auto-dedup bool",
      "lazy-pages bool",
      "lsm-profile string",
      "lsm-mount-context string",
    ),
    harmless: NONE,
  },
];

/** The ways to write a flag. */
function forms({ name, short, kind, value }: Flag): string[][] {
  const long = `--${name}`;
  if (kind === "bool") {
    const all = [[long], [`-${name}`], [`${long}=true`], [`${long}=false`], [`${long}=T`], [`${long}=maybe`]];
    if (short !== undefined) all.push([`-${short}`], [`-${short}=false`], [`-${short}${short}`]);
    return all;
  }
  const all = [
    [long, value],
    [`${long}=${value}`],
    [`-${name}`, value],
    [`-${name}=${value}`],
    [`${long}=`],
    [long, ""],
  ];
  if (short !== undefined) all.push([`-${short}`, value], [`-${short}=${value}`], [`-${short}${value}`]);
  if (kind === "int" || kind === "gids") all.push([long, "x"], [long, "-1"], [long, "1.5"], [long, "9".repeat(20)]);
  if (kind === "int") all.push([long, "0x10"], [long, "+1"]);
  if (kind === "duration") all.push([long, "1"], [long, "x"], [long, "1m30s"]);
  if (kind === "strings" || kind === "gids") all.push([long, value, long, value]);
  return all;
}

const shown = (word: string): string => (word === "" ? "''" : word.length > 30 ? `${word.slice(0, 20)}...` : word);

function commandForms(command: Command): Case[] {
  const { name, args, harmless } = command;
  const cases: Case[] = [];
  const add = (words: readonly string[], title?: string, another = false): void => {
    const files = { ...(command.files && { files: command.files }), ...(another && { another: true as const }) };
    const line = title === undefined ? [name, ...words].map(shown).join(" ") : `${name}: ${title}`;
    cases.push({ title: line, words: [name, ...words], ...files });
  };
  for (const words of [["--help"], ["-h"], ["-help"]]) add(words);
  cases.push({ title: `help: ${name}`, words: ["help", name] });
  if (args[0] > 0) add([], "no argument");
  if (command.missing) {
    add(harmless);
    for (const flag of command.flags) add([...(forms(flag)[0] ?? []), ...harmless]);
    return cases;
  }
  if (args[1] < MANY)
    add(
      [...new Array(args[1] + 1).keys()].map((n) => `a${n}`),
      "too many arguments",
    );
  add(["--no-such-flag", ...harmless]);
  if (harmless.length > 0) add([...harmless, "--no-such-flag"]);
  add(["-x", ...harmless]);
  add(["---x", ...harmless]);
  add(["--", ...harmless]);
  add(["--=x", ...harmless]);
  for (const global of ["--debug", "--systemd-cgroup", "--root=x", "--log=log", "--version", "-v"]) {
    add([global, ...harmless]);
  }
  if (harmless.length > 0) {
    for (const id of ["", ".", "..", "a/b", "-", "a b", "ä", "x".repeat(300)]) {
      add([id, ...harmless.slice(1)], `the id ${JSON.stringify(id.length > 10 ? "x...x" : id)}`);
    }
  }
  for (const flag of command.flags) {
    const [form = [], ...others] = forms(flag);
    add([...form, ...harmless]);
    for (const other of others) add([...other, ...harmless], undefined, true);
    if (harmless.length > 0) add([...harmless, ...form], undefined, true);
    if (flag.kind !== "bool") add([`--${flag.name}`]);
    if (flag.kind !== "strings" && flag.kind !== "gids") add([...form, ...form, ...harmless], undefined, true);
  }
  return cases;
}

/** Global flags in front of a harmless command; --root and --log are the case's own. */
function globalForms(): Case[] {
  const end = ["state", "no-such-id"];
  const cases: Case[] = [];
  const add = (words: readonly string[], title = words.map(shown).join(" ")): void => {
    cases.push({ title: `global: ${title}`, words, bare: true });
  };
  for (const flag of GLOBAL) {
    const root = flag.name === "root" ? [] : ["--root", "root"];
    for (const form of forms(flag)) {
      add([...root, ...form, ...end], [...form, "state"].map(shown).join(" "));
    }
    if (flag.kind !== "bool") add([`--${flag.name}`]);
  }
  for (const words of [["--help"], ["-h"], ["help"], ["h"], ["--version"], ["-v"], ["-version"], []]) {
    add(words, words.length === 0 ? "no command" : undefined);
  }
  const more = [
    ["no-such-command"],
    ["help", "no-such-command"],
    ["--no-such-flag"],
    ["--no-such-flag", ...end],
    ["-x", ...end],
    ["--help", ...end],
    ["--version", ...end],
    ["--root", "root", "--log-format", "xml", ...end],
    ["--root", "root", "--log", "no-such-folder/log", ...end],
    ["--root", "root", "--log", ".", ...end],
    ["--root", "root", "--rootless", "maybe", ...end],
    ["--root", "root", "--rootless", "auto", ...end],
    ["--root", "root", "--rootless", "true", ...end],
    ["--root", "/", ...end],
    ["--root", "root", "--debug", "--log", "log", ...end],
    ["--root", "root", "--debug", "--log", "log", "--log-format", "json", ...end],
    ["--root", "root", "--debug", ...end],
    ["--root", "root", "--log", "log", "--log", "second", ...end],
    ["--root", "no-such-folder", "list"],
    ["--", ...end],
    ["", ...end],
    ["-", ...end],
  ];
  const known = new Set(cases.map(({ title }) => title));
  for (const words of more) if (!known.has(`global: ${words.map(shown).join(" ")}`)) add(words);
  return cases;
}

export const FORMS: readonly Case[] = [...globalForms(), ...COMMANDS.flatMap(commandForms)];
