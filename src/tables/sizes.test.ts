import { describe, expect, it } from "vitest";
import { parseSize } from "./sizes.ts";

describe("sizes", () => {
  it.each([
    ["0", 0n],
    ["32", 32n],
    ["32b", 32n],
    ["32B", 32n],
    ["1k", 1024n],
    ["1K", 1024n],
    ["1kb", 1024n],
    ["1KiB", 1024n],
    ["512m", 512n << 20n],
    ["1.5m", 1572864n],
    ["1.5 GiB", 1610612736n],
    ["2 g", 2n << 30n],
    ["1t", 1n << 40n],
    ["3p", 3n << 50n],
    ["9223372036854775807", 9223372036854775807n],
    ["0.1", 0n],
    [".5k", 512n],
    ["1.", 1n],
  ])("%s is %s", (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  it.each(["", " ", "k", "abc", "-1", "-1k", "1x", "1kk", "1 kbb", "1  k", "1.2.3", "1..2", ".", "0x10", "1e3"])(
    "%j is none",
    (text) => {
      expect(parseSize(text)).toBe(undefined);
    },
  );
});
