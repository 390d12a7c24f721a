// Entry of the Node host: `node dist/node/berth.js ARGUMENTS`. process.stdin, stdout and stderr are never touched: Node
// would make shared pipes non-blocking.

import { join } from "node:path";
import { loadNative } from "./host/node.ts";
import { commandLine, restoreOpenFilesLimit } from "./host/node-process.ts";
import { main } from "./main.ts";

/** Called by dist/node/berth.js (build/node-host.ts) once everything is loaded; ends the process. */
export function start(): never {
  const native = loadNative(join(import.meta.dirname, "../libberth.so"));
  restoreOpenFilesLimit(native);
  return process.exit(main(native, commandLine()));
}
