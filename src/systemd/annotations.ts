// Annotations `org.systemd.property.NAME`: unit properties that the caller sets, with values in the GVariant text format.

import type { Variant } from "../dbus/value.ts";
import { RuntimeError } from "../errors/runtime-error.ts";
import type { UnitProperty } from "./property.ts";
import { parseVariant } from "./variant-text.ts";

const PREFIX = "org.systemd.property.";
const MIN_NAME = 3;
const SECOND = 1_000_000;

/**
 * runc's rules: a name has at least three letters and nothing else; a number called FooSec becomes FooUSec. Throws
 * RuntimeError with the annotation's pointer.
 */
export function annotationProperties(annotations: ReadonlyMap<string, string>): UnitProperty[] {
  const properties: UnitProperty[] = [];
  for (const [key, value] of annotations) {
    if (!key.startsWith(PREFIX)) continue;
    const pointer = `/annotations/${key.split("~").join("~0").split("/").join("~1")}`;
    const name = key.slice(PREFIX.length);
    if (!isName(name)) {
      throw new RuntimeError({ message: `"${PREFIX}" must be followed by at least ${MIN_NAME} letters`, pointer });
    }
    try {
      const { signature, value: parsed } = parseVariant(value);
      properties.push(
        seconds(name) ? microseconds(name, { signature, value: parsed }) : { name, signature, value: parsed },
      );
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw new RuntimeError({ message: `${JSON.stringify(value)} is no property: it ${error.message}`, pointer });
    }
  }
  return properties;
}

function isName(name: string): boolean {
  for (const c of name) if (!((c >= "a" && c <= "z") || (c >= "A" && c <= "Z"))) return false;
  return name.length >= MIN_NAME;
}

/** TimeoutStopSec, not USec itself. */
function seconds(name: string): boolean {
  const before = name.at(-4) ?? "";
  return name.endsWith("Sec") && before >= "a" && before <= "z";
}

function microseconds(name: string, { value }: Variant): UnitProperty {
  const usec = `${name.slice(0, -3)}USec`;
  const most = (1n << 64n) - 1n;
  let result: bigint | undefined;
  if (typeof value === "bigint") result = value * BigInt(SECOND);
  if (typeof value === "number" && Number.isFinite(value)) result = BigInt(Math.trunc(value * SECOND));
  if (result === undefined) throw new SyntaxError("is not a number");
  if (result < 0n || result > most) throw new SyntaxError("is no time");
  return { name: usec, signature: "t", value: result };
}
