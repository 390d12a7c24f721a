// Hooks. prestart and createRuntime are run by the runtime, in its namespaces; createContainer by init before it changes
// its root, so that paths are the host's; startContainer by init between `start` and the container's process.

import type { Hook } from "../config/types.ts";
import { RuntimeError } from "../errors/runtime-error.ts";
import { loaded } from "../lazy.ts";
import { CLONE_NEWNS } from "../tables/linux.ts";
import type { Compilation } from "./compilation.ts";
import { BARRIER } from "./protocol.ts";

/** Whether init stops with its mounts made and its old root still there. */
export function hasBarrierHooks({ config: { hooks } }: Compilation): boolean {
  return hooks.prestart.length + hooks.createRuntime.length + hooks.createContainer.length > 0;
}

/** init's side of the barrier, and the createContainer hooks: in the root's folder, without environment, as in runc. */
export function createHooks(c: Compilation): void {
  if (!hasBarrierHooks(c)) return;
  const { ops } = c;
  ops.at("/hooks").sync(BARRIER.hooks);
  const { createContainer } = c.config.hooks;
  if (createContainer.length === 0) return;
  if ((c.namespaces.joined & CLONE_NEWNS) !== 0) {
    // runtime-spec: their paths are the runtime's. There they would be what the other container puts at them.
    const message = "createContainer hooks are not supported in a mount namespace that is joined";
    throw new RuntimeError({ message, pointer: "/hooks/createContainer" });
  }
  ops.at("/hooks/createContainer", c.rootfs).chdir(c.rootfs, 0);
  runHooks(c, "createContainer", createContainer, "creating", []);
}

/** With the environment of the container's process where the hook names none. */
export function startHooks(c: Compilation, env: readonly string[]): void {
  const { startContainer } = c.config.hooks;
  if (startContainer.length > 0) runHooks(c, "startContainer", startContainer, "created", env);
}

function runHooks(c: Compilation, kind: string, hooks: readonly Hook[], status: string, env: readonly string[]): void {
  const { hookStateParts } = loaded(import("../container/hook-state.ts"));
  const { id, bundle } = c.options;
  const { before, after } = hookStateParts({ id, bundle, annotations: c.config.annotations }, status);
  for (let i = 0; i < hooks.length; i++) {
    const hook = hooks[i] as Hook;
    const args = hook.args === undefined || hook.args.length === 0 ? [hook.path] : hook.args;
    const timeout = hook.timeout === undefined ? 0 : hook.timeout * 1000;
    c.ops.at(`/hooks/${kind}/${i}`, hook.path).hook(hook.path, args, hook.env ?? env, before, after, timeout);
  }
}

/** The runtime's side of the barrier; `inside` pushes what it does first. */
export function hookSteps(c: Compilation, inside: () => void): void {
  const { steps, config } = c;
  const origin = { pointer: "/hooks" };
  steps.push({ step: "await barrier", barrier: BARRIER.hooks, origin });
  inside();
  for (const kind of ["prestart", "createRuntime"] as const) {
    for (let index = 0; index < config.hooks[kind].length; index++) {
      steps.push({ step: "hook", kind, index, origin: { pointer: `/hooks/${kind}/${index}` } });
    }
  }
  steps.push({ step: "release barrier", barrier: BARRIER.hooks, origin });
}
