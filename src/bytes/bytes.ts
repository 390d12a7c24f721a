// Bytes and strings. A native call carries bytes as a string in which a byte that is no UTF-8 is U+DC80 + (byte - 0x80)
// (host/abi.ts). One file, because what is in it is loaded as one, by what is loaded late.

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
  return encodeText(text, (code, out) => {
    if (code < RAW || code > RAW + 0x7f) throw new RangeError("a native string has only raw bytes as lone surrogates");
    out.push(code - RAW + 0x80);
  });
}

/** UTF-8, with what `surrogate` makes of a lone surrogate. */
export function encodeText(text: string, surrogate: (code: number, out: number[]) => void): Uint8Array {
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

/** How many bytes are missing to the next multiple of `alignment`, which is a power of 2. */
export function paddingAt(length: number, alignment: number): number {
  return -length & (alignment - 1);
}
