// `npm run build:portable`: dist/portable/berth, the Node host with everything that it loads, as one executable. It is a
// copy of the Node.js that runs the build, with the program as Node's single-executable blob: the scripts as one, koffi's
// addon and libberth.so as assets (src/host/node-embedded.ts loads them). Not part of the default build.

import { chmodSync, copyFileSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { bundleKey } from "./bundle.ts";
import { generate } from "./gen.ts";
import { buildShared } from "./libberth.ts";
import { buildNodeHost } from "./node-host.ts";
import { DIST, ROOT } from "./paths.ts";
import { run } from "./run.ts";
import { digest, unlessMade } from "./stamp.ts";

/** The byte behind it is 1 in a Node executable that has a blob. */
const FUSE = "NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2";
const ENTRY = "src/main.portable.ts";
const FOLDER = join(DIST, "portable");
const LIBRARY = join(DIST, "libberth.so");

/** koffi's addon for this machine, from the package that koffi chooses it from. */
function addon(): string {
  const koffi = createRequire(import.meta.url).resolve("koffi");
  const platform = createRequire(koffi).resolve(`@koromix/koffi-${process.platform}-${process.arch}`);
  return join(platform, `../${cLibrary()}_${process.arch}/koffi.node`);
}

/** Of the Node that runs this. */
function cLibrary(): "linux" | "musl" {
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return report.header?.glibcVersionRuntime === undefined ? "musl" : "linux";
}

/** The Node host's chunks as one script, with koffi from the asset. */
async function oneScript(output: string): Promise<void> {
  const chunks = join(FOLDER, "chunks");
  await buildNodeHost(chunks, false, ENTRY);
  const { build } = await import("esbuild");
  await build({
    entryPoints: [join(chunks, "berth.js")],
    outfile: output,
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node20",
    alias: { koffi: join(ROOT, "src/host/node-koffi.ts") },
    logLevel: "warning",
  });
}

async function portable(): Promise<void> {
  await generate();
  await buildShared({ variant: "engine", failpoints: false }, LIBRARY);
  const output = join(FOLDER, "berth");
  const inputs = [process.execPath, LIBRARY, addon(), join(ROOT, "build/portable.ts")];
  await unlessMade([output], digest(inputs, bundleKey(ENTRY, false)), async () => {
    mkdirSync(FOLDER, { recursive: true });
    const script = join(FOLDER, "berth.cjs");
    await oneScript(script);
    const config = join(FOLDER, "sea.json");
    const blob = join(FOLDER, "berth.blob");
    writeFileSync(config, JSON.stringify(seaConfig(script, blob), null, 2));
    await run(process.execPath, ["--experimental-sea-config", config]);
    const made = join(FOLDER, "berth.new");
    copyFileSync(process.execPath, made);
    chmodSync(made, 0o755);
    await run("strip", ["--strip-all", made]);
    const postject = createRequire(import.meta.url).resolve("postject/dist/cli.js");
    await run(process.execPath, [postject, made, "NODE_SEA_BLOB", blob, "--sentinel-fuse", FUSE]);
    renameSync(made, output);
  });
}

const seaConfig = (main: string, output: string): object => ({
  main,
  output,
  disableExperimentalSEAWarning: true,
  useCodeCache: true,
  assets: { "koffi.node": addon(), "libberth.so": LIBRARY },
});

try {
  await portable();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
