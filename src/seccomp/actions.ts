// Actions and flags of seccomp(2): linux/seccomp.h.

import type { ActionName, FlagName } from "./types.ts";

const EPERM = 1;
export const ENOSYS = 38;

const ACTIONS: ReadonlyMap<string, number> = new Map<ActionName, number>([
  ["SCMP_ACT_ALLOW", 0x7fff0000],
  ["SCMP_ACT_ERRNO", 0x00050000],
  ["SCMP_ACT_KILL", 0],
  ["SCMP_ACT_KILL_PROCESS", 0x80000000],
  ["SCMP_ACT_KILL_THREAD", 0],
  ["SCMP_ACT_LOG", 0x7ffc0000],
  ["SCMP_ACT_NOTIFY", 0x7fc00000],
  ["SCMP_ACT_TRACE", 0x7ff00000],
  ["SCMP_ACT_TRAP", 0x00030000],
]);

/** Every action. */
export const actionNames = (): ActionName[] => [...ACTIONS.keys()] as ActionName[];

export const isAction = (name: string): name is ActionName => ACTIONS.has(name);

/** Whether the action carries a number for the caller: ERRNO its errno, TRACE what the tracer reads. */
export const takesErrno = (action: ActionName): boolean => action === "SCMP_ACT_ERRNO" || action === "SCMP_ACT_TRACE";

/** What the filter returns for an action; `errno` absent: EPERM. */
export function actionValue(action: ActionName, errno: number | undefined): number {
  const value = ACTIONS.get(action) as number;
  return takesErrno(action) ? value | (errno ?? EPERM) : value;
}

/** The verdict of an architecture that the profile does not cover: SECCOMP_RET_KILL_THREAD, as libseccomp. */
export const KILL = 0;
export const RETURN_ENOSYS = 0x00050000 | ENOSYS;

/** A return value for people: `ERRNO(1)`. */
export function describeVerdict(value: number): string {
  const data = value & 0xffff;
  const action = (value & 0xffff0000) >>> 0;
  let found = "";
  // KILL and KILL_THREAD are one: the last name says it better.
  for (const [name, number] of ACTIONS) if (number === action) found = name.slice("SCMP_ACT_".length);
  if (found === "") return `0x${(value >>> 0).toString(16)}`;
  return takesErrno(`SCMP_ACT_${found}` as ActionName) ? `${found}(${data})` : found;
}

const LOG = 1 << 1;
const SPEC_ALLOW = 1 << 2;
const NEW_LISTENER = 1 << 3;
const WAIT_KILLABLE_RECV = 1 << 5;

const FLAGS: ReadonlyMap<string, number> = new Map<FlagName, number>([
  // The filter is loaded by a process of one thread: nothing is to be synchronized (runc takes it and does nothing, too).
  ["SECCOMP_FILTER_FLAG_TSYNC", 0],
  ["SECCOMP_FILTER_FLAG_LOG", LOG],
  ["SECCOMP_FILTER_FLAG_SPEC_ALLOW", SPEC_ALLOW],
  ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", WAIT_KILLABLE_RECV],
]);

/** Every flag. */
export const flagNames = (): FlagName[] => [...FLAGS.keys()] as FlagName[];

export const isFlag = (name: string): name is FlagName => FLAGS.has(name);

/** Flags for seccomp(2). */
export function flagBits(flags: readonly FlagName[] | undefined, listener: boolean): number {
  let bits = listener ? NEW_LISTENER : 0;
  if (flags === undefined) return bits | SPEC_ALLOW;
  for (let i = 0; i < flags.length; i++) bits |= FLAGS.get(flags[i] as string) as number;
  return bits;
}
