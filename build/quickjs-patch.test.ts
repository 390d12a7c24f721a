import { expect, test } from "vitest";
import { EDITS, edited } from "./quickjs-patch.ts";

test("a source where a place is missing, or there once more, is refused", () => {
  const source = EDITS.filter(({ file }) => file === "quickjs.c").map(({ find, times }) => find.repeat(times));
  const whole = source.join("\n//\n");
  for (const { replace } of EDITS.filter(({ file }) => file === "quickjs.c")) {
    expect(edited("quickjs.c", whole)).toContain(replace);
  }
  expect(() => edited("quickjs.c", source.slice(1).join("\n"))).toThrow("0 times");
  expect(() => edited("quickjs.c", `${whole}\n${source[0]}`)).toThrow("2 times");
});

test("another file is left as it is", () => {
  expect(edited("cutils.c", "p->ref_count++;")).toBe("p->ref_count++;");
});
