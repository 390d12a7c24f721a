// Backslash escapes of a JSON text, checked before the engine parses it: QuickJS takes more than JSON allows (`\x41`,
// `\u{41}`, a backslash before a newline), which must not differ between hosts.

export const ESCAPES_PLAIN = 0;
/** A string has `\u0000`: whoever makes C strings of it must look. */
export const ESCAPES_NUL = 1;
/** Not JSON, or an unpaired surrogate; the own parser says where. */
export const ESCAPES_BAD = 2;

/** The value of four hexadecimal digits at `at`, or -1. */
export function hex4(text: string, at: number): number {
  let value = 0;
  for (let i = at; i < at + 4; i++) {
    const c = text.charCodeAt(i);
    let digit = c - 48;
    if (digit > 9) {
      digit = (c | 32) - 87;
      if (digit < 10) return -1;
    }
    // NaN (past the end) fails this comparison too.
    if (!(digit >= 0 && digit <= 15)) return -1;
    value = value * 16 + digit;
  }
  return value;
}

/**
 * Length of the escape whose backslash is at `at` (a surrogate pair is one escape of 12), or 0 when JSON has no such
 * escape or a surrogate is unpaired.
 */
export function escapeLength(text: string, at: number): number {
  switch (text.charCodeAt(at + 1)) {
    case 0x22: // "
    case 0x5c: // \
    case 0x2f: // /
    case 0x62: // b
    case 0x66: // f
    case 0x6e: // n
    case 0x72: // r
    case 0x74: // t
      return 2;
    case 0x75: {
      const code = hex4(text, at + 2);
      if (code < 0) return 0;
      if (code < 0xd800 || code > 0xdfff) return 6;
      if (code > 0xdbff || text.charCodeAt(at + 6) !== 0x5c || text.charCodeAt(at + 7) !== 0x75) return 0;
      const low = hex4(text, at + 8);
      return low >= 0xdc00 && low <= 0xdfff ? 12 : 0;
    }
    default:
      return 0;
  }
}

/** One of the ESCAPES_ answers for a whole JSON text. Costs one search when there is no backslash. */
export function scanEscapes(text: string): number {
  let found = ESCAPES_PLAIN;
  let at = text.indexOf("\\");
  while (at >= 0) {
    const length = escapeLength(text, at);
    if (length === 0) return ESCAPES_BAD;
    if (length === 6 && hex4(text, at + 2) === 0) found = ESCAPES_NUL;
    at = text.indexOf("\\", at + length);
  }
  return found;
}
