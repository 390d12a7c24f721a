import { expect, test } from "vitest";
import { RuntimeError } from "../errors/runtime-error.ts";
import { Random } from "./random-support.ts";
import { decodeUtf8, encodeUtf8 } from "./utf8.ts";

test.each(["", "plain", "üß", "€uro", "𝄞", "\u{10ffff}"])("UTF-8 of %j is as Node's", (text) => {
  expect([...encodeUtf8(text)]).toEqual([...Buffer.from(text)]);
  expect(decodeUtf8(Uint8Array.from(Buffer.from(text)))).toBe(text);
});

test("a byte that is no UTF-8 is refused in a D-Bus string", () => {
  expect(() => encodeUtf8("a\udcff")).toThrow(RuntimeError);
});

test("bytes are taken as UTF-8 exactly when a strict decoder takes them", () => {
  const random = new Random(2);
  const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const lead = [0x61, 0x80, 0xbf, 0xc0, 0xc2, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5, 0xff, 0xa0, 0x9f, 0x90, 0x8f];
  for (let i = 0; i < 5000; i++) {
    const bytes = Uint8Array.from({ length: random.below(6) }, () => lead[random.below(lead.length)] as number);
    let wanted: string | undefined;
    try {
      wanted = strict.decode(bytes);
    } catch {
      expect(() => decodeUtf8(bytes), String(bytes)).toThrow(RuntimeError);
      continue;
    }
    expect(decodeUtf8(bytes)).toBe(wanted);
  }
});
