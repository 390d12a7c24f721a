// argv → exit code. The only place that catches everything and the only writer of stdout and stderr.
//
// What a command alone needs is loaded when it is called; help, usage errors and log lines are loaded when they are due.

import { readFast } from "./cli/fast.ts";
import { type LogTarget, parseFormat, STDERR } from "./cli/log.ts";
import type { Level } from "./cli/log-line.ts";
import type { Invocation, Options, Reading } from "./cli/reading.ts";
import { parseRootless } from "./cli/values.ts";
import type { Context, Outcome } from "./command/command.ts";
import { absoluteRoot, defaultRoot } from "./container/root.ts";
import { onWarning } from "./errors/warning.ts";
import { must } from "./host/must.ts";
import type { Native } from "./host/native.gen.ts";
import { loaded } from "./lazy.ts";

const AT_FDCWD = -100;
const SIGPIPE = 13;
const EPIPE = 32;
/** O_WRONLY | O_CREAT | O_APPEND | O_SYNC, as runc opens its log. */
const LOG_FLAGS = 0o1 | 0o100 | 0o2000 | 0o4010000;

/** Carries out a command line (without the program's name) and returns the exit code. */
export function main(native: Native, argv: readonly string[]): number {
  const reading = readFast(argv) ?? loaded(import("./cli/general.ts")).readGeneral(argv);
  switch (reading.kind) {
    case "run":
      return invoke(native, reading);
    case "version":
      return print(native, loaded(import("./cli/help.ts")).versionText());
    case "help":
    case "unknown command":
    case "mistake":
      return explainUsage(native, reading);
  }
}

function invoke(native: Native, invocation: Invocation): number {
  let log = STDERR;
  const name = invocation.command.name;
  try {
    log = openLog(native, invocation.global);
    onWarning((what) => report(native, log, "warning", what, name));
    const outcome = run(contextOf(native, invocation), name);
    if (outcome.stderr !== undefined) native.write(2, outcome.stderr);
    const write = (text: string): void => {
      must(native.write(1, text), { operation: "write", message: "cannot write to standard output" });
    };
    if (outcome.stdout !== undefined) write(outcome.stdout);
    outcome.stream?.(write);
    return outcome.code ?? 0;
  } catch (error) {
    report(native, log, "error", error, name);
    return loaded(import("./errors/render.ts")).exitCodeOf(error);
  }
}

function contextOf(native: Native, { global, options, args }: Invocation): Context {
  const given = global.string("root");
  return {
    native,
    root: given === undefined ? defaultRoot(native) : absoluteRoot(native, given),
    rootGiven: given !== undefined,
    rootless: parseRootless(global.string("rootless") ?? "auto"),
    systemd: global.bool("systemd-cgroup"),
    options,
    args,
  };
}

function run(context: Context, name: Invocation["command"]["name"]): Outcome {
  switch (name) {
    case "create":
      return loaded(import("./command/create.ts")).create(context);
    case "delete":
      return loaded(import("./command/delete.ts")).deleteContainer(context);
    case "events":
      return loaded(import("./command/events.ts")).events(context);
    case "exec":
      return loaded(import("./command/exec.ts")).exec(context);
    case "explain":
      return loaded(import("./command/explain.ts")).explain(context);
    case "features":
      return loaded(import("./command/features.ts")).features(context);
    case "kill":
      return loaded(import("./command/kill.ts")).kill(context);
    case "list":
      return loaded(import("./command/list.ts")).list(context);
    case "pause":
      return loaded(import("./command/pause.ts")).pause(context);
    case "ps":
      return loaded(import("./command/ps.ts")).ps(context);
    case "resume":
      return loaded(import("./command/resume.ts")).resume(context);
    case "run":
      return loaded(import("./command/run.ts")).run(context);
    case "seccomp":
      return loaded(import("./command/seccomp.ts")).seccomp(context);
    case "spec":
      return loaded(import("./command/spec.ts")).spec(context);
    case "start":
      return loaded(import("./command/start.ts")).start(context);
    case "state":
      return loaded(import("./command/state.ts")).state(context);
    case "update":
      return loaded(import("./command/update.ts")).update(context);
    case "validate":
      return loaded(import("./command/validate.ts")).validate(context);
  }
}

/** Opens --log at once, as runc does: one that cannot be written is an error before anything is done. */
function openLog(native: Native, global: Options): LogTarget {
  const format = parseFormat(global.string("log-format") ?? "text");
  const debug = global.bool("debug");
  const path = global.string("log") ?? "";
  if (path === "") return { fd: 2, format, debug };
  const fd = must(native.open(AT_FDCWD, path, LOG_FLAGS, 0o644), {
    message: "cannot write the log",
    operation: "open",
    path,
  });
  return { fd, format, debug };
}

/** A line in the log; an error also as plain text on standard error when the log is elsewhere, as runc does. */
function report(native: Native, log: LogTarget, level: Level, what: unknown, command?: string): void {
  const { logLine } = loaded(import("./cli/log-line.ts"));
  const { sentence } = loaded(import("./errors/render.ts"));
  const text = typeof what === "string" ? what : sentence(what, command);
  const clock = native.clock();
  const seconds = typeof clock === "number" ? 0 : (clock[0] as number);
  writeUnheard(native, log.fd, logLine(log.format, level, text, seconds));
  if (log.fd !== 2 && level === "error") writeUnheard(native, 2, `${text}\n`);
  if (log.debug && what instanceof Error && what.stack !== undefined) {
    writeUnheard(native, log.fd, logLine(log.format, "debug", what.stack.trimEnd(), seconds));
  }
}

/** Writes what may be lost: a pipe that nobody reads any more must not end the command half way by SIGPIPE. */
function writeUnheard(native: Native, fd: number, text: string): void {
  const signals = native.signal_fd(Uint32Array.of(SIGPIPE)); // blocks it, from now on
  if (native.write(fd, text) === -EPIPE && signals >= 0) native.read_signal(signals);
  if (signals >= 0) native.close(signals);
}

function explainUsage(native: Native, reading: Exclude<Reading, { kind: "run" } | { kind: "version" }>): number {
  if (reading.kind === "unknown command") return unknownCommand(native, reading.name, reading.global);
  const { commandHelp, programHelp } = loaded(import("./cli/help.ts"));
  const help = reading.topic === undefined ? programHelp() : commandHelp(reading.topic);
  if (reading.kind === "help") return print(native, help);
  let log = STDERR;
  try {
    if (reading.global !== undefined) log = openLog(native, reading.global);
  } catch (error) {
    report(native, log, "error", error);
    return 1;
  }
  native.write(1, `${reading.heading}\n\n${help}`);
  report(native, log, "error", reading.text);
  return 1;
}

/** runc's commands that are not there fail as a command does. */
function unknownCommand(native: Native, name: string, global: Options): number {
  let log = STDERR;
  try {
    log = openLog(native, global);
  } catch (error) {
    report(native, log, "error", error);
    return 1;
  }
  const missing = name === "checkpoint" || name === "restore";
  report(native, log, "error", missing ? `Berth cannot ${name} containers` : `No help topic for '${name}'`);
  return missing ? 1 : 3; // 3: urfave/cli's exit code for it
}

function print(native: Native, text: string): number {
  return native.write(1, text) < 0 ? 1 : 0;
}
