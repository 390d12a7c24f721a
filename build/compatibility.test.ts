// docs/compatibility.md is what spec-tests/compat recorded, and nothing in it is without a reason.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { document, idle } from "../spec-tests/compat/document.ts";
import { reasonFor, type Venue } from "../spec-tests/compat/judge.ts";
import { REASONS } from "../spec-tests/compat/reasons.ts";

const seen = JSON.parse(readFileSync("spec-tests/compat/seen.json", "utf8")) as Record<string, Venue>;

test("docs/compatibility.md is made of what was seen and of the reasons", () => {
  expect(readFileSync("docs/compatibility.md", "utf8")).toBe(document(seen, REASONS));
});

test("every difference has a reason", () => {
  const without = Object.values(seen).flatMap(({ runc, differences }) =>
    Object.entries(differences).flatMap(([title, aspects]) =>
      Object.keys(aspects)
        .filter((aspect) => reasonFor(REASONS, runc, title, aspect) === undefined)
        .map((aspect) => `${runc}: ${title}: ${aspect}`),
    ),
  );
  expect(without).toEqual([]);
});

test("every reason has a difference", () => {
  expect(idle(seen, REASONS)).toEqual([]);
});
