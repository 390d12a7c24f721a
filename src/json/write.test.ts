import { expect, test } from "vitest";
import { type Json, writeJson, writeString } from "./write.ts";

test("writes members in the order given, indented as Go does", () => {
  const value: Json = { b: 1, a: [true, null, "x"], empty: [], none: {}, gone: undefined, deep: { x: [{ y: 2 }] } };
  expect(writeJson(value, "  ")).toBe(JSON.stringify(value, null, 2));
  expect(writeJson(value, "\t")).toBe(JSON.stringify(value, null, "\t"));
  expect(writeJson(value)).toBe(JSON.stringify(value));
});

test("sorts the keys of a map by code unit", () => {
  const map = new Map([
    ["b", 1],
    ["__proto__", 2],
    ["10", 3],
    ["9", 4],
  ]);
  expect(writeJson(map)).toBe('{"10":3,"9":4,"__proto__":2,"b":1}');
});

test("keeps 64-bit integers", () => {
  expect(writeJson([18446744073709551615n])).toBe("[18446744073709551615]");
});

test.each([
  ["<a>&", '"\\u003ca\\u003e\\u0026"'],
  ["\u2028\u2029", '"\\u2028\\u2029"'],
  ["\0\b\f\n\r\t\u001f\u007f", '"\\u0000\\b\\f\\n\\r\\t\\u001f\u007f"'],
  ['"\\/', '"\\"\\\\/"'],
  ["é😀", '"é😀"'],
  ["a\udcffb", '"a\\ufffdb"'],
  ["\ud800", '"\\ufffd"'],
])("escapes %j as Go does", (text, expected) => {
  expect(writeString(text)).toBe(expected);
  if (!expected.includes("fffd")) expect(JSON.parse(expected)).toBe(text);
});
