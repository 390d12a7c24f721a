// The standalone executable: chunks → bytecode → C, linked with QuickJS and libberth.

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { bundle, bundleKey, type Chunk } from "./bundle.ts";
import { compileAll, link, SECTIONS, WARNINGS } from "./c.ts";
import { fillImage } from "./image.ts";
import { DIST, GEN, ROOT } from "./paths.ts";
import { turnsOf } from "./preloaded.ts";
import { quickJs } from "./quickjs.ts";
import { run } from "./run.ts";
import { digest, unlessMade } from "./stamp.ts";
import { release, type Toolchain } from "./toolchain.ts";

export interface EngineOptions {
  /** Folder below dist/obj for what is made on the way. */
  variant: string;
  output: string;
  /** libberth's objects. */
  objects: readonly string[];
  failpoints: boolean;
  toolchain: Toolchain;
  /** Instead of src/main.engine.ts. */
  entry?: string;
}

export async function buildEngine(options: EngineOptions): Promise<void> {
  const folder = join(DIST, "obj", options.variant);
  const { cc, ours } = options.toolchain;
  const engine = await quickJs(options.toolchain);
  const chunks = await bytecode(folder, options);
  const sources = SOURCES.map((name) => join(ROOT, "csrc/engine", name));
  const include = ["-isystem", engine.include, "-I", GEN, "-I", join(ROOT, "csrc/engine")];
  const objects = await compileAll([...sources, join(GEN, "native_glue.c"), chunks], {
    into: join(folder, "engine"),
    cc,
    flags: [...WARNINGS, ...ours, ...SECTIONS, ...include],
  });
  mkdirSync(dirname(options.output), { recursive: true });
  const linked = options.toolchain.image ? join(folder, "berth") : options.output;
  await link(linked, [...objects, ...options.objects, engine.library], options.toolchain);
  if (options.toolchain.image) await fillImage(linked, options.output, folder);
}

const SOURCES = ["main.c", "image.c", "memory.c", "load.c", "convert.c", "escape.c"];

/** Compiles src/ to bytecode when it changed; the path of the C file that embeds it. */
async function bytecode(folder: string, options: EngineOptions): Promise<string> {
  const compiler = await buildCompiler();
  const output = join(folder, "chunks.c");
  const entry = options.entry ?? "src/main.engine.ts";
  await unlessMade([output], digest([compiler], bundleKey(entry, options.failpoints)), async () => {
    const chunks = await bundle({ entry, failpoints: options.failpoints, external: () => false });
    await compileChunks(compiler, folder, chunks, options.failpoints);
    const { usesOf } = await import("./uses.ts");
    writeFileSync(output, embedding(folder, chunks, usesOf));
  });
  return output;
}

async function buildCompiler(): Promise<string> {
  const toolchain = release();
  const engine = await quickJs(toolchain);
  const compiler = join(DIST, "obj/compile");
  const source = [join(ROOT, "csrc/engine/compile.c")];
  const flags = [...WARNINGS, ...toolchain.ours, "-isystem", engine.include];
  const objects = await compileAll(source, { into: join(DIST, "obj"), cc: toolchain.cc, flags });
  await link(compiler, [...objects, engine.library], toolchain);
  return compiler;
}

const script = (folder: string, chunk: Chunk): string => join(folder, chunk.name);
const code = (folder: string, chunk: Chunk): string => `${script(folder, chunk)}.bytecode`;

/** Line numbers cost a tenth of the time of a short command, so that only test builds have them in stack traces. */
async function compileChunks(
  compiler: string,
  folder: string,
  chunks: readonly Chunk[],
  lines: boolean,
): Promise<void> {
  const { transform } = await import("esbuild");
  for (const chunk of chunks) {
    const { code } = await transform(numbered(chunk.code, chunks), { minifyWhitespace: false, minifySyntax: true });
    writeFileSync(script(folder, chunk), `(function(require,exports){${code}\n})`);
  }
  const files = chunks.flatMap((chunk) => [chunk.name, script(folder, chunk), code(folder, chunk)]);
  await run(compiler, [lines ? "lines" : "names", ...files]);
}

/** The engine finds chunks by number. */
function numbered(code: string, chunks: readonly Chunk[]): string {
  return code.replace(/\brequire\((["'])\.\/([^"']+)\1\)/g, (_all, _quote, name: string) => {
    const index = chunks.findIndex((chunk) => chunk.name === name);
    if (index < 0) throw new Error(`there is no chunk ${name}`);
    return `require(${index})`;
  });
}

function embedding(folder: string, chunks: readonly Chunk[], usesOf: (code: string, name: string) => string[]): string {
  const symbols = chunks.map((_, i) => `extern const uint8_t chunk_${i}[], chunk_${i}_end[];`);
  const turns = turnsOf(chunks, usesOf);
  const assembly = chunks.map(
    (chunk, i) =>
      `__asm__(".pushsection ${turns[i] === "NOT_PRELOADED" ? ".rodata.chunks" : "preloaded"}, \\"a\\"\\nchunk_${i}:\\n"
    ".incbin \\"${code(folder, chunk)}\\"\\nchunk_${i}_end:\\n.popsection\\n");`,
  );
  const entries = chunks.map((chunk, i) => {
    const uses = usesOf(chunk.code, chunk.name).join(" | ") || "0";
    return `    {"${chunk.name}", chunk_${i}, chunk_${i}_end, ${uses}, ${turns[i]}},`;
  });
  const bytes = digest(chunks.map((chunk) => code(folder, chunk)));
  return `/* Generated by build/engine.ts: ${bytes} */
#include "chunks.h"

${symbols.join("\n")}
${assembly.join("\n")}

const struct chunk chunks[] = {
${entries.join("\n")}
};
const int chunk_count = ${chunks.length};
`;
}
