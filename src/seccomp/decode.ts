// linux.seccomp: parsed JSON becomes a Seccomp, everything wrong with it reported at its place.

import {
  type Context,
  enter,
  type JsonObject,
  leave,
  missing,
  oneOf,
  readBig,
  readEach,
  readElement,
  readInteger,
  readObject,
  readTexts,
  readWord,
  report,
  UINT64_MAX,
  wrong,
} from "../config/context.ts";
import { actionNames, flagNames, isAction, isFlag, takesErrno } from "./actions.ts";
import { architectures, findArchitecture } from "./architectures.ts";
import type {
  ActionName,
  ArchitectureName,
  FlagName,
  OperatorName,
  Seccomp,
  SeccompArg,
  SeccompRule,
} from "./types.ts";

const OPERATORS: readonly OperatorName[] = [
  "SCMP_CMP_NE",
  "SCMP_CMP_LT",
  "SCMP_CMP_LE",
  "SCMP_CMP_EQ",
  "SCMP_CMP_GE",
  "SCMP_CMP_GT",
  "SCMP_CMP_MASKED_EQ",
];

/** Every operator. */
export const operatorNames = (): readonly OperatorName[] => OPERATORS;

/** The data of a filter's return value are 16 bits; the kernel takes an errno above 4095 for 4095. */
const ERRNO_MAX = 0xffff;

function readAction(c: Context, value: unknown, key: string): ActionName | undefined {
  const word = readWord(c, value, key);
  if (word === undefined) {
    if (value === undefined || value === null || value === "") missing(c, key);
    return undefined;
  }
  if (isAction(word)) return word;
  wrong(c, key, `one of ${oneOf(actionNames())}`, word);
  return undefined;
}

/** config-linux.md: "When the action doesn't support an errno, the runtime MUST print and error and fail." */
function readErrno(c: Context, value: unknown, key: string, action: ActionName | undefined): number | undefined {
  const errno = readInteger(c, value, key, 0, ERRNO_MAX);
  if (errno !== undefined && action !== undefined && !takesErrno(action)) {
    report(c, "invalid", key, `must not be set, as ${action} has no errno`);
  }
  return errno;
}

function decodeArchitectures(c: Context, value: unknown): ArchitectureName[] {
  const words = readTexts(c, value, "architectures");
  const known: ArchitectureName[] = [];
  enter(c, "architectures");
  for (let i = 0; i < words.length; i++) {
    const architecture = findArchitecture(words[i] as string);
    if (architecture === undefined) {
      wrong(c, i, `one of ${oneOf(architectures().map(({ name }) => name))}`, words[i]);
    } else if (!known.includes(architecture.name)) known.push(architecture.name);
  }
  leave(c);
  return known;
}

function decodeFlags(c: Context, value: unknown): FlagName[] | undefined {
  if (value === undefined || value === null) return undefined;
  const words = readTexts(c, value, "flags");
  const known: FlagName[] = [];
  enter(c, "flags");
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as string;
    if (!isFlag(word)) wrong(c, i, `one of ${oneOf(flagNames())}`, word);
    else if (!known.includes(word)) known.push(word);
  }
  leave(c);
  return known;
}

function decodeArg(c: Context, value: unknown): SeccompArg | undefined {
  const object = readElement(c, value);
  if (object === undefined) return undefined;
  if (object.index === undefined || object.index === null) missing(c, "index");
  const index = readInteger(c, object.index, "index", 0, 5) ?? 0;
  const word = readWord(c, object.op, "op");
  const op = OPERATORS.find((name) => name === word);
  if (word === undefined) {
    if (object.op === undefined || object.op === null || object.op === "") missing(c, "op");
  } else if (op === undefined) wrong(c, "op", `one of ${oneOf(OPERATORS)}`, word);
  // Go's encoder leaves out neither, hand-written profiles leave out zeros.
  const first = readBig(c, object.value, "value", 0n, UINT64_MAX) ?? 0n;
  const second = readBig(c, object.valueTwo, "valueTwo", 0n, UINT64_MAX) ?? 0n;
  return { index, value: first, valueTwo: second, op: op ?? "SCMP_CMP_EQ" };
}

function decodeArgs(c: Context, value: unknown): SeccompArg[] {
  return readEach(c, value, "args", decodeArg);
}

/** The container waits for its agent with the descriptor that `write` reports: a notified write would wait for ever. */
function checkNotify(c: Context, names: readonly string[]): void {
  const at = names.indexOf("write");
  if (at < 0) return;
  enter(c, "names");
  report(c, "invalid", at, "must not be write, as SCMP_ACT_NOTIFY cannot be used for it");
  leave(c);
}

function decodeRule(c: Context, value: unknown): SeccompRule | undefined {
  const object = readElement(c, value);
  if (object === undefined) return undefined;
  const names = readTexts(c, object.names, "names");
  if (object.names === undefined || object.names === null) missing(c, "names");
  const empty = names.indexOf("");
  if (empty >= 0 && typeof (object.names as readonly unknown[])[empty] === "string") {
    enter(c, "names");
    report(c, "invalid", empty, "must not be empty");
    leave(c);
  }
  const action = readAction(c, object.action, "action");
  const errno = readErrno(c, object.errnoRet, "errnoRet", action);
  if (action === "SCMP_ACT_NOTIFY") checkNotify(c, names);
  const rule: SeccompRule = {
    names,
    action: action ?? "SCMP_ACT_ERRNO",
    args: object.args === undefined || object.args === null ? [] : decodeArgs(c, object.args),
  };
  if (errno !== undefined) rule.errnoRet = errno;
  return rule;
}

function decodeRules(c: Context, value: unknown): SeccompRule[] {
  return readEach(c, value, "syscalls", decodeRule);
}

function decodeListener(c: Context, object: JsonObject, seccomp: Seccomp): void {
  const path = readWord(c, object.listenerPath, "listenerPath");
  const metadata = readWord(c, object.listenerMetadata, "listenerMetadata");
  if (path !== undefined) seccomp.listenerPath = path;
  if (metadata === undefined) return;
  seccomp.listenerMetadata = metadata;
  if (path === undefined) report(c, "invalid", "listenerMetadata", "must not be set without listenerPath");
}

/**
 * Decodes linux.seccomp; the context is at the place of the object. A profile without defaultAction and without rules is
 * no profile, as for runc: undefined.
 */
export function decodeSeccomp(c: Context, value: unknown): Seccomp | undefined {
  const object = readObject(c, value);
  if (object === undefined) return undefined;
  const syscalls = decodeRules(c, object.syscalls);
  const named = object.defaultAction !== undefined && object.defaultAction !== null && object.defaultAction !== "";
  if (!named && syscalls.length === 0) return undefined;
  const action = readAction(c, object.defaultAction, "defaultAction");
  if (action === "SCMP_ACT_NOTIFY") {
    report(c, "invalid", "defaultAction", "must not be SCMP_ACT_NOTIFY: the container could not even start");
  }
  const errno = readErrno(c, object.defaultErrnoRet, "defaultErrnoRet", action);
  const seccomp: Seccomp = {
    defaultAction: action ?? "SCMP_ACT_ERRNO",
    architectures: decodeArchitectures(c, object.architectures),
    syscalls,
  };
  if (errno !== undefined) seccomp.defaultErrnoRet = errno;
  const flags = decodeFlags(c, object.flags);
  if (flags !== undefined) seccomp.flags = flags;
  decodeListener(c, object, seccomp);
  return seccomp;
}
