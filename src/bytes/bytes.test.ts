import { expect, test } from "vitest";
import { Random } from "../dbus/random-support.ts";
import { bytesOfText, paddingAt, textOfBytes } from "./bytes.ts";

const all = Uint8Array.from({ length: 256 }, (_, i) => i);

test("every byte survives the way through a native string", () => {
  expect(bytesOfText(textOfBytes(all))).toEqual(all);
});

test("what a native call has read as UTF-8 becomes the same bytes", () => {
  expect([...bytesOfText("a€𝄞\udcff\udc80")]).toEqual([0x61, 0xe2, 0x82, 0xac, 0xf0, 0x9d, 0x84, 0x9e, 0xff, 0x80]);
});

test("a long run of bytes is converted piece by piece", () => {
  const bytes = new Random(1).bytes(100_000);
  expect(Buffer.compare(bytesOfText(textOfBytes(bytes)), bytes)).toBe(0);
});

test.each([
  [0, 4, 0],
  [1, 4, 3],
  [4, 4, 0],
  [9, 8, 7],
  [7, 1, 0],
  [0xfffffffd, 4, 3],
])("behind %i bytes %i-byte alignment takes %i more", (length, alignment, padding) => {
  expect(paddingAt(length, alignment)).toBe(padding);
});
