// hooks.

import {
  type Context,
  enter,
  leave,
  missing,
  readEach,
  readElement,
  readInteger,
  readObject,
  readPath,
  readTexts,
} from "./context.ts";
import { HOOK_KINDS, type Hook, type HookKind, type Hooks } from "./types.ts";

/** Seconds; in milliseconds it must still be an int for poll(2). */
const TIMEOUT_MAX = 2_147_483;

function decodeHook(c: Context, value: unknown): Hook | undefined {
  const object = readElement(c, value);
  if (object === undefined) return undefined;
  const hook: Hook = { path: readPath(c, object.path, "path") ?? "" };
  if (object.path === undefined || object.path === null) missing(c, "path");
  const args = readTexts(c, object.args, "args");
  if (args.length > 0) hook.args = args;
  if (object.env !== undefined && object.env !== null) hook.env = readTexts(c, object.env, "env");
  const timeout = readInteger(c, object.timeout, "timeout", 1, TIMEOUT_MAX);
  if (timeout !== undefined) hook.timeout = timeout;
  return hook;
}

function decodeKind(c: Context, value: unknown, kind: HookKind): Hook[] {
  return readEach(c, value, kind, decodeHook);
}

const NONE: readonly Hook[] = [];
const NO_HOOKS: Hooks = {
  prestart: NONE,
  createRuntime: NONE,
  createContainer: NONE,
  startContainer: NONE,
  poststart: NONE,
  poststop: NONE,
};

export function decodeHooks(c: Context, value: unknown): Hooks {
  const object = readObject(c, value, "hooks");
  if (object === undefined) return NO_HOOKS;
  const hooks: Record<HookKind, readonly Hook[]> = { ...NO_HOOKS };
  enter(c, "hooks");
  for (let i = 0; i < HOOK_KINDS.length; i++) {
    const kind = HOOK_KINDS[i] as HookKind;
    hooks[kind] = decodeKind(c, object[kind], kind);
  }
  leave(c);
  return hooks;
}
