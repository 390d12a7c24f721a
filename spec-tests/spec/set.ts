// A value at a JSON pointer of config.json.

import type { Config } from "../support/config.ts";

/** An edit that puts the value there, and takes away what is there when it is undefined. */
export function set(pointer: string, value: unknown): (config: Config) => void {
  return (config) => {
    const parts = pointer.slice(1).split("/");
    const last = parts.pop() ?? "";
    let at = config as Record<string, unknown>;
    for (const part of parts) {
      at[part] ??= {};
      at = at[part] as Record<string, unknown>;
    }
    if (value === undefined) delete at[last];
    else at[last] = value;
  };
}
