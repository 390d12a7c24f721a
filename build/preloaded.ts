// Which chunks the heap image holds, and which of them it begins with. The others are loaded from bytecode when they are
// needed: what only people ask for, and what needs parts of the engine that the others do without. The image would be half
// as large again with them.

import type { Chunk } from "./bundle.ts";

const RARE: readonly RegExp[] = [
  /^src\/command\/(events|explain|features|seccomp|spec|validate)\.ts$/,
  /^src\/cli\/(general|help)\.ts$/,
  /^src\/tables\/syscalls-(?!x86_64|x86\.|x32)/,
];

const RARE_USES: readonly string[] = ["USES_REGEXP", "USES_DATE", "USES_PROXY", "USES_WEAK_REF", "USES_NORMALIZE"];

/** What starts a container, which is what has to be fast, lies together: csrc/engine/memory.c maps it all at once. */
const STARTING = /^src\/command\/(create|exec|run)\.ts$/;

/** enum turn of csrc/engine/chunks.h. */
export type Turn = "NOT_PRELOADED" | "PRELOADED_FIRST" | "PRELOADED_LATER";

/**
 * For each chunk, the first of which is the entry: NOT_PRELOADED when it cannot be reached without passing a rare one,
 * PRELOADED_FIRST for those that are loaded first, with what they require.
 */
export function turnsOf(chunks: readonly Chunk[], usesOf: (code: string, name: string) => string[]): Turn[] {
  const turns = chunks.map((): Turn => "NOT_PRELOADED");
  const rare = chunks.map(
    ({ name, code, modules }) =>
      modules.some((path) => RARE.some((pattern) => pattern.test(path))) ||
      usesOf(code, name).some((use) => RARE_USES.includes(use)),
  );
  const visit = (index: number): void => {
    if (turns[index] !== "NOT_PRELOADED" || rare[index]) return;
    const { modules, code } = chunks[index] as Chunk;
    turns[index] = modules.some((path) => STARTING.test(path)) ? "PRELOADED_FIRST" : "PRELOADED_LATER";
    for (const [, name] of code.matchAll(/\brequire\(["']\.\/([^"']+)["']\)/g)) {
      visit(chunks.findIndex((chunk) => chunk.name === name));
    }
  };
  visit(0);
  return turns;
}
