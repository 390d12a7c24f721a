// JSON text to values. The engine's own JSON.parse does the work wherever it can be trusted; exact.ts does the rest, and
// writes every error message, so that both hosts say the same. Known difference: QuickJS takes `1.` for a number.

import { loaded } from "../lazy.ts";

/** Arrays and objects inside one another. */
export const MAX_DEPTH = 1000;

export interface ParsedJson {
  value: unknown;
  /** Some string may hold a NUL. */
  nul: boolean;
  /** Integers beyond 2^53 are bigint. false: they may have been rounded to a number that is not a safe integer. */
  exact: boolean;
}

/** What the text's escapes allow: the engine's parser at all, and strings to be taken as they are. */
interface Escapes {
  /** Not JSON, or an unpaired surrogate; the own parser says where. */
  bad: boolean;
  nul: boolean;
}

const NO_ESCAPES: Escapes = { bad: false, nul: false };

/** Most texts have none. split() finds a character several times faster than the engine's indexOf(). */
function escapesOf(text: string): Escapes {
  if (text.split("\\", 2).length === 1) return NO_ESCAPES;
  const { ESCAPES_BAD, ESCAPES_NUL, scanEscapes } = loaded(import("./escapes.ts"));
  const found = scanEscapes(text);
  return { bad: found === ESCAPES_BAD, nul: found === ESCAPES_NUL };
}

/**
 * Whether the text has so few brackets that it cannot nest too deeply. Counting them all is cheaper than following the
 * nesting, and hardly any text has more than MAX_DEPTH of them.
 */
function isShallow(text: string): boolean {
  const limit = MAX_DEPTH + 2;
  return text.split("[", limit).length + text.split("{", limit).length - 2 <= MAX_DEPTH;
}

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 0x30 && code <= 0x39;
}

/** Whether 16 or more digits stand in a row: such a run covers an index that 16 divides. */
function hasLongInteger(text: string): boolean {
  for (let i = 0; i < text.length; i += 16) {
    if (!isDigit(text, i)) continue;
    let start = i;
    while (isDigit(text, start - 1)) start--;
    let end = i + 1;
    while (isDigit(text, end)) end++;
    if (end - start >= 16) return true;
    i = end - (end % 16);
  }
  return false;
}

/**
 * Parses a text, quickly where possible: a caller that finds a number that is no safe integer, in a result that is not
 * `exact`, parses again with parseExact. Throws a RuntimeError that names line and column.
 */
export function parseQuick(text: string): ParsedJson {
  const { bad, nul } = escapesOf(text);
  if (!bad && isShallow(text)) {
    try {
      return { value: JSON.parse(text), nul, exact: false };
    } catch {
      // Also when the engine ran out of stack: the own parser has the last word.
    }
  }
  return { value: loaded(import("./exact.ts")).parseExact(text), nul, exact: true };
}

/**
 * Parses a text without loss: as JSON.parse, but integers beyond 2^53 are bigint, nesting ends at MAX_DEPTH, unpaired
 * surrogate escapes are refused. Throws a RuntimeError that names line and column.
 */
export function parseJson(text: string): unknown {
  return hasLongInteger(text) ? loaded(import("./exact.ts")).parseExact(text) : parseQuick(text).value;
}
