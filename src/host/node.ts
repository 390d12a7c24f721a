// The koffi binding: libberth under Node. Signatures are derived from the ABI table when the library is loaded.

import { Buffer } from "node:buffer";
import koffi from "koffi";
import { type ArgType, NATIVE, type NativeFunction, type ResultType } from "./abi.ts";
import type { Native } from "./native.gen.ts";
import { decodeText, encodeText } from "./node-text.ts";

const EINVAL = 22;

/** C parameters of one argument; the same as in dist/gen/native.h. */
const PARAMETERS: Record<ArgType, readonly string[]> = {
  int: ["int64_t"],
  path: ["const void *"],
  text: ["const void *", "size_t"],
  texts: ["const void *", "size_t"],
  words: ["const void *", "size_t"],
};

type Call = (...args: unknown[]) => unknown;

type Convert = (value: never) => unknown[];

const terminated = (bytes: Buffer): Buffer => Buffer.concat([bytes, Buffer.of(0)]);

/** Throws REFUSED for what must not reach C. */
const withoutNul = (text: string): Buffer => {
  const bytes = encodeText(text);
  if (bytes.includes(0)) throw REFUSED;
  return terminated(bytes);
};

const REFUSED = new RangeError("a NUL in a string that becomes a C string");

const CONVERT: Record<ArgType, Convert> = {
  int: (value: number) => [value],
  path: (value: string) => [withoutNul(value)],
  text: (value: string) => {
    const bytes = encodeText(value);
    return [terminated(bytes), bytes.length];
  },
  texts: (values: readonly string[]) => {
    const strings = values.map(withoutNul);
    return [pointers(strings), strings.length];
  },
  words: (value: Uint32Array) => [value.length === 0 ? null : value, value.length],
};

/** An array of pointers to the strings, ending in NULL, in one block together with them. */
function pointers(strings: readonly Buffer[]): Buffer {
  const table = (strings.length + 1) * 8;
  const block = Buffer.alloc(table + strings.reduce((sum, { length }) => sum + length, 0));
  const start = koffi.address(block);
  let at = table;
  for (const [i, string] of strings.entries()) {
    block.writeBigUInt64LE(start + BigInt(at), i * 8);
    at += string.copy(block, at);
  }
  return block;
}

/**
 * The native functions of the libberth at the given path.
 *
 * @throws Error when it cannot be loaded or lacks a function.
 */
export function loadNative(path: string): Native {
  const library = koffi.load(path);
  const data = library.func("berth_result_data", "void *", []);
  const size = library.func("berth_result_size", "size_t", []);
  const result = (): Buffer => {
    const length = Number(size());
    return length === 0 ? Buffer.alloc(0) : Buffer.from(new Uint8Array(koffi.view(data(), length)));
  };
  const take: Record<ResultType, (returned: number) => unknown> = {
    int: (returned) => returned,
    ints: () => integers(result()),
    text: () => decodeText(result()),
  };
  const bind = ([name, fn]: [string, NativeFunction]): [string, unknown] => {
    const types = Object.values(fn.args).flatMap((type) => PARAMETERS[type]);
    return [name, bound(library.func(`berth_${name}`, "int64_t", types), fn, take[fn.result])];
  };
  return Object.fromEntries(Object.entries(NATIVE).map(bind)) as unknown as Native;
}

function bound(call: Call, fn: NativeFunction, take: (returned: number) => unknown): unknown {
  const converters = Object.values(fn.args).map((type) => CONVERT[type]);
  return (...values: never[]): unknown => {
    let converted: unknown[];
    try {
      converted = converters.flatMap((convert, i) => convert(values[i] as never));
    } catch (error) {
      if (error === REFUSED) return -EINVAL;
      throw error;
    }
    const returned = Number(call(...converted));
    return returned < 0 ? returned : take(returned);
  };
}

function integers(bytes: Buffer): number[] {
  return Array.from({ length: bytes.length / 8 }, (_, i) => Number(bytes.readBigInt64LE(i * 8)));
}
