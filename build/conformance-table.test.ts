import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import { countWords } from "../spec-tests/spec/count.ts";
import { SECTIONS } from "../spec-tests/spec/rules/all.ts";
import type { Level, Section } from "../spec-tests/spec/rules/rule.ts";
import { head, PAGE, page, pattern, problems, readReport } from "./conformance-table.ts";
import { ROOT } from "./paths.ts";

const RULES = SECTIONS.flatMap(({ rules }) => rules);

/** Every text in a file that could be a title; what is computed in it stands for anything. */
function texts(path: string): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node)) found.push(node.text);
    else if (ts.isTemplateExpression(node)) {
      found.push([node.head.text, ...node.templateSpans.map((span) => span.literal.text)].join("\0"));
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.ES2023));
  return found;
}

const files = new Map<string, RegExp[]>();
function titles(file: string): RegExp[] {
  const known = files.get(file);
  if (known !== undefined) return known;
  const path = join(ROOT, "spec-tests", `${file}.test.ts`);
  // A text that is computed as a whole would stand for everything.
  const found = existsSync(path) ? texts(path).filter((text) => text.replaceAll("\0", "").length > 5) : [];
  const expressions = found.map(
    (text) => new RegExp(`^${pattern(text.replaceAll("\0", "*")).source.slice(1, -1)}$`, "s"),
  );
  files.set(file, expressions);
  return expressions;
}

const sum = (section: Section, level: Level): number =>
  section.rules.filter((rule) => rule.level === level).reduce((all, { says }) => all + says, 0);

describe("the rules of runtime-spec", () => {
  test.each(SECTIONS.map((section) => [`${section.file}: ${section.heading}`, section] as const))(
    "%s: every MUST and SHOULD is a rule's",
    (_, section) => {
      expect({ must: sum(section, "MUST"), should: sum(section, "SHOULD") }).toEqual({
        must: section.must,
        should: section.should,
      });
    },
  );

  test("each has a test, or a reason to have none", () => {
    for (const { rule, tests, none } of RULES) {
      expect({ rule, has: tests.length > 0 }).toEqual({ rule, has: none === undefined });
    }
  });

  test("each test that is named is there", () => {
    const missing = RULES.flatMap(({ tests }) => tests).filter((name) => {
      const [file = "", ...rest] = name.split(": ");
      const title = rest.join(": ").replaceAll("*", "x: x");
      return !titles(file).some((expression) => expression.test(title));
    });
    expect(missing).toEqual([]);
  });

  test("docs/conformance.md has each of them as it is listed", () => {
    const text = readFileSync(PAGE, "utf8");
    expect(RULES.map(head).filter((line) => !text.includes(`${line} `))).toEqual([]);
  });
});

const report = (...tests: [title: string, runtime: string, status: string, unproved?: object][]): string =>
  JSON.stringify({
    testResults: [
      {
        name: "/x/spec-tests/spec/runtime.test.ts",
        assertionResults: tests.map(([title, runtime, status, unproved]) => ({
          ancestorTitles: [`runtime.md (${runtime})`],
          title,
          status,
          meta: unproved === undefined ? {} : { unproved },
        })),
      },
    ],
  });

describe("the page", () => {
  const TITLE = "without process there is no start";
  const found = (...reports: string[]): string | undefined =>
    page(reports.flatMap(readReport), "")
      .split("\n")
      .find((line) => line.includes("start without process is an error"));

  test("has what each runtime did", () => {
    const text = report(
      [TITLE, "berth", "passed"],
      [TITLE, "runc", "failed"],
      [TITLE, "crun", "skipped", { why: "differs", reason: "a | b" }],
    );
    expect(found(text)).toMatch(/ \| passes \| fails \| differs: a \\\| b \|$/);
    expect(problems(readReport(text))).toContain("runc fails: start without process is an error");
  });

  test("a test that was run in one view only has that view's outcome", () => {
    const skipped = report([TITLE, "berth", "skipped", { why: "not run", reason: "needs v2" }]);
    expect(found(skipped)).toContain("| not run: needs v2 | not run | not run |");
    expect(found(skipped, report([TITLE, "berth", "passed"]))).toContain("| passes | not run | not run |");
  });

  test("a test that is not in the report is a problem", () => {
    expect(problems(readReport(report([TITLE, "berth", "passed"]))).length).toBeGreaterThan(100);
  });
});

test("words are counted by section, with its examples", () => {
  const text = "# <a name='x' />One\nMUST NOT, REQUIRED\n```\n# MUST\n```\n### Example\nSHOULD\n## Two\nRECOMMENDED\n";
  expect([...countWords(text)]).toEqual([
    ["One", { must: 3, should: 1 }],
    ["Two", { must: 0, should: 1 }],
  ]);
});
