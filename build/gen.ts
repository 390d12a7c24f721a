// Writes every generated file: `tsx build/gen.ts`. With --check it only compares the committed ones and exits 1 when one
// of them is out of date.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { nativeGlue, nativeHeader, nativeInterface } from "./gen-native.ts";
import { ROOT } from "./paths.ts";

export interface Generated {
  /** Relative to the repository. */
  path: string;
  text: string;
}

/** The generated file that is committed, because people and editors read it. The op table's are build/gen-ops.ts's. */
const committed = (): Generated[] => [{ path: "src/host/native.gen.ts", text: nativeInterface() }];

function uncommitted(): Generated[] {
  return [
    { path: "dist/gen/native.h", text: nativeHeader() },
    { path: "dist/gen/native_glue.c", text: nativeGlue() },
  ];
}

/** Writes what differs: an unchanged file keeps its time, so that nothing is compiled again. */
export async function generate(): Promise<void> {
  process.chdir(ROOT);
  await import("./gen-ops.ts");
  for (const file of [...committed(), ...uncommitted()]) {
    if (isCurrent(file)) continue;
    const path = join(ROOT, file.path);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, file.text);
  }
}

function isCurrent(file: Generated): boolean {
  const path = join(ROOT, file.path);
  return existsSync(path) && readFileSync(path, "utf8") === file.text;
}

async function check(): Promise<void> {
  process.chdir(ROOT);
  await import("./gen-ops.ts"); // sees --check itself
  const stale = committed().filter((file) => !isCurrent(file));
  for (const file of stale) console.error(`${file.path} is out of date: run \`npm run gen\``);
  if (stale.length > 0) process.exitCode = 1;
}

if (process.argv[1] === import.meta.filename) await (process.argv.includes("--check") ? check() : generate());
