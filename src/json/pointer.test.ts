import { expect, test } from "vitest";
import { pointer, pointerTokens } from "./pointer.ts";

test.each([
  [[], ""],
  [["mounts", 2, "destination"], "/mounts/2/destination"],
  [["a/b", "m~n", ""], "/a~1b/m~0n/"],
  [["~1"], "/~01"],
  [["__proto__"], "/__proto__"],
] as const)("%j is written %j and read back", (tokens, text) => {
  expect(pointer(tokens)).toBe(text);
  expect(pointerTokens(text)).toEqual(tokens.map(String));
});
