// A D-Bus string is strict UTF-8.

import { encodeText } from "../bytes/bytes.ts";
import { malformed } from "./malformed.ts";

/** UTF-8 of a D-Bus string. Throws RuntimeError for what is no Unicode: a byte of argv or a file that is no UTF-8. */
export function encodeUtf8(text: string): Uint8Array {
  return encodeText(text, () => {
    throw malformed(`${JSON.stringify(text)} is not UTF-8`);
  });
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
