// Values of options, as Go's flag package reads them; what it says about bad ones is what runc's users see.

import { RuntimeError } from "../errors/runtime-error.ts";
import { loaded } from "../lazy.ts";
import type { OptionValue } from "./reading.ts";
import type { FlagKind } from "./table.ts";

const TRUE = ["1", "t", "T", "TRUE", "true", "True"];
const FALSE = ["0", "f", "F", "FALSE", "false", "False"];
/** Counts of descriptors and the like: nothing needs more. */
const LARGEST = 2147483647;

/** true, false, or undefined for a word that is neither. */
export function parseBool(text: string): boolean | undefined {
  if (TRUE.includes(text)) return true;
  return FALSE.includes(text) ? false : undefined;
}

/** A plain decimal number from 0 to 2147483647, or undefined. */
export function parseCount(text: string): number | undefined {
  if (text === "" || text.length > 10) return undefined;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c < 0x30 || c > 0x39) return undefined;
  }
  const value = Number(text);
  return value <= LARGEST ? value : undefined;
}

/** A plain decimal number of up to 15 digits, with a sign or without, or undefined. */
export function parseInteger(text: string): number | undefined {
  const digits = text.startsWith("-") || text.startsWith("+") ? text.slice(1) : text;
  if (digits === "" || digits.length > 15) return undefined;
  for (let i = 0; i < digits.length; i++) {
    const c = digits.charCodeAt(i);
    if (c < 0x30 || c > 0x39) return undefined;
  }
  return Number(text);
}

/** The values of a "strings" or "integers" flag, as one: no argument has a NUL. */
export function oneMore(earlier: OptionValue | undefined, text: string): string {
  return earlier === undefined ? text : `${earlier}\0${text}`;
}

/** A flag whose values are collected. */
export function isList(kind: FlagKind): boolean {
  return kind === "strings" || kind === "integers";
}

/** The value of an option; undefined when the text is not one. */
export function parseValue(kind: FlagKind, text: string): OptionValue | undefined {
  if (kind === "bool") return parseBool(text);
  if (kind === "integer") return parseInteger(text);
  if (kind === "integers") return parseInteger(text) === undefined ? undefined : text;
  if (kind === "duration")
    return loaded(import("../tables/duration.ts")).parseDuration(text) === undefined ? undefined : text;
  return kind === "int" ? parseCount(text) : text;
}

/** --rootless: "auto" or nothing, or what Go takes for a bool. */
export function parseRootless(text: string): boolean | "auto" {
  if (text === "" || text.toLowerCase() === "auto") return "auto";
  const value = parseBool(text);
  if (value === undefined)
    throw new RuntimeError({ message: `--rootless must be true, false or auto, got ${JSON.stringify(text)}` });
  return value;
}
