// The words that the lists of rules are written in. docs/conformance.md is made from them (build/conformance-table.ts).

export type Level = "MUST" | "SHOULD";

export interface Rule {
  level: Level;
  /** How many of the section's words of this level the rule stands for: what is said twice is one rule. */
  says: number;
  /** In our own words. */
  rule: string;
  /** `FILE: TITLE` below spec-tests, without .test.ts; `*` in a title stands for anything. */
  tests: readonly string[];
  /** Why there is no test: no runtime, or none on Linux, can break it. */
  none?: string;
}

export interface Section {
  /** Of runtime-spec 1.3. */
  file: string;
  heading: string;
  /** How often the text says MUST, SHALL or REQUIRED; SHOULD or RECOMMENDED: spec-tests/spec/count.ts counts them. */
  must: number;
  should: number;
  rules: readonly Rule[];
}

const rule = (level: Level, text: string, tests: readonly string[]): Rule => ({ level, says: 1, rule: text, tests });

export const must = (text: string, ...tests: string[]): Rule => rule("MUST", text, tests);
export const should = (text: string, ...tests: string[]): Rule => rule("SHOULD", text, tests);
export const times = (says: number, one: Rule): Rule => ({ ...one, says });
export const nobody = (level: Level, says: number, text: string, none: string): Rule => ({
  level,
  says,
  rule: text,
  tests: [],
  none,
});

export const section = (
  file: string,
  heading: string,
  words: [must: number, should: number],
  rules: readonly Rule[],
): Section => ({
  file,
  heading,
  must: words[0],
  should: words[1],
  rules,
});

export const AUTHOR = "binds who writes the bundle";
export const OTHERS = "another platform";
