// tsx build/conformance-table.ts REPORT...: docs/conformance.md from vitest's JSON reports of the spec tests over several
// runtimes (spec-tests/spec/table.sh makes them). With --check nothing is written: the exit code is 1 when a test that a rule
// names is missing in the reports, or failed.

import { readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { SECTIONS } from "../spec-tests/spec/rules/all.ts";
import type { Rule, Section } from "../spec-tests/spec/rules/rule.ts";
import { ROOT } from "./paths.ts";

export const PAGE = join(ROOT, "docs/conformance.md");
const RUNTIMES = ["berth", "runc", "crun"] as const;
type Name = (typeof RUNTIMES)[number];

type Word = "fails" | "differs" | "passes" | "not run";
interface Outcome {
  word: Word;
  reason?: string;
}

/** One test's outcome for one runtime. */
interface Test extends Outcome {
  /** `FILE: TITLE`, as rules name it. */
  name: string;
  runtime: string;
}

interface Report {
  testResults: {
    name: string;
    assertionResults: {
      ancestorTitles: string[];
      title: string;
      status: string;
      meta?: { unproved?: { why: "differs" | "not run"; reason: string } };
    }[];
  }[];
}

const WORDS: Record<string, Word> = { passed: "passes", failed: "fails" };

export function readReport(text: string): Test[] {
  const tests: Test[] = [];
  for (const { name: path, assertionResults } of (JSON.parse(text) as Report).testResults) {
    const folder = basename(dirname(path)) === "spec" ? "spec/" : "";
    const file = `${folder}${basename(path, ".test.ts")}`;
    for (const { ancestorTitles, title, status, meta } of assertionResults) {
      const runtime = ancestorTitles[0]?.match(/\((\S+)\)$/)?.[1];
      if (runtime === undefined) continue;
      const word = WORDS[status] ?? meta?.unproved?.why ?? "not run";
      const reason = meta?.unproved?.reason;
      tests.push({ name: `${file}: ${title}`, runtime, word, ...(reason === undefined ? {} : { reason }) });
    }
  }
  return tests;
}

const escaped = (text: string): string => text.replace(/[.+?^${}()|[\]\\]/g, "\\$&");
/** A rule's name of tests as an expression: `*` stands for anything. */
export const pattern = (reference: string): RegExp =>
  new RegExp(`^${reference.split("*").map(escaped).join(".*")}$`, "s");

/** What several tests say together. */
function together(outcomes: readonly Outcome[]): Outcome {
  if (outcomes.some(({ word }) => word === "fails")) return { word: "fails" };
  const of = (word: Word): Outcome[] => outcomes.filter((outcome) => outcome.word === word);
  const differing = of("differs");
  const reasons = [...new Set(differing.map(({ reason }) => reason))].join("; ");
  if (differing.length > 0)
    return { word: "differs", reason: of("passes").length > 0 ? `in part: ${reasons}` : reasons };
  if (of("passes").length > 0) return { word: "passes" };
  const why = [...new Set(of("not run").map(({ reason }) => reason ?? ""))]
    .filter((reason) => reason !== "")
    .join("; ");
  return { word: "not run", ...(why === "" ? {} : { reason: why }) };
}

/** A test that was run in several cgroup views: what any of them showed. */
function merged(tests: readonly Test[]): Outcome[] {
  const byName = new Map<string, Test[]>();
  for (const test of tests) byName.set(test.name, [...(byName.get(test.name) ?? []), test]);
  return [...byName.values()].map((views) => {
    const order: Word[] = ["fails", "passes", "differs", "not run"];
    return [...views].sort((a, b) => order.indexOf(a.word) - order.indexOf(b.word))[0] as Test;
  });
}

function outcome(rule: Rule, runtime: Name, tests: readonly Test[]): Outcome {
  const own = tests.filter((test) => test.runtime === runtime);
  return together(rule.tests.flatMap((name) => merged(own.filter((test) => pattern(name).test(test.name)))));
}

const cell = (text: string): string => text.replaceAll("|", "\\|");
const said = ({ word, reason }: Outcome): string => cell(reason === undefined ? word : `${word}: ${reason}`);

/** The first columns of a rule's line, which do not depend on reports. */
export function head(rule: Rule): string {
  const tests = rule.none === undefined ? rule.tests.join("<br>") : `none: ${rule.none}`;
  return `| ${rule.level} | ${cell(rule.rule)} | ${cell(tests)} |`;
}

function line(rule: Rule, tests: readonly Test[]): string {
  const cells = RUNTIMES.map((name) => (rule.none === undefined ? said(outcome(rule, name, tests)) : ""));
  return `${head(rule)} ${cells.join(" | ")} |`;
}

const ALL: readonly Rule[] = SECTIONS.flatMap(({ rules }) => rules);

function summary(tests: readonly Test[]): string[] {
  const tested = ALL.filter(({ none }) => none === undefined);
  const lines = [
    `${ALL.length} rules, ${tested.length} with tests. The other ${ALL.length - tested.length} bind others than a runtime on Linux, or cannot be shown on the machines`,
    "here: the reason is in their line.",
    "",
    "| | passes | differs | not run | fails |",
    "| --- | ---: | ---: | ---: | ---: |",
  ];
  for (const name of RUNTIMES) {
    const words = tested.map((rule) => outcome(rule, name, tests).word);
    const number = (word: Word): number => words.filter((each) => each === word).length;
    lines.push(`| ${name} | ${number("passes")} | ${number("differs")} | ${number("not run")} | ${number("fails")} |`);
  }
  return lines;
}

function table({ file, heading, must, should, rules }: Section, tests: readonly Test[]): string[] {
  return [
    "",
    `## ${file}: ${heading}`,
    "",
    `MUST ${must}, SHOULD ${should}`,
    "",
    "| level | rule | tests | berth | runc | crun |",
    "| --- | --- | --- | --- | --- | --- |",
    ...rules.map((rule) => line(rule, tests)),
  ];
}

export function page(tests: readonly Test[], versions: string): string {
  return `${[
    "# Conformance to runtime-spec 1.3",
    "",
    "Generated by `spec-tests/spec/table.sh` from spec-tests/spec/rules and the reports of the spec tests; not to be edited. The rules",
    "are in our own words. The numbers below a section say how often its text says MUST, SHALL or REQUIRED, and SHOULD or",
    "RECOMMENDED; its rules account for each of them. A test is named by its file in spec-tests and its title; `*` stands for",
    "anything. *differs* is a known difference, with what the runtime does instead; *not run* needs a machine of another kind, or",
    "looks at what is Berth's own, its error text for one.",
    "",
    ...(versions === "" ? [] : [versions, ""]),
    ...summary(tests),
    ...SECTIONS.flatMap((section) => table(section, tests)),
  ].join("\n")}\n`;
}

/** In words, what a report says against the list, for the runtimes in it. */
export function problems(tests: readonly Test[]): string[] {
  const found: string[] = [];
  for (const name of RUNTIMES) {
    if (!tests.some(({ runtime }) => runtime === name)) continue;
    for (const rule of ALL) {
      // Some tests are about Berth alone.
      for (const reference of name === "berth" ? rule.tests : []) {
        if (!tests.some((test) => test.runtime === name && pattern(reference).test(test.name))) {
          found.push(`${name}: no test is named ${reference}`);
        }
      }
      if (rule.none === undefined && outcome(rule, name, tests).word === "fails")
        found.push(`${name} fails: ${rule.rule}`);
    }
  }
  return found;
}

if (process.argv[1] === import.meta.filename) {
  const files = process.argv.slice(2).filter((word) => !word.startsWith("--"));
  const tests = files.flatMap((file) => readReport(readFileSync(file, "utf8")));
  const found = problems(tests);
  for (const text of found) console.error(text);
  process.exitCode = found.length === 0 ? 0 : 1;
  if (!process.argv.includes("--check")) writeFileSync(PAGE, page(tests, process.env.VERSIONS ?? ""));
}
