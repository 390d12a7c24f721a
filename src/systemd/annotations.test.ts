import { describe, expect, test } from "vitest";
import { Marshaller } from "../dbus/marshal.ts";
import { randomNumbers } from "../dbus/random-support.ts";
import { RuntimeError } from "../errors/runtime-error.ts";
import { annotationProperties } from "./annotations.ts";
import { propertyLines } from "./print.ts";
import { parseVariant } from "./variant-text.ts";

describe("the GVariant text format", () => {
  test.each<[string, string, unknown]>([
    ["true", "b", true],
    ["5", "i", 5],
    ["-5", "i", -5],
    ["0x1f", "i", 31],
    ["017", "i", 15],
    ["1.5", "d", 1.5],
    ["1e3", "d", 1000],
    ["uint64 123456789", "t", 123456789n],
    ["uint64 18446744073709551615", "t", 18446744073709551615n],
    ["int64 -1", "x", -1n],
    ["byte 0x10", "y", 16],
    ["double 2", "d", 2],
    ["@u 7", "u", 7],
    ["'a b'", "s", "a b"],
    ['"it\'s"', "s", "it's"],
    ["'it\\'s\\n\\u00fc\\U0001d11e'", "s", "it's\nü𝄞"],
    ["objectpath '/a/b'", "o", "/a/b"],
    ["signature 'as'", "g", "as"],
    ["b'hi'", "ay", [104, 105, 0]],
    ["[1, 2]", "ai", [1, 2]],
    ["[byte 1, 2]", "ay", [1, 2]],
    ["[1, uint64 2]", "at", [1n, 2n]],
    ["[1, 2.5]", "ad", [1, 2.5]],
    ["@as []", "as", []],
    ["[['a'], ['b']]", "aas", [["a"], ["b"]]],
    ["('a', 1)", "(si)", ["a", 1]],
    ["[('/dev/null', 'rw')]", "a(ss)", [["/dev/null", "rw"]]],
    [
      "{'a': 1, 'b': uint16 2}",
      "a{sq}",
      [
        ["a", 1],
        ["b", 2],
      ],
    ],
    ["<'x'>", "v", { signature: "s", value: "x" }],
    ["@a{sv} {'a': <1>}", "a{sv}", [["a", { signature: "i", value: 1 }]]],
  ])("%s is of type %s", (text, signature, value) => {
    expect(parseVariant(text)).toEqual({ signature, value });
  });

  test.each([
    "",
    "yes",
    "'a",
    "1 2",
    "1,",
    "[1",
    "[]",
    "{}",
    "()",
    "[1, 'a']",
    "byte 256",
    "byte -1",
    "uint32 1.5",
    "4294967296",
    "08",
    "0xg",
    "1x",
    "--1",
    "uint32",
    "uint32 'a'",
    "@z 1",
    "@as 1",
    "@(is) (1, 2)",
    "@ai (1, 2)",
    "just 1",
    "nothing",
    "'\\u12'",
    "'\\U00110000'",
    "<1",
    "{'a' 1}",
    "objectpath 'a'",
    "[".repeat(100),
    "uint32 ".repeat(100),
  ])("%j is refused with a reason", (text) => {
    expect(() => parseVariant(text)).toThrow(SyntaxError);
  });

  test("any text is a value that can be sent, or refused", () => {
    const next = randomNumbers(9);
    const words = [
      "[",
      "]",
      "(",
      ")",
      "{",
      "}",
      "<",
      ">",
      ",",
      ":",
      "'a'",
      "1",
      "uint64",
      "@as",
      "@a{sv}",
      "true",
      "b'x'",
      " ",
    ];
    let taken = 0;
    for (let i = 0; i < 20_000; i++) {
      const text = Array.from(
        { length: 1 + Math.floor(next() * 7) },
        () => words[Math.floor(next() * words.length)],
      ).join(" ");
      try {
        const variant = parseVariant(text);
        new Marshaller().append("v", [variant]);
        taken++;
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw new Error(`${text}: ${error}`);
      }
    }
    expect(taken).toBeGreaterThan(100);
  });
});

describe("annotations", () => {
  const properties = (name: string, value: string): string[] =>
    propertyLines(annotationProperties(new Map([[`org.systemd.property.${name}`, value]])));

  test.each([
    ["TimeoutStopUSec", "uint64 123456789", "TimeoutStopUSec t 123456789"],
    ["CollectMode", "'inactive-or-failed'", 'CollectMode s "inactive-or-failed"'],
    ["TimeoutStopSec", "uint64 5", "TimeoutStopUSec t 5000000"],
    ["TimeoutStopSec", "5", "TimeoutStopUSec t 5000000"],
    ["TimeoutStopSec", "2.5", "TimeoutStopUSec t 2500000"],
    ["RuntimeMaxUSec", "uint64 1", "RuntimeMaxUSec t 1"],
    ["DefaultDependencies", "true", "DefaultDependencies b true"],
  ])("%s=%s", (name, value, wanted) => {
    expect(properties(name, value)).toEqual([wanted]);
  });

  test("others are none of systemd's business", () => {
    expect(annotationProperties(new Map([["org.opencontainers.image.os", "linux"]]))).toEqual([]);
  });

  test.each([
    ["", "1"],
    ["Ab", "1"],
    ["Foo_Bar", "1"],
    ["Foo1", "1"],
    ["TimeoutStopSec", "'five'"],
    ["TimeoutStopSec", "true"],
    ["TimeoutStopSec", "-1"],
    ["TimeoutStopSec", "uint64 18446744073709551615"],
    ["CollectMode", "inactive"],
  ])("%j=%j is refused with its pointer", (name, value) => {
    try {
      properties(name, value);
    } catch (error) {
      expect(error).toBeInstanceOf(RuntimeError);
      expect((error as RuntimeError).facts.pointer).toBe(`/annotations/org.systemd.property.${name}`);
      return;
    }
    throw new Error("it was taken");
  });
});
