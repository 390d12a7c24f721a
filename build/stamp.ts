// Doing work again only when its inputs changed.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Every file below the folder that the filter wants, sorted; none when there is no such folder. */
export function filesBelow(folder: string, wanted: (path: string) => boolean): string[] {
  if (!existsSync(folder)) return [];
  const entries = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return entries
    .map((name) => join(folder, name))
    .filter((path) => wanted(path) && statSync(path).isFile())
    .sort();
}

/** Says whether files or settings have changed: content, not times, so that a checkout changes nothing. */
export function digest(files: readonly string[], ...settings: readonly string[]): string {
  const hash = createHash("sha256");
  for (const setting of settings) hash.update(`${setting}\0`);
  for (const file of files) hash.update(`${file}\0`).update(readFileSync(file)).update("\0");
  return hash.digest("hex");
}

/**
 * Calls `make` unless it has already made `outputs` for the same key. The key is remembered beside the first output,
 * and only once `make` has succeeded.
 */
export async function unlessMade(
  outputs: readonly [string, ...string[]],
  key: string,
  make: () => Promise<void>,
): Promise<boolean> {
  const stamp = `${outputs[0]}.stamp`;
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === key && outputs.every((path) => existsSync(path)))
    return false;
  rmSync(stamp, { force: true });
  for (const path of outputs) mkdirSync(dirname(path), { recursive: true });
  await make();
  writeFileSync(stamp, key);
  return true;
}
