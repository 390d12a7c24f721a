import { Buffer } from "node:buffer";
import { describe, expect, test } from "vitest";
import { decodeText, encodeText } from "./node-text.ts";

describe("decodeText and encodeText", () => {
  test("bring any bytes back unchanged", () => {
    const alphabet = [0x00, 0x41, 0x7f, 0x80, 0xa0, 0xb2, 0xbf, 0xc0, 0xc3, 0xe0, 0xe2, 0xed, 0xef, 0xf0, 0xf4, 0xff];
    for (let seed = 0; seed < 20_000; seed++) {
      const bytes = Buffer.from([0, 4, 8, 12, 16].map((shift) => alphabet[((seed * 2654435761) >>> shift) & 15] ?? 0));
      expect(encodeText(decodeText(bytes)).equals(bytes)).toBe(true);
    }
  });

  test("keep a byte order mark", () => {
    expect(decodeText(Buffer.from("efbbbf41", "hex"))).toBe("\ufeffA");
  });

  test("do not take a valid pair for two escapes", () => {
    expect(encodeText("\ud83d\ude00\udcff").toString("hex")).toBe("f09f9880ff");
  });
});
