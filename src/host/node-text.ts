// Strings and bytes under Node, the same way as csrc/engine/escape.c does it under QuickJS: a byte that is not valid
// UTF-8 is the lone surrogate U+DC00 + byte; any other lone surrogate becomes U+FFFD on the way out.

import { Buffer, isUtf8 } from "node:buffer";

/** The bytes of a string. */
export function encodeText(text: string): Buffer {
  if (!SURROGATE.test(text)) return Buffer.from(text);
  const parts: Buffer[] = [];
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit < 0xd800 || unit > 0xdfff) continue;
    if (unit < 0xdc00 && isLow(text.charCodeAt(at + 1))) {
      at++;
      continue;
    }
    const byte = unit - 0xdc00;
    parts.push(Buffer.from(text.slice(from, at)), byte >= 0x80 && byte <= 0xff ? Buffer.of(byte) : REPLACEMENT);
    from = at + 1;
  }
  parts.push(Buffer.from(text.slice(from)));
  return Buffer.concat(parts);
}

/** A lone one: with the u flag a pair is one other character. */
const SURROGATE = /\p{Surrogate}/u;

const REPLACEMENT = Buffer.from("\ufffd");

const isLow = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff;

/** The string of bytes. */
export function decodeText(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (isUtf8(buffer)) return buffer.toString();
  let text = "";
  for (let at = 0; at < buffer.length; ) {
    const length = sequenceLength(buffer, at);
    if (length === 0) text += String.fromCharCode(0xdc00 + (buffer[at] as number));
    else text += buffer.toString("utf8", at, at + length);
    at += Math.max(length, 1);
  }
  return text;
}

/** The length of the valid sequence at that place, 0 when there is none. */
function sequenceLength(buffer: Buffer, at: number): number {
  const lead = buffer[at] as number;
  const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  return at + length <= buffer.length && isUtf8(buffer.subarray(at, at + length)) ? length : 0;
}
