// create, run, start, state, kill, delete, pause, resume: what the flags do, and every command in every state.

import type { Config } from "../../support/config.ts";
import { type Case, casesOf, type Given } from "../case.ts";

const terminal = (config: Config): void => {
  config.process.terminal = true;
};

const noProcess = (config: Config): void => {
  config.process.args = [];
};

const noProgram = (config: Config): void => {
  config.process.args = ["/no/such/program"];
};

const IN_BUNDLE = ["--bundle", "BUNDLE"];
const LONG = "trap exit TERM; sleep 1000 & wait $!";

/** What create and run have in common. */
function creation(command: string): Case[] {
  const all = [...IN_BUNDLE];
  return casesOf(command, {
    "with a bundle": { words: [...all, "ID"] },
    "-b": { words: ["-b", "BUNDLE", "ID"] },
    "the flags behind the id": { words: ["ID", ...all] },
    "no config.json in the current folder": { words: ["ID"] },
    "a bundle that is no folder": { words: ["--bundle", "DIR/file", "ID"], files: { file: "" } },
    "config.json is not JSON": { words: ["--bundle", "DIR", "ID"], files: { "config.json": "{" } },
    "config.json is null": { words: ["--bundle", "DIR", "ID"], files: { "config.json": "null" } },
    "config.json is empty": { words: ["--bundle", "DIR", "ID"], files: { "config.json": "" } },
    "config.json is an empty object": { words: ["--bundle", "DIR", "ID"], files: { "config.json": "{}" } },
    "no process.args": { words: [...all, "ID"], config: noProcess },
    "a program that is not there": { words: [...all, "ID"], config: noProgram },
    "a root folder that is not there": {
      words: [...all, "ID"],
      config: (config) => {
        config.root.path = "no-such-folder";
      },
    },
    "an id that is taken": { words: [...all, "ID"], given: "created", changes: true },
    "the id of a container that has stopped": { words: [...all, "ID"], given: "stopped", changes: true },
    "--pid-file": { words: [...all, "--pid-file", "DIR/pid", "ID"] },
    "--pid-file relative to the current folder": { words: [...all, "--pid-file", "pid", "ID"] },
    "--pid-file that is there": { words: [...all, "--pid-file", "pid", "ID"], files: { pid: "longer than a pid" } },
    "--pid-file in a folder that is not there": { words: [...all, "--pid-file", "none/pid", "ID"] },
    "--pid-file that is a folder": { words: [...all, "--pid-file", ".", "ID"] },
    "--no-pivot": { words: [...all, "--no-pivot", "ID"] },
    "--no-new-keyring": { words: [...all, "--no-new-keyring", "ID"] },
    "--preserve-fds": { words: [...all, "--preserve-fds", "2", "ID"], fds: 2 },
    "--preserve-fds of a descriptor that is closed": { words: [...all, "--preserve-fds", "200", "ID"] },
    LISTEN_FDS: { words: [...all, "ID"], fds: 1, env: { LISTEN_FDS: "1" } },
    "--console-socket without a terminal": { words: [...all, "--console-socket", "SOCKET", "ID"] },
    "--console-socket that is not there": {
      words: [...all, "--console-socket", "DIR/none", "ID"],
      config: terminal,
    },
    "--pidfd-socket": { words: [...all, "--pidfd-socket", "SOCKET", "ID"] },
    "--pidfd-socket that is not there": { words: [...all, "--pidfd-socket", "DIR/none", "ID"] },
  });
}

/** Each command in each state of a container. */
function states(): Case[] {
  const given: readonly Given[] = ["created", "running", "stopped", "paused"];
  const commands: Record<string, readonly string[]> = {
    start: ["ID"],
    state: ["ID"],
    kill: ["ID", "KILL"],
    "kill 0": ["ID", "0"],
    "kill --all": ["--all", "ID", "0"],
    delete: ["ID"],
    "delete --force": ["--force", "ID"],
    pause: ["ID"],
    resume: ["ID"],
    ps: ["ID"],
    "ps --format json": ["--format", "json", "ID"],
    exec: ["ID", "true"],
    update: ["--pids-limit", "20", "ID"],
    "events --stats": ["--stats", "ID"],
    "events --interval": ["--interval", "100ms", "ID"],
  };
  return Object.entries(commands).flatMap(([name, words]) =>
    given.map((status): Case => {
      const command = name.split(" ")[0] ?? "";
      const endless = name === "events --interval" && status !== "stopped";
      const ends = words.includes("KILL") || (name === "start" && status === "created");
      return {
        title: `${command}: ${name === command ? "" : `${name.slice(command.length + 1)} `}${status}`,
        words: [command, ...words],
        given: status,
        changes: true,
        ...(endless ? { endless: true } : {}),
        ...(ends && status !== "stopped" ? { settles: words.includes("KILL") ? "stopped" : "running" } : {}),
      };
    }),
  );
}

const SIGNALS = [
  "TERM",
  "term",
  "SIGTERM",
  "sigTerm",
  "15",
  "015",
  "+15",
  "RTMIN",
  "SIGRTMIN+1",
  "34",
  "NONE",
  "",
  "-1",
];
const MORE_SIGNALS = [
  "65",
  "1000",
  "0x9",
  "9x",
  "SIG",
  "SIG9",
  " 9",
  "99999999999999999999",
  "CLD",
  "POLL",
  "IOT",
  "UNUSED",
];

export const LIFE: readonly Case[] = [
  ...creation("create"),
  ...creation("run"),
  ...casesOf("create", {
    "a terminal without --console-socket": { words: [...IN_BUNDLE, "ID"], config: terminal },
    "a terminal with --console-socket": {
      words: [...IN_BUNDLE, "--console-socket", "SOCKET", "ID"],
      config: terminal,
    },
  }),
  ...casesOf("run", {
    "the program's output and exit code": { words: [...IN_BUNDLE, "ID"], program: "echo out; echo err >&2; exit 7" },
    "a program that ends by a signal": {
      words: [...IN_BUNDLE, "ID"],
      program: "exec sh -c 'kill -9 $$; sleep 9' & wait $!",
    },
    "--detach": { words: [...IN_BUNDLE, "--detach", "ID"], program: LONG },
    "-d": { words: [...IN_BUNDLE, "-d", "ID"], program: LONG },
    "--detach --pid-file": { words: [...IN_BUNDLE, "--detach", "--pid-file", "pid", "ID"], program: LONG },
    "--detach, a terminal without --console-socket": {
      words: [...IN_BUNDLE, "--detach", "ID"],
      program: LONG,
      config: terminal,
    },
    "--detach, a terminal with --console-socket": {
      words: [...IN_BUNDLE, "--detach", "--console-socket", "SOCKET", "ID"],
      program: "trap '' HUP; sleep 1000",
      config: terminal,
    },
    "--console-socket in the foreground": {
      words: [...IN_BUNDLE, "--console-socket", "SOCKET", "ID"],
      config: terminal,
    },
    "a terminal where there is none": { words: [...IN_BUNDLE, "ID"], config: terminal },
    "--keep": { words: [...IN_BUNDLE, "--keep", "ID"], program: "exit 3" },
    "--no-subreaper": { words: [...IN_BUNDLE, "--no-subreaper", "ID"] },
  }),
  ...states(),
  ...casesOf(
    "kill",
    Object.fromEntries(
      [...SIGNALS, ...MORE_SIGNALS].map((signal) => [
        `signal ${JSON.stringify(signal)}`,
        {
          words: ["ID", signal],
          given: "running",
          changes: true,
          ...(/^(sig)?term$|^[+0]?15$/i.test(signal) || signal === "" ? { settles: "stopped" } : {}),
        } as const,
      ]),
    ),
  ),
  ...casesOf("kill", {
    "without a signal": { words: ["ID"], given: "running", changes: true, settles: "stopped" },
    "a signal that looks like a flag": { words: ["ID", "-9"], given: "running", changes: true },
    "-a": { words: ["-a", "ID", "KILL"], given: "running", changes: true, settles: "stopped" },
    "--all behind the id": { words: ["ID", "--all", "KILL"], given: "running", changes: true },
  }),
  ...casesOf("delete", {
    "-f": { words: ["-f", "ID"], given: "running", changes: true },
    "--force of what is not there": { words: ["--force", "no-such-id"] },
    "a folder without a state": { words: ["ID"], files: { "ROOT/ID/x": "" } },
    "--force of a folder without a state": { words: ["--force", "ID"], files: { "ROOT/ID/x": "" } },
    "a folder with a state that is broken": { words: ["ID"], files: { "ROOT/ID/state.json": "no JSON\n" } },
    "--force of a folder with a state that is broken": {
      words: ["--force", "ID"],
      files: { "ROOT/ID/state.json": "no JSON\n" },
    },
  }),
  ...casesOf("state", {
    annotations: {
      words: ["ID"],
      given: "created",
      changes: true,
      config: (config) => {
        config.annotations = { b: "2", a: "1" };
      },
    },
    "a folder without a state": { words: ["ID"], files: { "ROOT/ID/x": "" } },
    "a folder with a state that is broken": { words: ["ID"], files: { "ROOT/ID/state.json": "no JSON\n" } },
  }),
  { title: "unknown command with a log", words: ["no-such-command"] },
];
