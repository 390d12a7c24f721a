// What the decoders share: the place in the document, the issues, and one reader for each kind of value. Nothing is built
// for a value that is right; pointers and sentences are made when an issue is reported.
//
// A reader gets the value, and the member name or index it was found at, below the place that `enter` has set. An
// absent member and `null` are the same, as in Go's decoder: undefined, or the zero value where a field has one.

import { pointer } from "../json/pointer.ts";
import type { Issue } from "./types.ts";

/** More issues than this help nobody, and a hostile file must not make millions. */
export const MAX_ISSUES = 100;

export type Key = string | number;
export type JsonObject = Readonly<Record<string, unknown>>;

export class Context {
  readonly issues: Issue[] = [];
  /** The place in the document: the first `depth` are members and indexes from the root down. */
  readonly place: Key[] = [];
  depth = 0;
  /** Whether strings may hold a NUL; without one in the text no string is looked at. */
  readonly nul: boolean;
  /** A number was met that JSON.parse may have rounded: the result holds only if the parser was exact. */
  rounded = false;

  constructor(nul: boolean) {
    this.nul = nul;
  }
}

const SHOWN = 60;

/** A received value for a message, short. */
export function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > SHOWN ? `${value.slice(0, SHOWN)}…` : value);
  if (typeof value !== "object" || value === null) return String(value);
  return Array.isArray(value) ? "an array" : "an object";
}

/** Reports an issue at a member of the current place, or at the place itself when `key` is undefined. */
export function report(c: Context, kind: Issue["kind"], key: Key | undefined, message: string): void {
  if (c.issues.length >= MAX_ISSUES) return;
  const place = c.place.slice(0, c.depth);
  if (key !== undefined) place.push(key);
  c.issues.push({ pointer: pointer(place), kind, message });
}

/** Reports a value that is not what it must be: `must be an absolute path, got "proc"`. */
export function wrong(c: Context, key: Key | undefined, expected: string, value: unknown): void {
  if (typeof value === "number" && !Number.isSafeInteger(value)) c.rounded = true;
  report(c, "invalid", key, `must be ${expected}, got ${show(value)}`);
}

/** Reports a required member that is not there. */
export function missing(c: Context, key: Key): void {
  report(c, "invalid", key, "is required");
}

/** Goes down to a member or an element; every enter has its leave. */
export function enter(c: Context, key: Key): void {
  c.place[c.depth++] = key;
}

export function leave(c: Context): void {
  c.depth--;
}

export function readObject(c: Context, value: unknown, key?: Key): JsonObject | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "object" && !Array.isArray(value)) return value as JsonObject;
  wrong(c, key, "an object", value);
  return undefined;
}

/** An element of an array of objects, at the current place. */
export function readElement(c: Context, value: unknown): JsonObject | undefined {
  if (value === null) wrong(c, undefined, "an object", null);
  return readObject(c, value);
}

const NOTHING: readonly unknown[] = [];

/** The elements of an array; none for an absent one. */
export function readList(c: Context, value: unknown, key: Key): readonly unknown[] {
  if (value === undefined || value === null) return NOTHING;
  if (Array.isArray(value)) return value;
  wrong(c, key, "an array", value);
  return NOTHING;
}

/**
 * The elements of an array of objects, decoded at their places; those that `decode` gives up are left out. `before` is what
 * has been decoded so far.
 */
export function readEach<T>(
  c: Context,
  value: unknown,
  key: Key,
  decode: (c: Context, element: unknown, before: readonly T[]) => T | undefined,
): T[] {
  const list = readList(c, value, key);
  const decoded: T[] = [];
  enter(c, key);
  for (let i = 0; i < list.length; i++) {
    enter(c, i);
    const element = decode(c, list[i], decoded);
    if (element !== undefined) decoded.push(element);
    leave(c);
  }
  leave(c);
  return decoded;
}

/** A string without NUL: it becomes a C string sooner or later. */
export function readText(c: Context, value: unknown, key: Key): string | undefined {
  if (typeof value === "string") {
    if (!c.nul || !value.includes("\0")) return value;
    wrong(c, key, "free of NUL characters", value);
  } else if (value !== undefined && value !== null) {
    wrong(c, key, "a string", value);
  }
  return undefined;
}

/** A string of which "" is the same as none, as in Go's `omitempty`. */
export function readWord(c: Context, value: unknown, key: Key): string | undefined {
  return readText(c, value, key) || undefined;
}

/** An array of strings; a wrong element becomes "" and is reported. */
export function readTexts(c: Context, value: unknown, key: Key): string[] {
  const list = readList(c, value, key);
  const texts: string[] = [];
  for (let i = 0; i < list.length; i++) {
    const item = list[i];
    if (typeof item === "string" && !c.nul) {
      texts[i] = item;
      continue;
    }
    enter(c, key);
    if (item === null) wrong(c, i, "a string", item);
    texts[i] = readText(c, item, i) ?? "";
    leave(c);
  }
  return texts;
}

/** `true` or `false`; an absent one is false. */
export function readFlag(c: Context, value: unknown, key: Key): boolean {
  if (value === true) return true;
  if (value !== false && value !== undefined && value !== null) wrong(c, key, "true or false", value);
  return false;
}

/** An integer of a range within 2^53. */
export function readInteger(c: Context, value: unknown, key: Key, min: number, max: number): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "number" && value >= min && value <= max && Number.isInteger(value)) return value;
  wrong(c, key, `an integer from ${min} to ${max}`, value);
  return undefined;
}

export const UINT64_MAX = 0xffffffffffffffffn;
export const INT64_MAX = 0x7fffffffffffffffn;
export const INT64_MIN = -0x8000000000000000n;

/** A 64-bit integer. */
export function readBig(c: Context, value: unknown, key: Key, min: bigint, max: bigint): bigint | undefined {
  if (value === undefined || value === null) return undefined;
  let big: bigint | undefined;
  if (typeof value === "bigint") {
    big = value;
  } else if (typeof value === "number" && Number.isInteger(value)) {
    if (!Number.isSafeInteger(value)) c.rounded = true;
    big = BigInt(value);
  }
  if (big !== undefined && big >= min && big <= max) return big;
  wrong(c, key, `an integer from ${min} to ${max}`, value);
  return undefined;
}

/** A user or group id: 2^32 - 1 is "none" in the kernel's interface. */
export function readId(c: Context, value: unknown, key: Key): number | undefined {
  return readInteger(c, value, key, 0, 0xfffffffe);
}

/** Reports a string that is not an absolute path; the path itself. */
export function readPath(c: Context, value: unknown, key: Key): string | undefined {
  const path = readText(c, value, key);
  if (path === undefined || path.startsWith("/")) return path;
  wrong(c, key, "an absolute path", path);
  return undefined;
}

/** An array of absolute paths. */
export function readPaths(c: Context, value: unknown, key: Key): string[] {
  const paths = readTexts(c, value, key);
  for (let i = 0; i < paths.length; i++) {
    const path = paths[i] as string;
    if (path.startsWith("/")) continue;
    enter(c, key);
    if (typeof (value as readonly unknown[])[i] === "string") wrong(c, i, "an absolute path", path);
    leave(c);
  }
  return paths;
}

/** A string map, its keys sorted by code unit; empty keys are refused. */
export function readMap(c: Context, value: unknown, key: Key): Map<string, string> {
  const map = new Map<string, string>();
  const object = readObject(c, value, key);
  if (object === undefined) return map;
  enter(c, key);
  const keys = Object.keys(object).sort();
  for (let i = 0; i < keys.length; i++) {
    const name = keys[i] as string;
    if (name === "") report(c, "invalid", name, "must not be the empty key");
    if (c.nul && name.includes("\0")) report(c, "invalid", name, "must be a key free of NUL characters");
    const text = readText(c, object[name], name);
    if (text !== undefined) map.set(name, text);
    else if (object[name] === null) wrong(c, name, "a string", null);
  }
  leave(c);
  return map;
}

/** One word of a list of words: `must be "a" or "b"`. */
export function oneOf(words: readonly string[]): string {
  return words.map((word) => `"${word}"`).join(", ");
}
