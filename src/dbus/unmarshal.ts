// Bytes to values. The bytes are somebody else's: every length is checked against what is there before it is used.

import { paddingAt } from "../bytes/bytes.ts";
import { malformed } from "./malformed.ts";
import { isObjectPath } from "./marshal.ts";
import { alignmentOf, endOfType, isSingleType, typesOf } from "./signature.ts";
import { decodeUtf8 } from "./utf8.ts";
import type { Value } from "./value.ts";

const MAX_ARRAY = 1 << 26;
/** Of all containers, variants included (the specification allows 64 altogether). */
const MAX_DEPTH = 64;

export class Unmarshaller {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #little: boolean;
  #at: number;
  #end: number;

  /** Reads bytes[at] and on; alignment counts from bytes[0]. */
  constructor(bytes: Uint8Array, little: boolean, at = 0) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#little = little;
    this.#at = at;
    this.#end = bytes.length;
  }

  /** Where the next value is looked for. */
  get position(): number {
    return this.#at;
  }

  /** One value for each complete type of the signature. Throws RuntimeError. */
  read(signature: string): Value[] {
    return typesOf(signature).map((type) => this.#value(type, 0));
  }

  /** Skips padding, which must be zero. */
  align(alignment: number): void {
    const next = this.#at + paddingAt(this.#at, alignment);
    if (next > this.#end) throw truncated();
    while (this.#at < next) if (this.#bytes[this.#at++] !== 0) throw malformed("padding is not zero");
  }

  #value(type: string, depth: number): Value {
    if (depth > MAX_DEPTH) throw malformed("values are nested too deeply");
    const code = type[0] as string;
    this.align(alignmentOf(code));
    switch (code) {
      case "a":
        return this.#array(type.slice(1), depth);
      case "(":
      case "{":
        return this.#members(type.slice(1, -1), depth);
      case "v": {
        const signature = this.#text("g");
        if (!isSingleType(signature)) throw malformed("a variant is not of one type");
        return { signature, value: this.#value(signature, depth + 1) };
      }
      case "s":
      case "o":
      case "g":
        return this.#text(code);
      default:
        return this.#number(code);
    }
  }

  #number(code: string): Value {
    const view = this.#view;
    switch (code) {
      case "y":
        return view.getUint8(this.#take(1));
      case "b": {
        const value = this.#uint32();
        if (value > 1) throw malformed("a boolean is neither 0 nor 1");
        return value === 1;
      }
      case "n":
        return view.getInt16(this.#take(2), this.#little);
      case "q":
        return view.getUint16(this.#take(2), this.#little);
      case "i":
        return view.getInt32(this.#take(4), this.#little);
      case "u":
        return this.#uint32();
      case "x":
        return view.getBigInt64(this.#take(8), this.#little);
      case "t":
        return view.getBigUint64(this.#take(8), this.#little);
      default:
        return view.getFloat64(this.#take(8), this.#little);
    }
  }

  #text(code: string): string {
    const length = code === "g" ? this.#view.getUint8(this.#take(1)) : this.#uint32();
    const start = this.#take(length + 1);
    const bytes = this.#bytes.subarray(start, start + length);
    if (this.#bytes[start + length] !== 0 || bytes.includes(0)) throw malformed("a string does not end in one NUL");
    const text = decodeUtf8(bytes);
    if (code === "g") typesOf(text);
    if (code === "o" && !isObjectPath(text)) throw malformed("an object path is none");
    return text;
  }

  #array(element: string, depth: number): Value[] {
    const size = this.#uint32();
    this.align(alignmentOf(element[0] as string));
    if (size > MAX_ARRAY || size > this.#end - this.#at) throw truncated();
    const outer = this.#end;
    this.#end = this.#at + size;
    const items: Value[] = [];
    while (this.#at < this.#end) items.push(this.#value(element, depth + 1));
    this.#end = outer;
    return items;
  }

  #members(types: string, depth: number): Value[] {
    const members: Value[] = [];
    for (let at = 0; at < types.length; ) {
      const end = endOfType(types, at);
      members.push(this.#value(types.slice(at, end), depth + 1));
      at = end;
    }
    return members;
  }

  #uint32(): number {
    return this.#view.getUint32(this.#take(4), this.#little);
  }

  /** Takes that many bytes; where they begin. */
  #take(size: number): number {
    const at = this.#at;
    if (size > this.#end - at) throw truncated();
    this.#at = at + size;
    return at;
  }
}

function truncated(): Error {
  return malformed("a length is beyond the end");
}
