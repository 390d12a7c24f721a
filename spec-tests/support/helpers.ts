// The small C programs that tests need beside a runtime, compiled when first used.

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { workFolder } from "./runtime.ts";

/** The path of the static executable made from helpers/NAME.c. */
export function helper(name: string, flags: readonly string[] = []): string {
  const folder = join(workFolder(), "helpers");
  const path = join(folder, name);
  if (!existsSync(path)) {
    mkdirSync(folder, { recursive: true });
    const source = join(import.meta.dirname, "helpers", `${name}.c`);
    execFileSync("cc", ["-std=gnu17", "-O1", "-Wall", "-Wextra", "-static", ...flags, "-o", path, source]);
  }
  return path;
}
