import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { RuntimeError } from "../errors/runtime-error.ts";
import { parseExact } from "./exact.ts";
import { MAX_DEPTH, parseJson, parseQuick } from "./parse.ts";

function message(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof RuntimeError) return error.message;
    throw error;
  }
  throw new Error("did not throw");
}

const VALID = [
  "{}",
  "[]",
  " \t\r\n{ } ",
  "0",
  "-0",
  "-1.5e+3",
  "1E2",
  "0.1",
  "123456789012345",
  "true",
  "false",
  "null",
  '""',
  '"a\\"b\\\\c\\/d\\b\\f\\n\\r\\t"',
  '"\\u0041\\u00e9\\u0000\\ud83d\\ude00 \u{1f600} é"',
  '"\\\\"',
  '"\\\\\\""',
  '["\\\\","\\""]',
  "[1,2,[3,[],{}],{}]",
  '{"a":{"b":[{"c":null},{"d":[[]]}]},"":0}',
  '{"a":1,"a":2}',
  '{"a":1,"b":2,"a":3}',
  '{"__proto__":{"x":1},"constructor":2,"toString":[]}',
  '{"__proto__":1,"__proto__":2}',
  '{"10":1,"9":2,"b":3}',
  "[1e400,-1e400,1e-400]",
  `"${"x".repeat(1000)}"`,
  '"\u007f\u2028\u2029\ufeff"',
];

const BROKEN = [
  "",
  " ",
  "{",
  "[",
  "]",
  "}",
  "[1,]",
  "[,1]",
  "[1 2]",
  "[1}",
  '{"a":1,}',
  '{"a"}',
  '{"a":}',
  '{"a":1 "b":2}',
  "{a:1}",
  "{1:1}",
  '{"a":1]',
  "{,}",
  "'a'",
  '"a',
  '"a\\"',
  '"\\',
  '"\\u',
  '"\\u12"',
  '"\\u12g4"',
  '"\\x41"',
  '"\\0"',
  '"\\u{41}"',
  '"\\\n"',
  '"\t"',
  '"\n"',
  '"\u0000"',
  '"\u001f"',
  "01",
  "-01",
  "-",
  "+1",
  ".5",
  "1.e5",
  "1e",
  "1e+",
  "1_0",
  "0x10",
  "--1",
  "NaN",
  "Infinity",
  "-Infinity",
  "undefined",
  "nul",
  "nulll",
  "True",
  "tru",
  "1 2",
  "[]x",
  "{}{}",
  "// c\n1",
  "/**/1",
  "\ufeff1",
  "\u00a01",
  "\v1",
  "\\u0041",
];

describe("the exact parser", () => {
  test.each(VALID)("gives what JSON.parse gives: %s", (text) => {
    expect(parseExact(text)).toStrictEqual(JSON.parse(text));
    expect(Object.is(parseExact(text), JSON.parse(text)) || typeof JSON.parse(text) === "object").toBe(true);
    expect(JSON.stringify(parseExact(text))).toBe(JSON.stringify(JSON.parse(text)));
    expect(parseJson(text)).toStrictEqual(JSON.parse(text));
  });

  test.each(BROKEN)("refuses what JSON.parse refuses: %j", (text) => {
    expect(() => JSON.parse(text)).toThrow();
    expect(message(() => parseExact(text))).toMatch(/^invalid JSON: line \d+, column \d+: /);
    expect(message(() => parseJson(text))).toBe(message(() => parseExact(text)));
  });

  test("agrees with JSON.parse on texts with random changes", () => {
    const seeds = [...VALID, readFileSync("package.json", "utf8"), readFileSync("tsconfig.json", "utf8")];
    const letters = '{}[]",:0123456789.eE+-\\/ubnt \n\u0001aé';
    let state = 12345;
    const random = (below: number) => {
      state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
      return (state >> 8) % below;
    };
    for (let round = 0; round < 20_000; round++) {
      let text = seeds[random(seeds.length)] as string;
      for (let change = random(3); change >= 0; change--) {
        const at = random(text.length + 1);
        const cut = at + random(3);
        text = text.slice(0, at) + (random(3) ? letters[random(letters.length)] : "") + text.slice(cut);
      }
      let expected: string | undefined;
      try {
        expected = JSON.stringify(JSON.parse(text));
      } catch {}
      let actual: string | undefined;
      try {
        actual = JSON.stringify(parseExact(text), (_, v) => (typeof v === "bigint" ? Number(v) : v));
      } catch (error) {
        if (!(error instanceof RuntimeError)) throw error;
        // The only thing we refuse and JSON.parse takes.
        if (error.message.includes("surrogate") && expected !== undefined) continue;
      }
      expect(actual, text).toBe(expected);
    }
  });

  test("keeps integers that a double cannot hold", () => {
    expect(parseExact("[18446744073709551615,-9223372036854775808,9007199254740993]")).toEqual([
      18446744073709551615n,
      -9223372036854775808n,
      9007199254740993n,
    ]);
    expect(parseExact("[9007199254740991,1234567890123456,-9007199254740991]")).toEqual([
      9007199254740991, 1234567890123456, -9007199254740991,
    ]);
    expect(parseJson('{"a":[1,2,{"hard":18446744073709551615}]}')).toEqual({
      a: [1, 2, { hard: 18446744073709551615n }],
    });
  });

  test("finds a long integer wherever it stands", () => {
    for (let before = 0; before < 40; before++) {
      expect(parseJson(`[${" ".repeat(before)}9007199254740993]`)).toEqual([9007199254740993n]);
      expect(parseJson(`[12,123456789012345,${" ".repeat(before)}9007199254740993]`)).toEqual([
        12,
        123456789012345,
        9007199254740993n,
      ]);
    }
  });

  test("takes an absurdly long integer as a double, without delay", () => {
    const start = performance.now();
    expect(parseExact("9".repeat(1_000_000))).toBe(Infinity);
    expect(parseExact(`1${"0".repeat(50)}`)).toBe(1e50);
    expect(performance.now() - start).toBeLessThan(1000);
  });

  test("gives __proto__ as an own property and leaves the prototype alone", () => {
    const value = parseExact('{"__proto__":{"polluted":1}}') as Record<string, unknown>;
    expect(Object.keys(value)).toEqual(["__proto__"]);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(value.polluted).toBeUndefined();
  });

  test("ends nesting at the limit", () => {
    const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
    const objects = (depth: number) => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;
    expect(() => parseJson(nested(MAX_DEPTH))).not.toThrow();
    expect(() => parseJson(objects(MAX_DEPTH))).not.toThrow();
    expect(message(() => parseJson(nested(MAX_DEPTH + 1)))).toBe(
      "invalid JSON: line 1, column 1001: nesting deeper than 1000",
    );
    expect(message(() => parseJson(objects(MAX_DEPTH + 1)))).toContain("nesting deeper than 1000");
    expect(() => parseJson(`[${"[],".repeat(5000)}{}]`)).not.toThrow();
  });

  test("answers a million brackets at once", () => {
    const start = performance.now();
    for (const text of ["[".repeat(1_000_000), '{"a":'.repeat(1_000_000), '[{"a":'.repeat(500_000)]) {
      expect(() => parseJson(text)).toThrow("nesting deeper than 1000");
    }
    expect(performance.now() - start).toBeLessThan(1000);
  });

  test("needs linear time for many strings and one late backslash", () => {
    const text = `[${'"a",'.repeat(200_000)}"\\n"]`;
    const start = performance.now();
    expect(parseExact(text)).toHaveLength(200_001);
    expect(performance.now() - start).toBeLessThan(2000);
  });
});

describe("errors", () => {
  test.each([
    ['{\n  "a": 1,\n  "b": tru\n}', 'line 3, column 8: expected a value, found "t"'],
    ['{"a":1', 'line 1, column 7: expected "," or "}", found the end of the text'],
    ['{"a" 1}', 'line 1, column 6: expected ":", found "1"'],
    ["[1,\n2,\n]", 'line 3, column 1: expected a value, found "]"'],
    ['{"a":1,}', 'line 1, column 8: expected a member name, found "}"'],
    ["[01]", 'line 1, column 3: expected "," or "]", found "1"'],
    ['["a\nb"]', "line 1, column 4: a control character in a string must be escaped"],
    ['["a', "line 1, column 2: this string does not end"],
    ['["\\x"]', "line 1, column 3: not a valid escape, or an unpaired surrogate"],
    ["{} \n\n x", 'line 3, column 2: expected the end of the text, found "x"'],
    ["", "line 1, column 1: expected a value, found the end of the text"],
  ])("%j names the place", (text, expected) => {
    expect(message(() => parseJson(text))).toBe(`invalid JSON: ${expected}`);
  });

  test.each([
    '"\\ud800"',
    '"\\udc80"',
    '"\\ud800x"',
    '"\\ud800\\ud800"',
    '"\\udc00\\ud800"',
    '"\\ud800\\n"',
    '"\\ud83d\udc80"',
  ])("the unpaired surrogate escape in %s is refused: it would be a raw byte or nothing", (text) => {
    expect(message(() => parseJson(text))).toContain("unpaired surrogate");
  });

  test("a raw byte (U+DC80..DCFF) in the text stays", () => {
    expect(parseJson('"a\udcff"')).toBe("a\udcff");
    expect(parseExact('"a\udcff"')).toBe("a\udcff");
  });
});

describe("the quick parser", () => {
  test("tells of NUL escapes", () => {
    expect(parseQuick('["a\\u0000"]')).toEqual({ value: ["a\0"], nul: true, exact: false });
    expect(parseQuick('["a\\u0001\\\\u0000"]').nul).toBe(false);
    expect(parseQuick('["\\u0041"]').nul).toBe(false);
  });

  test("rounds long integers and says that it may have", () => {
    expect(parseQuick("18446744073709551615")).toEqual({ value: 18446744073709552000, nul: false, exact: false });
  });
});
