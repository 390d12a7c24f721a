import { describe, expect, it } from "vitest";
import { clearVariableWords, withImage } from "./image.ts";
import { IMAGE_START, PRELOADED_START } from "./toolchain.ts";

/** An ELF header, two program headers, 10 bytes to be kept, bytecode and section headers to be cut off. */
function executable(address: number): Buffer {
  const file = Buffer.alloc(186 + 20, 0xee);
  file.writeBigUInt64LE(64n, 32);
  file.writeBigUInt64LE(196n, 40);
  file.writeUInt16LE(56, 54);
  file.writeUInt16LE(2, 56);
  file.writeUInt16LE(1, 60);
  file.writeBigUInt64LE(BigInt(address), 64 + 16);
  file.writeBigUInt64LE(186n, 120 + 8);
  file.writeBigUInt64LE(BigInt(PRELOADED_START), 120 + 16);
  return file;
}

describe("withImage", () => {
  it("makes the image the content of its segment, on a page of its own, and drops bytecode and section headers", () => {
    const image = Buffer.from("heap");
    const filled = withImage(executable(IMAGE_START), image);
    expect(filled.subarray(4096)).toEqual(image);
    expect(filled.readBigUInt64LE(64 + 8)).toBe(4096n);
    expect(filled.readBigUInt64LE(64 + 32)).toBe(4n);
    expect(filled.readBigUInt64LE(40)).toBe(0n);
    expect([58, 60, 62].map((at) => filled.readUInt16LE(at))).toEqual([0, 0, 0]);
    expect(filled.readUInt32LE(120)).toBe(0);
    expect(filled.subarray(176, 186)).toEqual(Buffer.alloc(10, 0xee));
    expect(filled.subarray(186, 4096).every((byte) => byte === 0)).toBe(true);
  });

  it("refuses an executable without the segment", () => {
    expect(() => withImage(executable(0x400000), Buffer.from("heap"))).toThrow("no segment");
  });
});

describe("clearVariableWords", () => {
  const words = (...values: number[]): Buffer => Buffer.from(BigUint64Array.from(values.map(BigInt)).buffer);

  it("zeroes the words that differ", () => {
    const image = words(1, 2, 3, 4);
    clearVariableWords(image, words(1, 7, 3, 4));
    expect(image).toEqual(words(1, 0, 3, 4));
  });

  it("refuses more than boot is known to leave, with their addresses", () => {
    expect(() => clearVariableWords(words(1, 2, 3, 4, 5), words(0, 0, 0, 0, 5))).toThrow("10000000 10000008 10000010");
  });

  it("refuses heaps of different sizes", () => {
    expect(() => clearVariableWords(words(1), words(1, 2))).toThrow("different sizes");
  });
});
