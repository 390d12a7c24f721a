import { describe, expect, it } from "vitest";
import { parseDuration } from "./duration.ts";

describe("parseDuration", () => {
  it.each([
    ["0", 0],
    ["5s", 5e9],
    ["1m30s", 90e9],
    ["1.5h", 5400e9],
    [".5s", 5e8],
    ["1.s", 1e9],
    ["100ms", 1e8],
    ["1us", 1e3],
    ["1\u00b5s", 1e3],
    ["1\u03bcs", 1e3],
    ["7ns", 7],
    ["+2s", 2e9],
    ["-2s", -2e9],
  ])("%j", (text, nanoseconds) => {
    expect(parseDuration(text)).toBe(nanoseconds);
  });

  it.each([
    "",
    "5",
    "s",
    "5 s",
    ".s",
    "1..5s",
    "1.5.5s",
    "5x",
    "5S",
    "-",
    "+",
    "--5s",
    "1s ",
    "1e3s",
    "0s0",
    "3000000h",
  ])("%j is none", (text) => {
    expect(parseDuration(text)).toBe(undefined);
  });
});
