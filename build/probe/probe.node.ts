import { loadNative } from "../../src/host/node.ts";
import { commandLine, restoreOpenFilesLimit } from "../../src/host/node-process.ts";
import { probe } from "./probe.ts";

/** Called by dist/node/berth.js (build/node-host.ts) once everything is loaded; ends the process. */
export function start(): never {
  const native = loadNative(process.env.LIBBERTH ?? "");
  restoreOpenFilesLimit(native);
  return process.exit(probe(native, commandLine()));
}
