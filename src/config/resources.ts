// linux.resources: device rules; every other limit comes later and is refused when it asks for something.

import { type Context, enter, leave, readObject, report } from "./context.ts";
import { decodeDeviceRules } from "./devices.ts";
import { checkLater } from "./later.ts";
import type { Linux } from "./types.ts";

const LATER = ["memory", "cpu", "blockIO", "hugepageLimits", "network", "rdma", "unified"] as const;

/** 0 is no limit elsewhere; a pids limit of 0 is a limit (runtime-spec 1.3), and so is a swappiness of 0. */
function checkZero(c: Context, section: unknown, name: string, field: string): void {
  const object = typeof section === "object" && section !== null ? (section as Record<string, unknown>) : undefined;
  if (object?.[field] !== 0) return;
  enter(c, name);
  report(c, "unsupported", field, "is not supported yet");
  leave(c);
}

export function decodeResources(c: Context, value: unknown): Linux["resources"] {
  const object = readObject(c, value, "resources");
  if (object === undefined) return { devices: [] };
  enter(c, "resources");
  const devices = decodeDeviceRules(c, object.devices);
  for (let i = 0; i < LATER.length; i++) {
    const name = LATER[i] as string;
    if (object[name] !== undefined) checkLater(c, object[name], name);
  }
  if (object.pids !== undefined) {
    checkLater(c, object.pids, "pids");
    checkZero(c, object.pids, "pids", "limit");
  }
  if (object.memory !== undefined) checkZero(c, object.memory, "memory", "swappiness");
  leave(c);
  return { devices };
}
