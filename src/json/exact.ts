// Our own JSON parser (RFC 8259): keeps integers that a double cannot hold (bigint) and says where a text is broken.
// It is the slow path; parse.ts asks the engine first. Iterative, so that no nesting reaches the engine's stack limit.

import { RuntimeError } from "../errors/runtime-error.ts";
import { escapeLength } from "./escapes.ts";
import { MAX_DEPTH } from "./parse.ts";

/** An integer of up to this many digits is exact as a number. */
const SAFE_DIGITS = 15;
/** No 64-bit value has more characters; longer integers are out of every range, a double will do. */
const BIG_DIGITS = 40;

type JsonObject = Record<string, unknown>;

class Parser {
  readonly text: string;
  at = 0;
  /** Where the next backslash is, the end of the text when there is none; found once, not once a string. */
  private backslash = -1;

  constructor(text: string) {
    this.text = text;
  }

  fail(message: string, at = this.at): never {
    let line = 1;
    let start = 0;
    for (let end = this.text.indexOf("\n"); end >= 0 && end < at; end = this.text.indexOf("\n", start)) {
      line++;
      start = end + 1;
    }
    throw new RuntimeError({ message: `invalid JSON: line ${line}, column ${at - start + 1}: ${message}` });
  }

  unexpected(expected: string): never {
    if (this.at >= this.text.length) this.fail(`expected ${expected}, found the end of the text`);
    const code = this.text.codePointAt(this.at) as number;
    this.fail(`expected ${expected}, found ${JSON.stringify(String.fromCodePoint(code))}`);
  }

  /** Index of a character from `from` on, or the length of the text. */
  find(character: string, from: number): number {
    const found = this.text.indexOf(character, from);
    return found < 0 ? this.text.length : found;
  }

  /** Skips blanks; the code of the character after them, NaN at the end. */
  next(): number {
    let code = this.text.charCodeAt(this.at);
    while (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09) code = this.text.charCodeAt(++this.at);
    return code;
  }

  /** A member name and its colon. */
  key(expected: string): string {
    if (this.next() !== 0x22) this.unexpected(expected);
    const key = this.string();
    if (this.next() !== 0x3a) this.unexpected('":"');
    this.at++;
    return key;
  }

  string(): string {
    const { text } = this;
    const start = this.at;
    if (this.backslash <= start) this.backslash = this.find("\\", start);
    let end = this.find('"', start + 1);
    while (this.backslash < end) {
      const length = escapeLength(text, this.backslash);
      if (length === 0) this.fail("not a valid escape, or an unpaired surrogate", this.backslash);
      const after = this.backslash + length;
      if (end < after) end = this.find('"', after);
      this.backslash = this.find("\\", after);
    }
    if (end === text.length) this.fail("this string does not end", start);
    this.at = end + 1;
    try {
      return JSON.parse(text.slice(start, end + 1)) as string;
    } catch {
      for (let i = start; i < end; i++) {
        if (text.charCodeAt(i) < 0x20) this.fail("a control character in a string must be escaped", i);
      }
      throw this.fail("not a valid string", start);
    }
  }

  /** Steps over decimal digits, at least one. */
  digits(): void {
    const start = this.at;
    let code = this.text.charCodeAt(this.at);
    while (code >= 0x30 && code <= 0x39) code = this.text.charCodeAt(++this.at);
    if (this.at === start) this.unexpected("a digit");
  }

  number(): number | bigint {
    const { text } = this;
    const start = this.at;
    if (text.charCodeAt(start) === 0x2d) this.at++;
    if (text.charCodeAt(this.at) === 0x30) this.at++;
    else this.digits();
    let integer = true;
    if (text.charCodeAt(this.at) === 0x2e) {
      integer = false;
      this.at++;
      this.digits();
    }
    if ((text.charCodeAt(this.at) | 32) === 0x65) {
      integer = false;
      const sign = text.charCodeAt(++this.at);
      if (sign === 0x2b || sign === 0x2d) this.at++;
      this.digits();
    }
    const literal = text.slice(start, this.at);
    const value = Number(literal);
    if (!integer || literal.length <= SAFE_DIGITS || literal.length > BIG_DIGITS || Number.isSafeInteger(value))
      return value;
    return BigInt(literal);
  }

  word(word: string, value: boolean | null): boolean | null {
    if (!this.text.startsWith(word, this.at)) this.unexpected("a value");
    this.at += word.length;
    return value;
  }

  scalar(code: number): unknown {
    if (code === 0x22) return this.string();
    if (code === 0x2d || (code >= 0x30 && code <= 0x39)) return this.number();
    if (code === 0x74) return this.word("true", true);
    if (code === 0x66) return this.word("false", false);
    if (code === 0x6e) return this.word("null", null);
    return this.unexpected("a value");
  }
}

/** An own property, whatever its name; a later one of the same name replaces an earlier one. */
function addMember(object: JsonObject, key: string, value: unknown): void {
  if (key === "__proto__") {
    Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
  } else {
    object[key] = value;
  }
}

/**
 * Parses a JSON text as JSON.parse does, except that integers beyond 2^53 are bigint. Throws a RuntimeError with line
 * and column (in characters, from 1), also for nesting beyond MAX_DEPTH and for escapes of unpaired surrogates.
 */
export function parseExact(text: string): unknown {
  const parser = new Parser(text);
  // The container that is being filled (undefined: none), the key its next value gets, and those around it.
  let container: JsonObject | unknown[] | undefined;
  let key = "";
  const outer: (JsonObject | unknown[])[] = [];
  const outerKeys: string[] = [];
  for (;;) {
    const code = parser.next();
    let value: unknown;
    if (code === 0x7b || code === 0x5b) {
      if (outer.length + (container === undefined ? 0 : 1) >= MAX_DEPTH)
        parser.fail(`nesting deeper than ${MAX_DEPTH}`);
      parser.at++;
      if (container !== undefined) {
        outer.push(container);
        outerKeys.push(key);
      }
      container = code === 0x7b ? {} : [];
      const first = parser.next();
      if (first !== (code === 0x7b ? 0x7d : 0x5d)) {
        if (code === 0x7b) key = parser.key('a member name or "}"');
        continue;
      }
      parser.at++;
      value = container;
      container = outer.pop();
      key = outerKeys.pop() ?? "";
    } else {
      value = parser.scalar(code);
    }
    // A value is complete: put it in place, close what ends here.
    for (;;) {
      if (container === undefined) {
        parser.next();
        if (parser.at < text.length) parser.unexpected("the end of the text");
        return value;
      }
      const list: boolean = Array.isArray(container);
      if (Array.isArray(container)) container.push(value);
      else addMember(container, key, value);
      const after = parser.next();
      if (after === 0x2c) {
        parser.at++;
        if (!list) key = parser.key("a member name");
        break;
      }
      if (after !== (list ? 0x5d : 0x7d)) parser.unexpected(list ? '"," or "]"' : '"," or "}"');
      parser.at++;
      value = container;
      container = outer.pop();
      key = outerKeys.pop() ?? "";
    }
  }
}
