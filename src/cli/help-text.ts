// The words of the help. The type asks for a text for every command and flag of the table.

import type { COMMANDS, CommandName, GLOBAL_FLAGS } from "./table.ts";

type NameOf<C> = C extends { readonly flags: readonly (infer F)[] }
  ? F extends { readonly name: infer N }
    ? N
    : never
  : never;
export type FlagName = NameOf<(typeof COMMANDS)[number]> | (typeof GLOBAL_FLAGS)[number]["name"];

export interface CommandText {
  /** One line, for the list of commands. */
  purpose: string;
  /** What stands behind the options in the usage line. */
  args: string;
  /** Paragraphs, each a line of any length. */
  about: readonly string[];
  /** An example: what it is for, then its command lines. */
  example?: readonly [string, ...string[]];
}

const ID = "<container-id> is the name of the container, unique below the state root: letters, digits, _ + - and .";

export const PROGRAM = {
  purpose: "Open Container Initiative runtime",
  about: [
    "Berth runs containers from bundles: folders that hold a config.json and, mostly, a root filesystem.",
    "A container is created, started, signalled and deleted, or run in one go:",
    "    # berth run -b BUNDLE <container-id>",
    "Options may be written -name or --name, with their value behind = or as the next word.",
  ],
} as const;

export const COMMAND_TEXT: Readonly<Record<CommandName, CommandText>> = {
  create: {
    purpose: "create a container",
    args: "<container-id>",
    about: [
      ID,
      "Makes everything that config.json asks for and stops before the program is executed: `berth start` does that.",
    ],
  },
  delete: {
    purpose: "delete any resources held by the container, often used with a detached container",
    args: "<container-id>",
    about: [ID, "The container must have stopped, or never have been started, unless --force is given."],
    example: ["To delete ubuntu01 once it has stopped:", "# berth delete ubuntu01"],
  },
  events: {
    purpose: "display container events such as OOM notifications, cpu, memory, and IO usage statistics",
    args: "<container-id>",
    about: [ID, "One line of JSON each; statistics once every interval, until the container ends."],
  },
  exec: {
    purpose: "execute a new process inside the container",
    args: "<container-id> <command> [command options] || -p process.json <container-id>",
    about: [
      ID,
      "The process gets what config.json said of the container's own at its creation, changed by the options, or all that process.json says. Options end at <container-id>: what follows is <command>'s.",
      "Waits for the process unless --detach is given. The exit code is the process's own, 128 + the signal that ended it, or 255 when it could not be started.",
    ],
    example: ["To list the processes of ubuntu01 as it sees them:", "# berth exec ubuntu01 ps -ef"],
  },
  explain: {
    purpose: "show everything that create would do, without doing it",
    args: "[bundle]",
    about: [
      "Prints the plan: namespaces, mounts, devices, capabilities, cgroup writes, one line an operation, each with the place in config.json that it comes from. Needs no privilege and changes nothing.",
    ],
  },
  features: {
    purpose: "show the enabled features",
    args: "",
    about: [
      "Prints what this runtime knows of the runtime specification, as JSON: https://github.com/opencontainers/runtime-spec/blob/main/features.md",
    ],
  },
  kill: {
    purpose: "send the specified signal (default: SIGTERM) to the container's init process",
    args: "<container-id> [signal]",
    about: [ID, "[signal] is a number or a name, with or without SIG, in any case."],
    example: ["To send KILL to the init process of ubuntu01:", "# berth kill ubuntu01 KILL"],
  },
  list: {
    purpose: "list the containers below the state root",
    args: "",
    about: ["Which root it is can be chosen by the global option --root."],
    example: ["To list the containers of another root:", "# berth --root DIR list"],
  },
  pause: {
    purpose: "suspend all processes inside the container",
    args: "<container-id>",
    about: [ID, "`berth resume` lets them go on."],
  },
  ps: {
    purpose: "display the processes running inside a container",
    args: "<container-id> [ps options]",
    about: [
      ID,
      "The table is that of the host's ps, called with [ps options] (default: -ef), of which the lines with a process of the container are kept. It needs a column with the title PID.",
    ],
    example: ["To show the memory of the processes of ubuntu01:", "# berth ps ubuntu01 -eo pid,rss,args"],
  },
  resume: {
    purpose: "let all processes that were paused go on",
    args: "<container-id>",
    about: [ID],
  },
  run: {
    purpose: "create and run a container",
    args: "<container-id>",
    about: [
      ID,
      "Creates the container, starts it, waits for its end unless --detach is given, and deletes it. The exit code is the container's, or 128 + the signal that ended it.",
    ],
  },
  seccomp: {
    purpose: "show what a seccomp profile means, as rules or as a filter",
    args: "compile|disasm|explain|simulate [call [argument...]]",
    about: [
      "compile prints the filter that seccomp(2) takes, in base64, as C or as JSON; disasm prints it in words.",
      "explain prints the profile's decisions, or which rule decides for a system call with these arguments; simulate runs the filter for them. A call is a name or a number, an argument a number; arguments that are not given are 0.",
      "Nothing is loaded into the kernel and no privilege is needed.",
    ],
    example: ["May a container of the bundle make a netlink socket?", "# berth seccomp explain socket 16 3 9"],
  },
  spec: {
    purpose: "create a new specification file",
    args: "",
    about: [
      "Writes config.json for a bundle, as a start to edit from. It runs sh with a terminal in the folder rootfs. A file that is already there is never overwritten.",
    ],
    example: [
      "To run another program:",
      "$ berth spec",
      '$ sed -i \'s;"sh";"/hello";\' config.json',
      "# berth run hello",
    ],
  },
  start: {
    purpose: "execute the user defined process in a created container",
    args: "<container-id>",
    about: [ID],
  },
  state: {
    purpose: "output the state of a container",
    args: "<container-id>",
    about: [ID],
  },
  update: {
    purpose: "update container resource constraints",
    args: "<container-id>",
    about: [
      ID,
      "What no option names stays as it is. Memory is in bytes, or with a suffix k, m, g or t; -1 is unlimited.",
      "--resources takes an object like linux.resources of config.json, and all other options are ignored:",
      '    {"memory": {"limit": 0, "reservation": 0, "swap": 0, "checkBeforeUpdate": true},',
      '     "cpu": {"shares": 0, "quota": 0, "burst": 0, "period": 0, "realtimeRuntime": 0, "realtimePeriod": 0,',
      '             "cpus": "", "mems": "", "idle": 0},',
      '     "blockIO": {"weight": 0}, "pids": {"limit": 0}}',
    ],
    example: ["To limit ubuntu01 to 512 MiB of memory:", "# berth update --memory 512m ubuntu01"],
  },
  validate: {
    purpose: "check a bundle's config.json and show everything that is wrong with it",
    args: "[bundle]",
    about: ["Exit code 0 when a container can be created from it, else 1."],
  },
};

export const FLAG_TEXT: Readonly<Record<FlagName, string>> = {
  "additional-gids": "one more supplementary group; may be repeated",
  all: "accepted for compatibility: with it, a container that is not running is no error",
  "blkio-weight": "relative weight of block IO, from 10 to 1000",
  apparmor: "AppArmor profile of the process",
  arch: "architecture of the machine that is to run the filter, such as aarch64",
  bundle: "path to the bundle folder (default: the current folder)",
  cap: "one more capability, bounding, effective and permitted; may be repeated",
  cgroup: "run in this cgroup below the container's, which must exist: [<controller>[,<controller>]:]<path>",
  "console-socket": "path to an AF_UNIX socket which will receive the master end of the container's terminal",
  "cpu-burst": "CPU time that may be saved up and used additionally in a period, in microseconds",
  "cpu-idle": "1: run only when nobody else wants the CPU (SCHED_IDLE), 0: normally",
  "cpu-period": "length of a period of --cpu-quota, in microseconds; 0: as it is",
  "cpu-quota": "CPU time that may be used in a period, in microseconds; -1: no limit",
  "cpu-rt-period": "length of a period of --cpu-rt-runtime, in microseconds",
  "cpu-rt-runtime": "realtime CPU time that may be used in a period, in microseconds",
  "cpu-share": "CPU shares (relative weight against other containers)",
  "cpuset-cpus": "CPUs to use, such as 0-2,7",
  "cpuset-mems": "memory nodes to use",
  cwd: "working folder in the container",
  debug: "enable debug logging",
  detach: "do not wait for the container's end",
  env: "one more environment variable, NAME=value; may be repeated",
  force: "delete the container even if it is running (uses SIGKILL)",
  format: "select the output's format",
  "ignore-paused": "allow exec in a paused container: the process begins once it is resumed",
  interval: "time between two statistics, such as 10s or 1m",
  keep: "do not delete the container after it exits",
  "kernel-memory": "obsolete: ignored with a warning",
  "kernel-memory-tcp": "obsolete: ignored with a warning",
  "l3-cache-schema": "schema of Intel RDT's L3 cache",
  log: "append log lines to this file (default: standard error)",
  "log-format": "format of log lines: text or json",
  "mem-bw-schema": "schema of Intel RDT's memory bandwidth",
  memory: "memory limit",
  "memory-reservation": "memory that is kept when there is little, or v1's soft limit",
  "memory-swap": "memory and swap together; -1: unlimited swap",
  "no-new-keyring": "do not create a new session keyring for the container",
  "no-new-privs": "the process can gain no privileges by executing files",
  "no-pivot": "do not use pivot_root, for a rootfs that lies on a ramdisk",
  "no-subreaper": "do not become the reaper of the container's orphans",
  "pid-file": "write the process id of the container's init to this file",
  "pidfd-socket": "path to an AF_UNIX socket which will receive a pidfd of the process that is started",
  "pids-limit": "largest number of processes and threads; -1: no limit",
  "preserve-fds": "pass N more file descriptors to the container, behind the standard ones and $LISTEN_FDS",
  process: "path to a file with the process as JSON, as in config.json: options about it are ignored",
  "process-label": "SELinux label of the process",
  profile: "read this file instead of the bundle's config.json: a config.json or its linux.seccomp alone",
  quiet: "show only container ids",
  resources: "path to a file with the resources as JSON, - for standard input",
  root: "folder for the state of containers; it should lie on a tmpfs",
  rootless: "true, false or auto: is this runtime without root; for spec: write one for a user without root",
  stats: "show the statistics once and exit",
  "systemd-cgroup": "let systemd make the cgroups; cgroupsPath is slice:prefix:name",
  tty: "allocate a terminal",
  user: "ids of the process, in decimal: <uid>[:<gid>]",
};
