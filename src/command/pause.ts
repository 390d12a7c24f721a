// `berth pause`: freezes every process of the container, and lets all of them go on when that fails.

import { type Freezer, freeze, openFreezer, thawFreezer } from "../container/freeze.ts";
import type { ContainerState } from "../container/state.ts";
import { statusOf } from "../container/status.ts";
import { checkOwner, openState } from "../container/store.ts";
import { MESSAGE } from "../errors/messages.ts";
import { RuntimeError } from "../errors/runtime-error.ts";
import { nativeError } from "../host/must.ts";
import type { Native } from "../host/native.gen.ts";
import { warnOfAccess } from "./access.ts";
import type { Context, Outcome } from "./command.ts";
import { Interrupts } from "./create/interrupts.ts";

/** runc's patience on v2. */
const PATIENCE_MS = 10_000;

export function pause({ native, root, args }: Context): Outcome {
  const container = openState(native, root, args[0] as string);
  checkOwner(native, container);
  const status = statusOf(native, container.dir, container.state);
  if (status !== "running" && status !== "created") throw new RuntimeError({ message: MESSAGE.notRunning });
  const freezer = freezerOf(native, container.state);
  const interrupts = new Interrupts(native);
  const frozen = freeze(native, freezer, PATIENCE_MS, interrupts.fd);
  if (frozen === 1) return {};
  // To leave it half frozen would be the worst of all.
  thawFreezer(native, freezer);
  interrupts.check();
  warnOfAccess("pause", frozen);
  const facts = { message: "unable to freeze", path: freezer.path };
  if (frozen < 0) throw nativeError(frozen, facts);
  throw new RuntimeError({ ...facts, detail: `not all processes were frozen within ${PATIENCE_MS / 1000} s` });
}

/** Throws when the host has no freezer. */
export function freezerOf(native: Native, { cgroups }: ContainerState): Freezer {
  const freezer = openFreezer(native, cgroups);
  if (freezer !== undefined) return freezer;
  throw new RuntimeError({ message: "the container is in no cgroup that can be frozen" });
}
