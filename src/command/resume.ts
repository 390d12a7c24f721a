// `berth resume`: lets the processes of a paused container go on.

import { thawFreezer } from "../container/freeze.ts";
import { statusOf } from "../container/status.ts";
import { checkOwner, openState } from "../container/store.ts";
import { MESSAGE } from "../errors/messages.ts";
import { RuntimeError } from "../errors/runtime-error.ts";
import { must } from "../host/must.ts";
import { warnOfAccess } from "./access.ts";
import type { Context, Outcome } from "./command.ts";
import { freezerOf } from "./pause.ts";

export function resume({ native, root, args }: Context): Outcome {
  const container = openState(native, root, args[0] as string);
  checkOwner(native, container);
  const { state, dir } = container;
  if (statusOf(native, dir, state) !== "paused") throw new RuntimeError({ message: MESSAGE.notPaused });
  const freezer = freezerOf(native, state);
  const thawed = thawFreezer(native, freezer);
  warnOfAccess("resume", thawed);
  must(thawed, { message: "unable to thaw", operation: "write", path: freezer.path });
  return {};
}
