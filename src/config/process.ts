// process: what runs in the container, and as whom.

import { loaded } from "../lazy.ts";
import { decodeCapabilities } from "./capabilities.ts";
import {
  type Context,
  enter,
  type JsonObject,
  leave,
  missing,
  readFlag,
  readId,
  readInteger,
  readList,
  readObject,
  readPath,
  readTexts,
  readWord,
  wrong,
} from "./context.ts";
import { decodeRlimits } from "./rlimits.ts";
import type { Process } from "./types.ts";

const WINSIZE_MAX = 0xffff;

function decodeConsoleSize(c: Context, value: unknown): Process["consoleSize"] {
  const size = readObject(c, value, "consoleSize");
  if (size === undefined) return undefined;
  enter(c, "consoleSize");
  if (size.height === undefined || size.height === null) missing(c, "height");
  if (size.width === undefined || size.width === null) missing(c, "width");
  const height = readInteger(c, size.height, "height", 0, WINSIZE_MAX) ?? 0;
  const width = readInteger(c, size.width, "width", 0, WINSIZE_MAX) ?? 0;
  leave(c);
  return { height, width };
}

function decodeUser(c: Context, value: unknown): Process["user"] {
  const user: Process["user"] = { uid: 0, gid: 0, additionalGids: [] };
  const object = readObject(c, value, "user");
  if (object === undefined) return user;
  enter(c, "user");
  user.uid = readId(c, object.uid, "uid") ?? 0;
  user.gid = readId(c, object.gid, "gid") ?? 0;
  const umask = readInteger(c, object.umask, "umask", 0, 0o777);
  if (umask !== undefined) user.umask = umask;
  const gids = readList(c, object.additionalGids, "additionalGids");
  if (gids.length > 0) {
    enter(c, "additionalGids");
    for (let i = 0; i < gids.length; i++) {
      if (gids[i] === null) wrong(c, i, "a group id", null);
      user.additionalGids.push(readId(c, gids[i], i) ?? 0);
    }
    leave(c);
  }
  leave(c);
  return user;
}

/** NAME=value with a name, as runc demands. */
function decodeEnv(c: Context, value: unknown): string[] {
  const env = readTexts(c, value, "env");
  for (let i = 0; i < env.length; i++) {
    const entry = env[i] as string;
    if (entry.indexOf("=") > 0 || (entry === "" && (value as unknown[])[i] !== "")) continue;
    enter(c, "env");
    wrong(c, i, "of the form NAME=value", entry);
    leave(c);
  }
  return env;
}

/** How the kernel schedules the process: few configs say. */
function decodeScheduling(c: Context, object: JsonObject, process: Process): void {
  if (object.scheduler === undefined && object.ioPriority === undefined && object.execCPUAffinity === undefined) return;
  const { decodeAffinity, decodeIoPriority, decodeScheduler } = loaded(import("./scheduling.ts"));
  const scheduler = decodeScheduler(c, object.scheduler);
  if (scheduler !== undefined) process.scheduler = scheduler;
  const ioPriority = decodeIoPriority(c, object.ioPriority);
  if (ioPriority !== undefined) process.ioPriority = ioPriority;
  const affinity = decodeAffinity(c, object.execCPUAffinity);
  if (affinity !== undefined) process.execCPUAffinity = affinity;
}

export function decodeProcess(c: Context, value: unknown): Process {
  if (value === undefined || value === null) missing(c, "process");
  const object = readObject(c, value, "process") ?? {};
  const there = typeof value === "object" && value !== null && !Array.isArray(value);
  enter(c, "process");
  const process: Process = {
    terminal: readFlag(c, object.terminal, "terminal"),
    user: decodeUser(c, object.user),
    args: readTexts(c, object.args, "args"),
    env: decodeEnv(c, object.env),
    cwd: readPath(c, object.cwd, "cwd") ?? "/",
    rlimits: decodeRlimits(c, object.rlimits),
    noNewPrivileges: readFlag(c, object.noNewPrivileges, "noNewPrivileges"),
  };
  if (there && (object.cwd === undefined || object.cwd === null)) missing(c, "cwd");
  if (there && (object.args === undefined || object.args === null)) missing(c, "args");
  const capabilities = decodeCapabilities(c, object.capabilities);
  if (capabilities !== undefined) process.capabilities = capabilities;
  const oomScoreAdj = readInteger(c, object.oomScoreAdj, "oomScoreAdj", -1000, 1000);
  if (oomScoreAdj !== undefined) process.oomScoreAdj = oomScoreAdj;
  const consoleSize = decodeConsoleSize(c, object.consoleSize);
  if (consoleSize !== undefined) process.consoleSize = consoleSize;
  decodeScheduling(c, object, process);
  const apparmorProfile = readWord(c, object.apparmorProfile, "apparmorProfile");
  if (apparmorProfile !== undefined) process.apparmorProfile = apparmorProfile;
  const selinuxLabel = readWord(c, object.selinuxLabel, "selinuxLabel");
  if (selinuxLabel !== undefined) process.selinuxLabel = selinuxLabel;
  leave(c);
  return process;
}
