// Bytes and strings. A native call carries bytes as a string in which a byte that is no UTF-8 is U+DC80 + (byte - 0x80)
// (host/abi.ts); a D-Bus string is strict UTF-8.

import { malformed } from "./malformed.ts";

const RAW = 0xdc80;
const CHUNK = 4096;

/** For a native call: every byte above 0x7f by itself, whatever its neighbours are. */
export function textOfBytes(bytes: Uint8Array): string {
  let text = "";
  for (let from = 0; from < bytes.length; from += CHUNK) {
    const codes: number[] = [];
    for (const byte of bytes.subarray(from, from + CHUNK)) codes.push(byte < 0x80 ? byte : RAW + byte - 0x80);
    text += String.fromCharCode(...codes);
  }
  return text;
}

/** What a native call has read. */
export function bytesOfText(text: string): Uint8Array {
  return encode(text, (code, out) => {
    if (code < RAW || code > RAW + 0x7f) throw new RangeError("a native string has only raw bytes as lone surrogates");
    out.push(code - RAW + 0x80);
  });
}

/** UTF-8 of a D-Bus string. Throws RuntimeError for what is no Unicode: a byte of argv or a file that is no UTF-8. */
export function encodeUtf8(text: string): Uint8Array {
  return encode(text, () => {
    throw malformed(`${JSON.stringify(text)} is not UTF-8`);
  });
}

function encode(text: string, surrogate: (code: number, out: number[]) => void): Uint8Array {
  const out: number[] = [];
  for (let i = 0; i < text.length; i++) {
    const code = text.codePointAt(i) as number;
    if (code > 0xffff) i++;
    if (code < 0x80) out.push(code);
    else if (code < 0x800) out.push(0xc0 | (code >> 6), 0x80 | (code & 63));
    else if (code >= 0xd800 && code <= 0xdfff) surrogate(code, out);
    else if (code < 0x10000) out.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
    else out.push(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 63), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
  }
  return Uint8Array.from(out);
}

/** The least code point of a sequence with that many bytes after the first: a shorter form would have done below it. */
const LEAST = [0, 0x80, 0x800, 0x10000];

/** Strict: overlong forms, surrogates and what is above U+10FFFF are refused. Throws RuntimeError. */
export function decodeUtf8(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i++) {
    const first = bytes[i] as number;
    const more = first < 0x80 ? 0 : first < 0xc0 ? -1 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : first < 0xf8 ? 3 : -1;
    if (more < 0 || i + more >= bytes.length) throw malformed("a string is not UTF-8");
    let code = more === 0 ? first : first & (0x3f >> more);
    for (let k = 1; k <= more; k++) {
      const byte = bytes[i + k] as number;
      if ((byte & 0xc0) !== 0x80) throw malformed("a string is not UTF-8");
      code = (code << 6) | (byte & 0x3f);
    }
    if (code < (LEAST[more] as number) || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
      throw malformed("a string is not UTF-8");
    }
    text += String.fromCodePoint(code);
    i += more;
  }
  return text;
}
