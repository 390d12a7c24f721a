// Which chunks the heap image holds. The others are loaded from bytecode when they are needed: what only people ask for, and
// what needs parts of the engine that the others do without. The image would be half as large again with them.

import type { Chunk } from "./bundle.ts";

const RARE: readonly RegExp[] = [
  /^src\/command\/(events|explain|features|seccomp|spec|validate)\.ts$/,
  /^src\/cli\/(general|help)\.ts$/,
  /^src\/tables\/syscalls-(?!x86_64|x86\.|x32)/,
];

const RARE_USES: readonly string[] = ["USES_REGEXP", "USES_DATE", "USES_PROXY", "USES_WEAK_REF", "USES_NORMALIZE"];

/** For each chunk, the first of which is the entry: whether it can be reached without passing a rare one. */
export function preloadedChunks(chunks: readonly Chunk[], usesOf: (code: string, name: string) => string[]): boolean[] {
  const preloaded = chunks.map(() => false);
  const rare = chunks.map(
    ({ name, code, modules }) =>
      modules.some((path) => RARE.some((pattern) => pattern.test(path))) ||
      usesOf(code, name).some((use) => RARE_USES.includes(use)),
  );
  const visit = (index: number): void => {
    if (preloaded[index] || rare[index]) return;
    preloaded[index] = true;
    for (const [, name] of (chunks[index] as Chunk).code.matchAll(/\brequire\(["']\.\/([^"']+)["']\)/g)) {
      visit(chunks.findIndex((chunk) => chunk.name === name));
    }
  };
  visit(0);
  return preloaded;
}
