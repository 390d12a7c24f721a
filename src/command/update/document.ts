// --resources: a JSON object like linux.resources, from a file or standard input.

import { Context } from "../../config/context.ts";
import { decodeResources } from "../../config/resources.ts";
import { RuntimeError } from "../../errors/runtime-error.ts";
import { warn } from "../../errors/warning.ts";
import { must } from "../../host/must.ts";
import type { Native } from "../../host/native.gen.ts";
import { parseJson } from "../../json/parse.ts";
import type { UpdateRequest } from "./request.ts";

const AT_FDCWD = -100;
const O_RDONLY = 0;
const STDIN = 0;
const MAX_SIZE = 16 << 20;

/** `source` is a path, or `-`. Throws one RuntimeError for the first thing that is wrong. */
export function readDocument(native: Native, source: string): UpdateRequest {
  const name = source === "-" ? "standard input" : source;
  const document = parse(readText(native, source, name), name);
  if (document !== null && (typeof document !== "object" || Array.isArray(document))) {
    throw new RuntimeError({ message: `${name}: must be a JSON object` });
  }
  const c = new Context(true);
  const resources = decodeResources(c, document);
  for (const { kind, pointer, message } of c.issues) {
    if (kind !== "warning") throw new RuntimeError({ message: `${name}: ${message}`, pointer });
    warn(`${name}: ${pointer}: ${message}`);
  }
  return { resources, nameOf: (pointer) => pointer };
}

/** Also a FIFO or terminal, as runc does. */
function readText(native: Native, source: string, name: string): string {
  const facts = { path: name };
  const fd = source === "-" ? STDIN : must(native.open(AT_FDCWD, source, O_RDONLY, 0), { ...facts, operation: "open" });
  const text = must(native.read_all(fd, MAX_SIZE), { ...facts, operation: "read" }) as string;
  if (fd !== STDIN) native.close(fd);
  return text;
}

function parse(text: string, name: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    if (error instanceof RuntimeError) throw new RuntimeError({ ...error.facts, message: `${name}: ${error.message}` });
    throw error;
  }
}
