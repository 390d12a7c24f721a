// Unit properties for `berth explain`, in the form that busctl(1) takes: `MemoryMax t 1048576`.

import { isVariant, type Value } from "../dbus/value.ts";
import type { UnitProperty } from "./property.ts";

export function propertyLines(properties: readonly UnitProperty[]): string[] {
  return properties.map(({ name, signature, value }) => `${name} ${signature} ${print(value)}`);
}

function print(value: Value): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value !== "object") return String(value);
  if (isVariant(value)) return `${value.signature} ${print(value.value)}`;
  return [value.length, ...value.map(print)].join(" ");
}
