// What the state folder says of a container, from its making to its removal.

import type { Config, Hook } from "../../config/types.ts";
import { startOps } from "../../container/start-ops.ts";
import type { StateInput } from "../../container/state.ts";
import type { StateHandle } from "../../container/store.ts";
import { formatTime } from "../../container/time.ts";
import { must } from "../../host/must.ts";
import type { Native } from "../../host/native.gen.ts";
import { loaded } from "../../lazy.ts";
import type { Plan } from "../../plan/plan.ts";
import { VERSION } from "../../version.ts";
import type { CreateRequest } from "./request.ts";

/** What is known before anything of the container exists. */
export function stateOf(
  config: Config,
  bundle: string,
  { id, rights, noNewKeyring }: CreateRequest,
  cgroups: string[],
  systemd: StateInput["systemd"],
  resctrl: StateInput["resctrl"],
): StateInput {
  return {
    ociVersion: VERSION.spec,
    id,
    bundle,
    rootfs: config.root.path.startsWith("/") ? config.root.path : `${bundle}/${config.root.path}`,
    annotations: config.annotations,
    cgroups,
    ...(systemd === undefined ? {} : { systemd }),
    ...(resctrl === undefined ? {} : { resctrl }),
    hooks: hooksAfterStart(config),
    privatePid: config.linux.namespaces.some((ns) => ns.type === "pid" && ns.path === undefined),
    rootless: rights.rootless,
    ...(noNewKeyring ? { noNewKeyring: true } : {}),
  };
}

/** What start and delete run. */
function hooksAfterStart({ hooks: { poststart, poststop }, ociVersion }: Config): StateInput["hooks"] {
  if (poststart.length === 0) return { poststart, poststop };
  const { poststartMayFail } = loaded(import("../../container/hooks.ts"));
  return poststartMayFail(ociVersion) ? { poststart, poststop, poststartMayFail: true } : { poststart, poststop };
}

/**
 * Records that the container is created. `run` does it once init goes on, so that nothing waits for the write: nobody else
 * can start this container, so nobody needs `startOps`.
 */
export function recordCreated(native: Native, state: StateHandle, plan?: Plan): void {
  const [seconds, nanoseconds] = must(native.clock(), { operation: "clock_gettime" }) as [number, number];
  const created = formatTime(seconds, nanoseconds);
  state.appendCreated(plan === undefined ? { created } : { created, startOps: startOps(plan.init) });
}

/** Removes the state folder, and tells the hooks when it was still ours to remove. */
export function removeState(native: Native, state: StateHandle, poststop: readonly Hook[]): void {
  if (!state.remove() || poststop.length === 0) return;
  const { runPoststopHooks } = loaded(import("../../container/hooks.ts"));
  runPoststopHooks(native, poststop, state.record);
}
