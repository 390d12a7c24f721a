// The text of config.json becomes a Config, or everything that is wrong with it.

import { RuntimeError } from "../errors/runtime-error.ts";
import { type ParsedJson, parseQuick } from "../json/parse.ts";
import { loaded } from "../lazy.ts";
import { Context, readObject } from "./context.ts";
import { decodeWith } from "./decode.ts";
import { decodeNamespaces } from "./namespaces.ts";
import type { Config, Issue, Namespace } from "./types.ts";
import { checkConfig } from "./validate.ts";

export interface Loaded {
  /** There when nothing but warnings was found. */
  config?: Config;
  /** At most 100, in the order of the document. */
  issues: Issue[];
}

/** One issue, which names line and column, for a text that is not JSON. */
export function parseConfig(text: string): ParsedJson | Issue {
  try {
    return parseQuick(text);
  } catch (error) {
    if (error instanceof RuntimeError) return { pointer: "", kind: "invalid", message: error.message };
    throw error;
  }
}

interface Decoded {
  document: unknown;
  c: Context;
  config: Config | undefined;
}

function decodeText(text: string, parsed = parseConfig(text)): Decoded | Issue {
  if ("kind" in parsed) return parsed;
  let document = parsed.value;
  let c = new Context(parsed.nul);
  let config = decodeWith(c, document);
  if (c.rounded && !parsed.exact) {
    document = loaded(import("../json/exact.ts")).parseExact(text);
    c = new Context(parsed.nul);
    config = decodeWith(c, document);
  }
  return { document, c, config };
}

/**
 * Parses, decodes and checks the text of a config.json. Never throws for what the text holds. `parsed`: what parseConfig
 * has made of it already.
 */
export function loadConfig(text: string, parsed?: ParsedJson | Issue): Loaded {
  const decoded = decodeText(text, parsed);
  if ("kind" in decoded) return { issues: [decoded] };
  const { document, c, config } = decoded;
  const found = config === undefined ? [] : checkConfig(config, c.issues);
  if (config !== undefined && c.issues.length === 0 && found.length === 0) return { config, issues: c.issues };
  const { inDocumentOrder } = loaded(import("./order.ts"));
  const issues = inDocumentOrder(document, [...c.issues, ...found]);
  const failed = config === undefined || issues.some((issue) => issue.kind !== "warning");
  return failed || config === undefined ? { issues } : { config, issues };
}

/** linux.namespaces as loadConfig will find it; undefined where it will find something wrong with it. */
export function peekNamespaces(parsed: ParsedJson | Issue): readonly Namespace[] | undefined {
  if ("kind" in parsed) return undefined;
  const c = new Context(parsed.nul);
  const linux = readObject(c, readObject(c, parsed.value)?.linux);
  const namespaces = decodeNamespaces(c, linux?.namespaces);
  return c.issues.length === 0 ? namespaces : undefined;
}

/** A text that loadConfig has found good before; undefined when it is not the same any more. */
export function reloadConfig(text: string): Config | undefined {
  const decoded = decodeText(text);
  return "kind" in decoded || decoded.c.issues.some(({ kind }) => kind !== "warning") ? undefined : decoded.config;
}
