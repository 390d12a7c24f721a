// Runs hooks of the runtime namespace.

import type { Hook } from "../config/types.ts";
import { RuntimeError } from "../errors/runtime-error.ts";
import { warn } from "../errors/warning.ts";
import { must } from "../host/must.ts";
import type { Native } from "../host/native.gen.ts";
import { type HookContainer, hookEnvironment, hookState } from "./hook-state.ts";

const CLD_EXITED = 1;
const TIMED_OUT = 1;
const ABORTED = 2;

/**
 * Runs one hook to its end with the state on stdin; throws when it fails. `pointer` is its place in config.json, `abort`
 * a descriptor whose readability ends the hook, or -1.
 */
export function runHook(native: Native, hook: Hook, state: string, pointer: string, abort: number): void {
  const timeout = hook.timeout === undefined ? -1 : hook.timeout * 1000;
  const args = hook.args ?? [hook.path];
  const result = native.run_hook(hook.path, args, hookEnvironment(native, hook), state, timeout, abort);
  const facts = { pointer, path: hook.path };
  const [code, status, end] = must(result, { ...facts, message: "cannot run hook", operation: "exec" }) as number[];
  if (end === ABORTED) throw new RuntimeError({ ...facts, message: "hook was interrupted" });
  if (end === TIMED_OUT) {
    throw new RuntimeError({ ...facts, message: `hook did not end within ${hook.timeout} s and was killed` });
  }
  if (code === CLD_EXITED && status === 0) return;
  const output = native.detail();
  throw new RuntimeError({
    ...facts,
    message: code === CLD_EXITED ? `hook failed: exit status ${status}` : `hook was killed by signal ${status}`,
    ...(typeof output === "string" && output !== "" ? { detail: output } : {}),
  });
}

/**
 * Whether a poststart hook that fails is a warning, and the next one runs: as runtime-spec has it before 1.3.0 (lifecycle
 * 9), for bundles that say that they are older.
 */
export function poststartMayFail(ociVersion: string): boolean {
  const [major, minor] = ociVersion.split(".").map(Number);
  return major === 1 && minor !== undefined && minor < 3;
}

/** The hooks and their rule: as the state records them. */
export interface PoststartHooks {
  poststart: readonly Hook[];
  poststartMayFail?: boolean;
}

/** poststart hooks, in order; the first that fails is thrown, unless they may (the caller stops the container). */
export function runPoststartHooks(
  native: Native,
  { poststart, poststartMayFail }: PoststartHooks,
  container: HookContainer,
  pid: number,
): void {
  if (poststart.length === 0) return;
  native.chdir(container.bundle); // a hook that needs it says so by failing
  const state = hookState(container, "running", pid);
  for (let i = 0; i < poststart.length; i++) {
    try {
      runHook(native, poststart[i] as Hook, state, `/hooks/poststart/${i}`, -1);
    } catch (error) {
      if (poststartMayFail !== true) throw error;
      warn(error);
    }
  }
}

/** poststop hooks, in order; one that fails is a warning and the next one runs (runtime-spec, lifecycle 13). */
export function runPoststopHooks(native: Native, hooks: readonly Hook[], container: HookContainer): void {
  if (hooks.length === 0) return;
  native.chdir(container.bundle); // may be gone by now
  const state = hookState(container, "stopped", 0);
  for (let i = 0; i < hooks.length; i++) {
    try {
      runHook(native, hooks[i] as Hook, state, `/hooks/poststop/${i}`, -1);
    } catch (error) {
      warn(error);
    }
  }
}
