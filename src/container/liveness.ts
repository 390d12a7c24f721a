// Is the process that was recorded still there? A pid alone is not enough: it may belong to somebody else by now.

import type { Native } from "../host/native.gen.ts";

const AT_FDCWD = -100;
const STAT_MAX = 4096;

export interface ProcessStat {
  /** Field 3 of /proc/PID/stat. */
  state: string;
  /** Field 22: clock ticks after boot. */
  startTime: number;
}

/** Parses /proc/PID/stat. The name (field 2) is chosen by the process and may hold anything: fields begin after the last `)`. */
export function parseStat(text: string): ProcessStat | undefined {
  const end = text.lastIndexOf(")");
  if (end < 0) return undefined;
  const fields = text.slice(end + 2).split(" ", 20);
  const state = fields[0];
  const startTime = Number(fields[19]);
  if (state === undefined || state.length !== 1 || fields[19] === undefined || !Number.isSafeInteger(startTime)) {
    return undefined;
  }
  return { state, startTime };
}

/** The stat of a process, or undefined when there is none. `pid` may be "self". */
export function readStat(native: Native, pid: number | "self"): ProcessStat | undefined {
  const text = native.read_file(AT_FDCWD, `/proc/${pid}/stat`, STAT_MAX);
  return typeof text === "string" ? parseStat(text) : undefined;
}

/** Start time of a process; 0 when there is none, which no process but init of the host has. */
export function processStartTime(native: Native, pid: number | "self"): number {
  return readStat(native, pid)?.startTime ?? 0;
}

/** True while the process with that start time runs; a zombie does not. */
export function isAlive(native: Native, pid: number, startTime: number): boolean {
  const stat = readStat(native, pid);
  return stat !== undefined && stat.startTime === startTime && stat.state !== "Z" && stat.state !== "X";
}

/**
 * A pidfd of the process, proved to be the one with that start time: opened first, checked after. Undefined when it is
 * gone. What is done through the descriptor can never reach another process.
 */
export function openProcess(native: Native, pid: number, startTime: number): number | undefined {
  const pidfd = native.pidfd_open(pid);
  if (pidfd < 0) return undefined;
  if (isAlive(native, pid, startTime)) return pidfd;
  native.close(pidfd);
  return undefined;
}
