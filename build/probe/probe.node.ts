import { loadNative } from "../../src/host/node.ts";
import { commandLine, restoreOpenFilesLimit } from "../../src/host/node-process.ts";
import { probe } from "./probe.ts";

const native = loadNative(process.env.LIBBERTH ?? "");
restoreOpenFilesLimit(native);
process.exit(probe(native, commandLine()));
