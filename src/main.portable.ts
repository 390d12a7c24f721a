// Entry of the portable executable (npm run build:portable): the Node host in one file.

import { loadNative } from "./host/node.ts";
import { closeAssets, loadAsset } from "./host/node-embedded.ts";
import { commandLine, restoreOpenFilesLimit } from "./host/node-process.ts";
import { main } from "./main.ts";

/** Called once everything is loaded; ends the process. */
export function start(): never {
  const native = loadAsset("libberth.so", loadNative);
  closeAssets();
  restoreOpenFilesLimit(native);
  return process.exit(main(native, commandLine()));
}
