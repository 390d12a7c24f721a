// The Node host: the same TypeScript as plain CommonJS in dist/node, koffi left to node_modules.

import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { join } from "node:path";
import { bundle, bundleKey } from "./bundle.ts";
import { unlessMade } from "./stamp.ts";

const isExternal = (id: string): boolean => id === "koffi" || id.startsWith("node:") || builtinModules.includes(id);

/** Writes berth.js and its chunks to the folder. */
export async function buildNodeHost(folder: string, failpoints: boolean, entry = "src/main.node.ts"): Promise<void> {
  await unlessMade([join(folder, "berth.js")], bundleKey(entry, failpoints), async () => {
    const chunks = await bundle({ entry, failpoints, external: isExternal });
    mkdirSync(folder, { recursive: true });
    for (const name of readdirSync(folder)) rmSync(join(folder, name));
    writeFileSync(join(folder, "package.json"), '{ "type": "commonjs" }\n');
    writeFileSync(join(folder, "berth.js"), '"use strict";\nrequire("./main.js").start();\n');
    for (const { name, code } of chunks) writeFileSync(join(folder, name), code);
  });
}

/** Writes a module for programs of others, and its chunks, to the folder: `berth/seccomp`. */
export async function buildLibrary(folder: string, entry: string): Promise<void> {
  await unlessMade([join(folder, "main.js")], bundleKey(entry, false), async () => {
    const chunks = await bundle({ entry, failpoints: false, external: isExternal });
    mkdirSync(folder, { recursive: true });
    for (const name of readdirSync(folder)) rmSync(join(folder, name));
    writeFileSync(join(folder, "package.json"), '{ "type": "commonjs" }\n');
    for (const { name, code } of chunks) writeFileSync(join(folder, name), `"use strict";\n${code}`);
  });
}
