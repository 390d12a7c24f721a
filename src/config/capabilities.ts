// process.capabilities: five sets of names become masks.

import { capabilityNumber } from "../tables/capabilities.ts";
import { type Context, enter, type JsonObject, leave, readObject, readTexts, report, show } from "./context.ts";
import type { Capabilities } from "./types.ts";

/** Unknown names are left out with a warning, as runc does: the spec lets a runtime skip what it cannot grant. */
function readSet(c: Context, sets: JsonObject, set: keyof Capabilities): bigint {
  const names = readTexts(c, sets[set], set);
  let low = 0;
  let high = 0;
  for (let i = 0; i < names.length; i++) {
    const number = capabilityNumber(names[i] as string);
    if (number >= 32) high |= 1 << (number - 32);
    else if (number >= 0) low |= 1 << number;
    else if (typeof (sets[set] as unknown[])[i] === "string") {
      enter(c, set);
      report(c, "warning", i, `unknown capability ${show(names[i])} is left out`);
      leave(c);
    }
  }
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
}

/** Absent: undefined, the process keeps no capability. */
export function decodeCapabilities(c: Context, value: unknown): Capabilities | undefined {
  const sets = readObject(c, value, "capabilities");
  if (sets === undefined) return undefined;
  enter(c, "capabilities");
  const capabilities: Capabilities = {
    bounding: readSet(c, sets, "bounding"),
    effective: readSet(c, sets, "effective"),
    inheritable: readSet(c, sets, "inheritable"),
    permitted: readSet(c, sets, "permitted"),
    ambient: readSet(c, sets, "ambient"),
  };
  leave(c);
  return capabilities;
}
