// What tests put into the folder of temporary files goes with the run: also when all tests of a file are left out, so that
// its afterAll is not called, and when a worker ends without its exit handlers.

import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Vitest's globalSetup; what it gives back is called at the end. */
export default function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), "berth-test."));
  chmodSync(folder, 0o755); // some tests are another user
  // Workers inherit it.
  process.env.TMPDIR = folder;
  // A process that was just killed may still be making something.
  const remove = (): void => rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
  process.on("exit", remove);
  for (const signal of ["SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(1));
  return remove;
}
