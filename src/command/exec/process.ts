// Which process `exec` starts: process.json, or the container's own process changed by the options. Some of what process.json
// does not say is the container's, as in runc; limits and the AppArmor profile are not.

import type { Options } from "../../cli/reading.ts";
import { loadProcess } from "../../config/process-document.ts";
import type { Capabilities, Config, Issue, Process } from "../../config/types.ts";
import { type ErrorFacts, RuntimeError } from "../../errors/runtime-error.ts";
import { warn } from "../../errors/warning.ts";
import { must } from "../../host/must.ts";
import type { Native } from "../../host/native.gen.ts";
import { capabilityNumber } from "../../tables/capabilities.ts";

const AT_FDCWD = -100;
const FILE_MAX = 16 << 20;
const ISSUES_SHOWN = 10;
/** 4294967295 is "no id". */
const ID_MAX = 4294967294;

/** Which option has set what stands at a pointer of config.json; the longer pointer first. */
const OPTION_OF: readonly (readonly [pointer: string, option: string])[] = [
  ["/process/user/additionalGids", "additional-gids"],
  ["/process/user", "user"],
  ["/process/cwd", "cwd"],
  ["/process/terminal", "tty"],
  ["/process/capabilities", "cap"],
  ["/process/env", "env"],
  ["/process/apparmorProfile", "apparmor"],
  ["/process/selinuxLabel", "process-label"],
  ["/process/noNewPrivileges", "no-new-privs"],
];

/** The process; throws one RuntimeError that names the option or the place in process.json. */
export function wantedProcess(native: Native, config: Config, options: Options, command: readonly string[]): Process {
  const file = options.string("process") ?? "";
  if (file === "") return processOfOptions(config.process, options, command);
  return processOfFile(native, config.process, file);
}

function processOfFile(native: Native, own: Process, file: string): Process {
  const facts = { message: "cannot read --process", operation: "open", path: file };
  const { process, issues } = loadProcess(must(native.read_file(AT_FDCWD, file, FILE_MAX), facts) as string);
  if (process === undefined) throw invalidProcess(issues.filter(({ kind }) => kind !== "warning"));
  for (const { pointer, message } of issues) warn(`process.json: ${pointer}: ${message}`);
  const user = own.user.umask === undefined ? process.user : { umask: own.user.umask, ...process.user };
  const merged = { ...process, user };
  for (const field of INHERITED_FIELDS) inheritField(merged, own, field);
  return merged;
}

const INHERITED_FIELDS = [
  "capabilities",
  "oomScoreAdj",
  "scheduler",
  "ioPriority",
  "selinuxLabel",
  "execCPUAffinity",
] as const satisfies readonly (keyof Process)[];

function inheritField<K extends keyof Process>(process: Process, own: Process, field: K): void {
  if (process[field] === undefined && own[field] !== undefined) process[field] = own[field];
}

function invalidProcess(problems: readonly Issue[]): RuntimeError {
  const [first] = problems;
  if (problems.length === 1 && first !== undefined) {
    return new RuntimeError({ message: `process.json: ${first.message}`, pointer: first.pointer });
  }
  const shown = problems.slice(0, ISSUES_SHOWN).map((issue) => `${issue.pointer || "/"}: ${issue.message}`);
  const more = problems.length > ISSUES_SHOWN ? `; and ${problems.length - ISSUES_SHOWN} more` : "";
  return new RuntimeError({ message: `process.json has ${problems.length} problems: ${shown.join("; ")}${more}` });
}

function processOfOptions(own: Process, options: Options, command: readonly string[]): Process {
  if (command.length === 0) throw new RuntimeError({ message: "exec args cannot be empty" });
  const process: Process = {
    ...own,
    args: [...command],
    env: [...own.env, ...options.list("env")],
    cwd: options.string("cwd") || own.cwd,
    // Only when it is asked for, whatever config.json says.
    terminal: options.bool("tty"),
    user: userOf(own, options),
  };
  for (const entry of options.list("env")) {
    if (entry.indexOf("=") > 0) continue;
    throw new RuntimeError({
      message: `must be of the form NAME=value, got ${JSON.stringify(entry)}`,
      pointer: "--env",
    });
  }
  if (!process.cwd.startsWith("/"))
    throw new RuntimeError({ message: "Cwd must be an absolute path", pointer: "--cwd" });
  if (options.isSet("no-new-privs")) process.noNewPrivileges = options.bool("no-new-privs");
  const apparmor = options.string("apparmor") ?? "";
  if (apparmor !== "") process.apparmorProfile = apparmor;
  const label = options.string("process-label") ?? "";
  if (label !== "") process.selinuxLabel = label;
  const names = options.list("cap");
  if (names.length > 0) process.capabilities = withCapabilities(own.capabilities, names);
  return process;
}

/** Strict where Go's Atoi is not: a negative number, or one beyond 32 bits, would become somebody else's id. */
function userOf(own: Process, options: Options): Process["user"] {
  const user = { ...own.user, additionalGids: [...own.user.additionalGids] };
  const text = options.string("user") ?? "";
  if (text !== "") {
    const colon = text.indexOf(":");
    if (colon >= 0) user.gid = idOf(text.slice(colon + 1), "bad gid", "--user");
    user.uid = idOf(colon < 0 ? text : text.slice(0, colon), "bad uid", "--user");
  }
  for (const gid of options.list("additional-gids"))
    user.additionalGids.push(idOf(gid, "bad gid", "--additional-gids"));
  return user;
}

function idOf(text: string, message: string, pointer: string): number {
  let id = text === "" || text.length > 10 ? -1 : 0;
  for (let i = 0; i < text.length && id >= 0; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    id = digit >= 0 && digit <= 9 ? id * 10 + digit : -1;
  }
  if (id >= 0 && id <= ID_MAX) return id;
  throw new RuntimeError({
    message: `${message}: must be a number from 0 to ${ID_MAX}, got ${JSON.stringify(text)}`,
    pointer,
  });
}

/**
 * Never inheritable ones (CVE-2022-29162): they would survive a change of the uid. Ambient only where config.json has made
 * them inheritable: else the kernel would refuse it.
 */
function withCapabilities(own: Capabilities | undefined, names: readonly string[]): Capabilities {
  let added = 0n;
  for (const name of names) {
    const number = capabilityNumber(name);
    if (number < 0) warn(`--cap: unknown capability ${JSON.stringify(name)} is left out`);
    else added |= 1n << BigInt(number);
  }
  const { bounding, effective, permitted, inheritable, ambient } = own ?? NO_CAPABILITIES;
  return {
    bounding: bounding | added,
    effective: effective | added,
    permitted: permitted | added,
    inheritable,
    ambient: ambient | (added & inheritable),
  };
}

const NO_CAPABILITIES: Capabilities = { bounding: 0n, effective: 0n, inheritable: 0n, permitted: 0n, ambient: 0n };

/** The place of an error as the user knows it: an option, or a place in process.json, instead of config.json's. */
export function placeOf(facts: ErrorFacts, options: Options): ErrorFacts {
  const { pointer } = facts;
  if (pointer === undefined || !pointer.startsWith("/process")) return facts;
  const rest = pointer.slice("/process".length);
  if ((options.string("process") ?? "") !== "") return { ...facts, pointer: `process.json ${rest}` };
  const { pointer: _, ...others } = facts;
  if (pointer.startsWith("/process/args")) return others;
  const option = OPTION_OF.find(([at, name]) => pointer.startsWith(at) && options.isSet(name));
  return option === undefined ? facts : { ...facts, pointer: `--${option[1]}` };
}
