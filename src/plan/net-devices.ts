// linux.netDevices: init waits in its network namespace while the runtime moves devices there, before anything else is made
// and before hooks run, as in runc.

import type { NetDevice } from "../config/types.ts";
import type { Compilation } from "./compilation.ts";
import { enterCgroups } from "./namespaces.ts";
import type { RuntimeStep } from "./plan.ts";
import { BARRIER } from "./protocol.ts";

const POINTER = "/linux/netDevices";

/** init's side. Its cgroups come first: the runtime has told them by then, on the same socket. */
export function awaitNetDevices(c: Compilation): void {
  enterCgroups(c);
  c.ops.at(POINTER).sync(BARRIER.network);
}

/** The runtime's side: every device is looked at before the first one is moved. */
export function netDeviceSteps({ steps }: Compilation, devices: ReadonlyMap<string, NetDevice>): void {
  const origin = { pointer: POINTER };
  const found: RuntimeStep[] = [];
  const moves: RuntimeStep[] = [];
  for (const [device, { name }] of devices) {
    const which = { device, ...(name === undefined ? {} : { name }) };
    // RFC 6901; a name has no slash.
    const place = { pointer: `${POINTER}/${device.replaceAll("~", "~0")}`, subject: device };
    found.push({ step: "find network device", ...which, origin: place });
    moves.push({ step: "move network device", ...which, origin: place });
  }
  steps.push({ step: "await barrier", barrier: BARRIER.network, origin }, ...found, ...moves);
  steps.push({ step: "release barrier", barrier: BARRIER.network, origin });
}
