// Compiling C, one object a source file, again only when the file, a header that it includes or a flag changed.

import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parallel, run } from "./run.ts";
import { digest, unlessMade } from "./stamp.ts";
import type { Toolchain } from "./toolchain.ts";

/** For our own C. What is not ours (QuickJS) is compiled without. */
export const WARNINGS = ["-std=gnu17", "-Wall", "-Wextra", "-Werror", "-Wconversion"];

/** Sections of their own let the linker drop what is not used. */
export const SECTIONS = ["-ffunction-sections", "-fdata-sections"];

export interface CompileOptions {
  /** Folder of the objects. */
  into: string;
  cc: string;
  flags: readonly string[];
}

/** The objects of the sources, in the same order. */
export function compileAll(sources: readonly string[], options: CompileOptions): Promise<string[]> {
  return parallel(sources, (source) => compile(source, options));
}

async function compile(source: string, { into, cc, flags }: CompileOptions): Promise<string> {
  const object = join(into, `${basename(source)}.o`);
  const rule = `${object}.d`;
  const stamp = `${object}.stamp`;
  const key = (): string => digest(dependenciesIn(rule), cc, ...flags);
  if ([object, rule, stamp].every((path) => existsSync(path)) && readFileSync(stamp, "utf8") === key()) return object;

  mkdirSync(into, { recursive: true });
  const started = Date.now();
  await run(cc, [...flags, "-MMD", "-MF", rule, "-c", source, "-o", object]);
  // A source that was saved meanwhile may not be what was compiled.
  if (dependenciesIn(rule).every((path) => statSync(path).mtimeMs < started)) writeFileSync(stamp, key());
  else rmSync(stamp, { force: true });
  return object;
}

/** The files in a make rule as `gcc -MMD` writes it; files that are gone are left out, which changes the digest. */
function dependenciesIn(rule: string): string[] {
  const [, files = ""] = readFileSync(rule, "utf8").replaceAll("\\\n", " ").split(": ", 2);
  return files.split(/\s+/).filter((file) => file !== "" && existsSync(file));
}

/** Links objects when one of them, a flag or a file that a flag names (`inputs`) changed. */
export async function link(
  output: string,
  objects: readonly string[],
  { cc, link }: Toolchain,
  inputs: readonly string[] = [],
): Promise<void> {
  await unlessMade([output], digest([...objects, ...inputs], cc, ...link), async () => {
    await run(cc, ["-o", output, ...objects, ...link]);
  });
}
