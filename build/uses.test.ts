import { describe, expect, test } from "vitest";
import { usesOf } from "./uses.ts";

const uses = (code: string): string[] => usesOf(code, "x.js");

describe("usesOf", () => {
  test.each([
    ["const x = [1].map((y) => ({ y }));", []],
    ["JSON.stringify(1)", ["USES_JSON"]],
    ["new Map(); new Set()", ["USES_MAP_SET"]],
    ["new Uint32Array(4)", ["USES_TYPED_ARRAYS"]],
    ["/a/.test(x)", ["USES_REGEXP"]],
    ['x.match("a")', ["USES_REGEXP"]],
    ["Date.now()", ["USES_DATE"]],
    ["x.Date; ({ Map: 1 }); class A { Set() {} }", []],
    ["({ Date })", ["USES_DATE"]],
    ["x[Date]", ["USES_DATE"]],
    ["constructor.toString; x.constructor", []],
    ["'/a/'", []],
  ])("%s needs %j", (code, expected) => {
    expect(uses(code)).toEqual(expected);
  });

  test.each(["new Promise(f)", "Promise.resolve()", "async () => 1", "async function f() {}", "eval(x)"])(
    "refuses %s",
    (code) => {
      expect(() => uses(code)).toThrow(/x\.js uses .*, which the engine does not have/);
    },
  );
});
