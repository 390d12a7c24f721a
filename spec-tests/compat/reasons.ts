// Why Berth does otherwise than runc, where it does. Every difference needs a reason, and every reason a difference.

import type { Reason } from "./judge.ts";

const OLD = ["runc version 1.1"];

export const REASONS: readonly Reason[] = [
  {
    title: "checkpoint and restore are missing",
    why: "They are not there yet. They fail like any other command: exit code 1, one line in the log and on standard error that says so. `features` does not promise them.",
    cases: ["checkpoint", "restore", "help: checkpoint", "help: restore"],
  },
  {
    title: "The program's help",
    why: "Berth has `explain`, `seccomp` and `validate` more, and `checkpoint` and `restore` less. runc 1.1 still lists `--criu`, which does nothing there.",
    cases: [/^global: (--help|-h|help|h|no command|--help state no-such-id|'' state no-such-id)$/],
    aspects: ["stdout"],
  },
  {
    title: "--version",
    why: "The three lines that engines read (name and version, commit, spec) are the same. Berth has no Go and no libseccomp to name in further ones.",
    cases: [/^global: (--version|-v|-version)/],
    aspects: ["stdout"],
  },
  {
    title: "--debug",
    why: "runc adds to each line the function and the source file that wrote it. Berth's messages name the operation and the field of config.json instead; with --debug a line of level debug follows an error and tells where in Berth it came up.",
    cases: [/^global: .*debug/],
    aspects: ["stderr, no log", "log, text", "log, json", "stderr beside the log"],
  },
  {
    title: "runc 1.1 makes the state root for every command",
    why: "Later versions make it when a container is created, as Berth does.",
    cases: ["global:"],
    aspects: ["files"],
    runc: OLD,
  },
  {
    title: "list with a --root that is not there",
    why: "An error, as in later versions, which do not make it.",
    cases: ["global: --root no-such-folder list"],
    runc: OLD,
  },
  {
    title: "--root /",
    why: "Refused for every command, as by later versions.",
    cases: ["global: --root / state no-such-id"],
    runc: OLD,
  },
  {
    title: "Flags that runc 1.1 does not have",
    why: "--pidfd-socket, --cpu-burst and --cpu-idle came later; they are as there.",
    cases: [
      /pidfd-socket|cpu-burst|cpu-idle/,
      /^(create|run|exec|update) (--help|-h|-help)$/,
      /^help: (create|run|exec|update)$/,
    ],
    runc: OLD,
  },
  {
    title: "kill --all in the help",
    why: "It is obsolete; later versions hide it.",
    cases: ["kill --help", "kill -h", "help: kill"],
    runc: OLD,
  },
  {
    title: "Counts and signals are plain decimal numbers",
    why: "Go reads `0x10`, `+1` and, where a number of descriptors is meant, `-1` too. Berth refuses what no engine writes: it is a mistake more often than a wish.",
    cases: [/ --(preserve-fds|blkio-weight|pids-limit) (-1|0x10|\+1)( |$)/, 'kill: signal "+15"'],
  },
  {
    title: "A --rootless that is neither true, false nor auto",
    why: "Berth refuses it for every command; runc only where it looks at it.",
    cases: [/^global: .*--rootless[ =]?maybe/, /^global: -?-rootless(=| '')/],
  },
  {
    title: "More names of signals",
    why: "Berth knows the names that the kernel's headers and bash have: also the real-time ones, and CLD, IOT and POLL.",
    cases: [/^kill: signal "(SIG)?(RTMIN|RTMIN\+1|CLD|POLL|IOT)"$/],
  },
  {
    title: "kill --all behind the id",
    why: "What stands behind the id of kill is the signal. runc takes the signal for the id then; its newest version does as Berth.",
    cases: ["kill: --all behind the id"],
  },
  {
    title: "runc 1.1: kill --all of a paused container resumes it",
    why: "Only SIGKILL has to be delivered to a frozen process; later versions leave the container as it is, as Berth does.",
    cases: ["kill: --all paused"],
    runc: OLD,
  },
  {
    title: "config.json is null",
    why: "runc 1.1 ends with a fault of its own and exit code 2. It is an error like any other, also in later versions.",
    cases: ["create: config.json is null", "run: config.json is null"],
    runc: OLD,
  },
  {
    title: "Nothing is left of a container that could not be created",
    why: "runc 1.3 leaves an empty folder below the state root behind, which takes the name.",
    cases: [/^(create|run): (--preserve-fds of a descriptor that is closed|--pidfd-socket that is not there)$/],
    aspects: ["container"],
    runc: ["runc version 1.3"],
  },
  {
    title: "--preserve-fds of a descriptor that is closed",
    why: "Both refuse it. runc's message has the kernel's words for a path that is not there, which engines take for a missing program.",
    cases: [/^(create|run|exec): --preserve-fds of a descriptor that is closed$/],
    aspects: ["phrases"],
  },
  {
    title: "delete --force of a folder whose state cannot be read",
    why: "Who forces it wants the folder gone: Berth removes it and what the part of the record that can be read names. runc leaves it for good.",
    cases: ["delete: --force of a folder with a state that is broken"],
  },
  {
    title: "features",
    why: "Each prints what it has; the fields are those of features.md. Berth has no libseccomp and no libpathrs to name, and what is not there yet is not promised.",
    cases: ["features"],
    aspects: ["stdout"],
  },
  {
    title: "spec: ambient capabilities",
    why: "runc 1.1 sets them, later versions do not.",
    cases: ["spec:"],
    aspects: ["files"],
    runc: OLD,
  },
  {
    title: "A program that is not in the path",
    why: "The message has runc's words, which engines look for, and the kernel's words for the error behind them.",
    cases: [/^exec: (a program that is not in the path|an empty program|-- behind the id|--env PATH)$/],
    aspects: ["phrases"],
  },
  {
    title: "exec of a folder",
    why: "runc 1.3 has Go's words, `is a directory`. Berth has the kernel's, as runc 1.1: engines make exit code 126 of them.",
    cases: ["exec: a folder"],
    aspects: ["phrases"],
    runc: ["runc version 1.3"],
  },
  {
    title: "exec -g",
    why: "runc 1.3 takes a group that comes behind the short flag twice into the list. Once is enough.",
    cases: ["exec: -g"],
    aspects: ["stdout"],
    runc: ["runc version 1.3"],
  },
  {
    title: "exec --user 4294967296",
    why: "runc cuts the number to 32 bits and runs the process as root. Berth refuses a number that is no user id.",
    cases: ["exec: --user 4294967296"],
  },
  {
    title: "exec --cgroup with an empty controller",
    why: "Refused, as by later versions.",
    cases: ["exec: --cgroup with an empty controller"],
    runc: OLD,
  },
  {
    title: "update --blkio-weight 5",
    why: "The weight is from 10 to 1000, as the help of both says.",
    cases: ['update: --blkio-weight "5"'],
  },
  {
    title: "No warning after an update that failed",
    why: "runc warns that its state.json may differ from the cgroup then. Berth keeps no limits in its state.",
    cases: ["update:"],
    aspects: ["log, json", "log, text", "stderr, no log", "stderr beside the log"],
  },
];
