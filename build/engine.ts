// The standalone executable: chunks → bytecode → C, linked with QuickJS and libberth.

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { bundle, bundleKey, type Chunk } from "./bundle.ts";
import { compileAll, link, SECTIONS, WARNINGS } from "./c.ts";
import { DIST, GEN, ROOT } from "./paths.ts";
import { type QuickJs, quickJs } from "./quickjs.ts";
import { run } from "./run.ts";
import { digest, unlessMade } from "./stamp.ts";

export interface EngineOptions {
  /** Folder below dist/obj for what is made on the way. */
  variant: string;
  output: string;
  /** libberth's objects. */
  objects: readonly string[];
  failpoints: boolean;
  kind?: Kind;
  /** Instead of src/main.engine.ts. */
  entry?: string;
}

/** How an executable is made: flags for our C, for QuickJS and for the linker. */
export interface Kind {
  ours: readonly string[];
  quickJs: readonly string[];
  link: readonly string[];
}

/** Static non-PIE starts measurably faster than PIE: there is nothing to relocate. */
export const RELEASE: Kind = {
  ours: ["-O2", "-fno-pie"],
  quickJs: ["-O2", "-fno-pie"],
  link: ["-static", "-no-pie", "-s", "-Wl,--gc-sections", "-Wl,--build-id=none", "-Wl,-z,noseparate-code", "-lm"],
};

const ADDRESS = ["-g", "-O1", "-fsanitize=address", "-fno-omit-frame-pointer"];
const SANITIZE = [...ADDRESS, "-fsanitize=undefined", "-fno-sanitize-recover=all"];

/** Undefined behaviour is looked for in our own C only. */
export const SANITIZED: Kind = { ours: SANITIZE, quickJs: ADDRESS, link: [...SANITIZE, "-lm"] };

export async function buildEngine(options: EngineOptions): Promise<void> {
  const folder = join(DIST, "obj", options.variant);
  const kind = options.kind ?? RELEASE;
  const engine = await quickJs(kind.quickJs);
  const chunks = await bytecode(await quickJs(RELEASE.quickJs), folder, options);
  const sources = ["main.c", "load.c", "convert.c", "escape.c"].map((name) => join(ROOT, "csrc/engine", name));
  const include = ["-isystem", engine.include, "-I", GEN, "-I", join(ROOT, "csrc/engine")];
  const ours = await compileAll([...sources, join(GEN, "native_glue.c"), chunks], {
    into: join(folder, "engine"),
    flags: [...WARNINGS, ...kind.ours, ...SECTIONS, ...include],
  });
  mkdirSync(dirname(options.output), { recursive: true });
  await link(options.output, [...ours, ...options.objects, engine.library], kind.link);
}

/** Compiles src/ to bytecode when it changed; the path of the C file that embeds it. */
async function bytecode(engine: QuickJs, folder: string, options: EngineOptions): Promise<string> {
  const compiler = await buildCompiler(engine);
  const output = join(folder, "chunks.c");
  const entry = options.entry ?? "src/main.engine.ts";
  await unlessMade([output], digest([compiler], bundleKey(entry, options.failpoints)), async () => {
    const chunks = await bundle({ entry, failpoints: options.failpoints, external: () => false });
    await compileChunks(compiler, folder, chunks);
    const { usesOf } = await import("./uses.ts");
    writeFileSync(output, embedding(folder, chunks, usesOf));
  });
  return output;
}

async function buildCompiler(engine: QuickJs): Promise<string> {
  const compiler = join(DIST, "obj/compile");
  const source = [join(ROOT, "csrc/engine/compile.c")];
  const flags = [...WARNINGS, ...RELEASE.ours, "-isystem", engine.include];
  const objects = await compileAll(source, { into: join(DIST, "obj"), flags });
  await link(compiler, [...objects, engine.library], ["-no-pie", "-lm"]);
  return compiler;
}

const script = (folder: string, chunk: Chunk): string => join(folder, chunk.name);
const code = (folder: string, chunk: Chunk): string => `${script(folder, chunk)}.bytecode`;

async function compileChunks(compiler: string, folder: string, chunks: readonly Chunk[]): Promise<void> {
  const { transform } = await import("esbuild");
  for (const chunk of chunks) {
    const { code } = await transform(numbered(chunk.code, chunks), { minifyWhitespace: false, minifySyntax: true });
    writeFileSync(script(folder, chunk), `(function(require,exports){${code}\n})`);
  }
  await run(
    compiler,
    chunks.flatMap((chunk) => [chunk.name, script(folder, chunk), code(folder, chunk)]),
  );
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
  const assembly = chunks.map(
    (chunk, i) => `    "chunk_${i}:\\n    .incbin \\"${code(folder, chunk)}\\"\\nchunk_${i}_end:\\n"`,
  );
  const entries = chunks.map((chunk, i) => {
    const uses = usesOf(chunk.code, chunk.name).join(" | ") || "0";
    return `    {"${chunk.name}", chunk_${i}, chunk_${i}_end, ${uses}},`;
  });
  const bytes = digest(chunks.map((chunk) => code(folder, chunk)));
  return `/* Generated by build/engine.ts: ${bytes} */
#include "chunks.h"

${symbols.join("\n")}
__asm__(".pushsection .rodata.chunks, \\"a\\"\\n"
${assembly.join("\n")}
    ".popsection\\n");

const struct chunk chunks[] = {
${entries.join("\n")}
};
const int chunk_count = ${chunks.length};
`;
}
