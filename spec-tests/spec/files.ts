// Prints the test files that the rules name, a line each.

import { SECTIONS } from "./rules/all.ts";

const names = SECTIONS.flatMap(({ rules }) => rules.flatMap(({ tests }) => tests.map((name) => name.split(": ")[0])));
for (const name of new Set(names)) console.log(`${name?.includes("/") ? "" : "spec-tests/"}${name}.test`);
