// The Node host: the same TypeScript as plain CommonJS in dist/node, koffi left to node_modules.

import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { join } from "node:path";
import { bundle } from "./bundle.ts";
import { ROOT } from "./paths.ts";
import { digest, filesBelow, unlessMade } from "./stamp.ts";

const isExternal = (id: string): boolean => id === "koffi" || id.startsWith("node:") || builtinModules.includes(id);

/** Writes berth.js and its chunks to the folder. */
export async function buildNodeHost(folder: string, failpoints: boolean): Promise<void> {
  const inputs = [
    ...filesBelow(join(ROOT, "src"), (path) => path.endsWith(".ts") && !path.endsWith(".test.ts")),
    ...["build/bundle.ts", "build/node-host.ts", "package.json"].map((name) => join(ROOT, name)),
  ];
  await unlessMade([join(folder, "berth.js")], digest(inputs, String(failpoints)), async () => {
    const chunks = await bundle({ entry: "src/main.node.ts", failpoints, external: isExternal });
    mkdirSync(folder, { recursive: true });
    for (const name of readdirSync(folder)) rmSync(join(folder, name));
    writeFileSync(join(folder, "package.json"), '{ "type": "commonjs" }\n');
    for (const { name, code } of chunks) writeFileSync(join(folder, name), code);
  });
}
