// Values to bytes (D-Bus specification, "Message Marshaling"), little endian.

import { paddingAt } from "../bytes/bytes.ts";
import { malformed } from "./malformed.ts";
import { alignmentOf, endOfType, isSingleType, typesOf } from "./signature.ts";
import { encodeUtf8 } from "./utf8.ts";
import { isVariant, type Value } from "./value.ts";

/** The specification's limit for one array. */
const MAX_ARRAY = 1 << 26;

export class Marshaller {
  #bytes = new Uint8Array(512);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  /** Everything so far. */
  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Appends values, one for each complete type. Throws RuntimeError for a value that is not of its type. */
  append(signature: string, values: readonly Value[]): void {
    const types = typesOf(signature);
    if (types.length !== values.length) throw malformed(`${values.length} values for ${JSON.stringify(signature)}`);
    for (let i = 0; i < types.length; i++) this.#value(types[i] as string, values[i] as Value);
  }

  /** Zero bytes up to a multiple of `alignment`. */
  align(alignment: number): void {
    const padding = paddingAt(this.#length, alignment);
    this.#room(padding);
    this.#length += padding;
  }

  #value(type: string, value: Value): void {
    const code = type[0] as string;
    this.align(alignmentOf(code));
    if (code === "a") this.#array(type.slice(1), value);
    else if (code === "(" || code === "{") this.#members(type.slice(1, -1), value);
    else if (code === "v") this.#variant(value);
    else if (code === "s" || code === "o" || code === "g") this.#string(code, value);
    else this.#number(code, value);
  }

  #variant(value: Value): void {
    if (!isVariant(value) || !isSingleType(value.signature)) throw wrong("v", value);
    this.#string("g", value.signature);
    this.#value(value.signature, value.value);
  }

  #number(code: string, value: Value): void {
    const at = this.#length;
    const integer = (least: number, most: number): number => {
      if (typeof value !== "number" || !Number.isInteger(value) || value < least || value > most)
        throw wrong(code, value);
      return value;
    };
    const long = (least: bigint, most: bigint): bigint => {
      if (typeof value !== "bigint" || value < least || value > most) throw wrong(code, value);
      return value;
    };
    this.#room(8);
    const view = this.#view;
    switch (code) {
      case "y":
        view.setUint8(at, integer(0, 0xff));
        this.#length += 1;
        return;
      case "b":
        if (typeof value !== "boolean") throw wrong(code, value);
        view.setUint32(at, value ? 1 : 0, true);
        this.#length += 4;
        return;
      case "n":
        view.setInt16(at, integer(-0x8000, 0x7fff), true);
        this.#length += 2;
        return;
      case "q":
        view.setUint16(at, integer(0, 0xffff), true);
        this.#length += 2;
        return;
      case "i":
        view.setInt32(at, integer(-0x80000000, 0x7fffffff), true);
        this.#length += 4;
        return;
      case "u":
        view.setUint32(at, integer(0, 0xffffffff), true);
        this.#length += 4;
        return;
      case "x":
        view.setBigInt64(at, long(-(1n << 63n), (1n << 63n) - 1n), true);
        break;
      case "t":
        view.setBigUint64(at, long(0n, (1n << 64n) - 1n), true);
        break;
      case "d":
        if (typeof value !== "number") throw wrong(code, value);
        view.setFloat64(at, value, true);
        break;
    }
    this.#length += 8;
  }

  #string(code: string, text: Value): void {
    if (typeof text !== "string") throw wrong(code, text);
    if (text.includes("\0")) throw malformed(`${JSON.stringify(text)} has a NUL`);
    if (code === "g") typesOf(text);
    if (code === "o" && !isObjectPath(text)) throw malformed(`${JSON.stringify(text)} is not an object path`);
    const bytes = encodeUtf8(text);
    this.#room(bytes.length + 5);
    if (code === "g") {
      this.#bytes[this.#length++] = bytes.length;
    } else {
      this.#view.setUint32(this.#length, bytes.length, true);
      this.#length += 4;
    }
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length + 1;
  }

  #array(element: string, value: Value): void {
    if (!Array.isArray(value)) throw wrong(`a${element}`, value);
    this.#room(4);
    const at = this.#length;
    this.#length += 4;
    this.align(alignmentOf(element[0] as string));
    const start = this.#length;
    for (const item of value as readonly Value[]) this.#value(element, item);
    const size = this.#length - start;
    if (size > MAX_ARRAY) throw malformed("an array is longer than 64 MiB");
    this.#view.setUint32(at, size, true);
  }

  #members(types: string, value: Value): void {
    if (!Array.isArray(value)) throw wrong(`(${types})`, value);
    let index = 0;
    for (let at = 0; at < types.length; index++) {
      const end = endOfType(types, at);
      if (index >= value.length) throw wrong(`(${types})`, value);
      this.#value(types.slice(at, end), (value as readonly Value[])[index] as Value);
      at = end;
    }
    if (index !== value.length) throw wrong(`(${types})`, value);
  }

  /** Bytes that are not written yet are zero. */
  #room(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const bytes = new Uint8Array(2 * (this.#length + more));
    bytes.set(this.#bytes);
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }
}

/** `/`, or components of letters, digits and `_`, each after a slash. */
export function isObjectPath(path: string): boolean {
  if (path === "/") return true;
  if (!path.startsWith("/") || path.endsWith("/") || path.includes("//")) return false;
  for (const c of path.slice(1)) {
    if (!((c >= "a" && c <= "z") || (c >= "A" && c <= "Z") || (c >= "0" && c <= "9") || c === "_" || c === "/"))
      return false;
  }
  return true;
}

function wrong(type: string, value: Value): Error {
  const text = typeof value === "object" ? "such a value" : String(value);
  return malformed(`${text} is not of type ${JSON.stringify(type)}`);
}
