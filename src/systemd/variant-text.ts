// Reads a value in the GVariant text format (GLib, "GVariant Text Format Strings"), in which annotations give unit
// properties: `uint64 5`, `'yes'`, `[('/dev/null', 'rw')]`, `@as []`. Maybe types, which D-Bus has not, are none.

import { isSingleType } from "../dbus/signature.ts";
import type { Variant } from "../dbus/value.ts";
import { type Node, typedValue } from "./variant-type.ts";

const KEYWORDS: ReadonlyMap<string, string> = new Map([
  ["boolean", "b"],
  ["byte", "y"],
  ["int16", "n"],
  ["uint16", "q"],
  ["int32", "i"],
  ["uint32", "u"],
  ["int64", "x"],
  ["uint64", "t"],
  ["double", "d"],
  ["string", "s"],
  ["objectpath", "o"],
  ["signature", "g"],
]);
const MAX_DEPTH = 32;

/** Throws SyntaxError with a clause that says what is wrong. */
export function parseVariant(text: string): Variant {
  const reader = new Reader(text);
  const node = reader.value(0);
  reader.end();
  return typedValue(node);
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  end(): void {
    if (this.#peek() !== "") throw this.#unexpected();
  }

  value(depth: number): Node {
    if (depth > MAX_DEPTH) throw new SyntaxError("is nested too deeply");
    const c = this.#peek();
    if (c === "[") return { kind: "array", items: this.#list("[", "]", depth) };
    if (c === "(") return { kind: "tuple", items: this.#list("(", ")", depth) };
    if (c === "{") return this.#dictionary(depth);
    if (c === "<") {
      this.#at++;
      const inner = this.value(depth + 1);
      this.#expect(">");
      return { kind: "variant", inner };
    }
    if (c === "'" || c === '"') return { kind: "string", text: this.#quoted() };
    if (c === "@") return this.#typed(depth);
    const next = this.#text[this.#at + 1];
    if (c === "b" && (next === "'" || next === '"')) {
      this.#at++;
      return { kind: "bytes", text: this.#quoted() };
    }
    return this.#word(depth);
  }

  /** A keyword or a number. */
  #word(depth: number): Node {
    const start = this.#at;
    while (this.#at < this.#text.length && !" \t\n\r,:[](){}<>'\"".includes(this.#text[this.#at] as string)) this.#at++;
    const word = this.#text.slice(start, this.#at);
    if (word === "true" || word === "false") return { kind: "boolean", value: word === "true" };
    const type = KEYWORDS.get(word);
    if (type !== undefined) return { kind: "typed", type, inner: this.value(depth + 1) };
    this.#at = start;
    if (word === "" || !"+-.0123456789".includes(word[0] as string)) throw this.#unexpected();
    this.#at += word.length;
    return { kind: "number", text: word };
  }

  #typed(depth: number): Node {
    const start = ++this.#at;
    while (this.#at < this.#text.length && !" \t\n\r".includes(this.#text[this.#at] as string)) this.#at++;
    const type = this.#text.slice(start, this.#at);
    if (!isSingleType(type)) throw new SyntaxError(`has ${JSON.stringify(`@${type}`)}, which is no type`);
    return { kind: "typed", type, inner: this.value(depth + 1) };
  }

  /** A tuple of one has a comma at its end, and any list may. */
  #list(open: string, close: string, depth: number): Node[] {
    this.#expect(open);
    const items: Node[] = [];
    while (this.#peek() !== close) {
      items.push(this.value(depth + 1));
      if (this.#peek() !== ",") break;
      this.#at++;
    }
    this.#expect(close);
    return items;
  }

  #dictionary(depth: number): Node {
    this.#expect("{");
    const entries: [Node, Node][] = [];
    while (this.#peek() !== "}") {
      const key = this.value(depth + 1);
      this.#expect(":");
      entries.push([key, this.value(depth + 1)]);
      if (this.#peek() !== ",") break;
      this.#at++;
    }
    this.#expect("}");
    return { kind: "dictionary", entries };
  }

  #quoted(): string {
    const quote = this.#text[this.#at++];
    let out = "";
    for (;;) {
      const c = this.#text[this.#at++];
      if (c === undefined) throw new SyntaxError("has a string without an end");
      if (c === quote) return out;
      out += c === "\\" ? this.#escape() : c;
    }
  }

  #escape(): string {
    const c = this.#text[this.#at++];
    if (c === undefined) throw new SyntaxError("has a string without an end");
    if (c === "u") return this.#codePoint(4);
    if (c === "U") return this.#codePoint(8);
    if (c === "\n") return "";
    const at = "abfnrtv".indexOf(c);
    return at < 0 ? c : ("\u0007\b\f\n\r\t\v"[at] as string);
  }

  #codePoint(digits: number): string {
    const hex = this.#text.slice(this.#at, this.#at + digits);
    let code = hex.length === digits ? 0 : -1;
    for (const digit of hex) {
      const value = "0123456789abcdef".indexOf(digit.toLowerCase());
      code = code < 0 || value < 0 ? -1 : code * 16 + value;
    }
    if (code < 1 || code > 0x10ffff) throw new SyntaxError("has an escape that is no character");
    this.#at += digits;
    return String.fromCodePoint(code);
  }

  /** The next character that is no white space; empty at the end. */
  #peek(): string {
    while (this.#at < this.#text.length && " \t\n\r".includes(this.#text[this.#at] as string)) this.#at++;
    return this.#text[this.#at] ?? "";
  }

  #expect(c: string): void {
    if (this.#peek() !== c) throw this.#unexpected();
    this.#at++;
  }

  #unexpected(): SyntaxError {
    const c = this.#text[this.#at];
    return new SyntaxError(
      c === undefined ? "ends too early" : `has ${JSON.stringify(c)} at character ${this.#at + 1}`,
    );
  }
}
