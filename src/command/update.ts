// `berth update`: changes the limits of a container that is there. What is not named stays as it is.

import type { Options } from "../cli/reading.ts";
import { openEach } from "../container/cgroup-leaves.ts";
import { recordedPaths } from "../container/cgroup-paths.ts";
import type { ContainerState } from "../container/state.ts";
import { statusOf } from "../container/status.ts";
import { checkOwner, openState } from "../container/store.ts";
import { MESSAGE } from "../errors/messages.ts";
import { RuntimeError } from "../errors/runtime-error.ts";
import { gatherCgroups } from "../host/gather-cgroups.ts";
import type { Native } from "../host/native.gen.ts";
import { loaded } from "../lazy.ts";
import type { Context, Outcome } from "./command.ts";
import { apply, type Target } from "./update/apply.ts";
import { complete } from "./update/complete.ts";
import type { UpdateRequest } from "./update/request.ts";

export function update({ native, root, options, args }: Context): Outcome {
  const container = openState(native, root, args[0] as string);
  checkOwner(native, container);
  const { state, dir } = container;
  let request = readRequest(native, options);
  const status = statusOf(native, dir, state);
  if (status === "stopped" || status === "creating") throw new RuntimeError({ message: MESSAGE.notRunning });
  if (state.cgroups.length === 0)
    throw new RuntimeError({ message: "the container has no cgroup that could be limited" });

  if (request.resources.devices.length > 0) {
    const { withoutKnownDevices } = loaded(import("./update/devices.ts"));
    request = withoutKnownDevices(native, container, request);
  }
  const target = openTarget(native, state);
  const { updateResctrl } = loaded(import("./update/resctrl.ts"));
  const takeBack = updateResctrl(native, options, state.resctrl);
  try {
    apply(native, complete(request, target, state.systemd !== undefined), target, state.systemd);
  } catch (error) {
    takeBack();
    throw error;
  }
  return {};
}

/** With --resources every other option is ignored, as runc's help says. */
function readRequest(native: Native, options: Options): UpdateRequest {
  const source = options.string("resources") ?? "";
  if (source === "") return loaded(import("./update/flags.ts")).readFlags(options);
  return loaded(import("./update/document.ts")).readDocument(native, source);
}

function openTarget(native: Native, state: ContainerState): Target {
  const facts = gatherCgroups(native);
  return { paths: recordedPaths(state.cgroups, facts), facts, leaves: openEach(native, state.cgroups) };
}
