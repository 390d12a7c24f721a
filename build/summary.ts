// tsx build/summary.ts FOLDER: adds up the reports in it (*.json of vitest, *.tap), names what failed, and ends with the
// line `N passed, N failed, N skipped`. Exit code 1 when anything failed. What passed only when it was tried again
// (RETRY) is named.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

interface Report {
  numPassedTests: number;
  numFailedTests: number;
  numFailedTestSuites: number;
  numPendingTests: number;
  numTodoTests: number;
  testResults: {
    name: string;
    status: string;
    message: string;
    // What passed after all keeps what it said before.
    assertionResults: { fullName: string; status: string; failureMessages?: string[] }[];
  }[];
}

interface Sum {
  passed: number;
  failed: string[];
  skipped: number;
  /** Failed at first and passed then, where tests are tried again (RETRY). */
  unsteady: string[];
}

function addVitest(sum: Sum, text: string): void {
  const report = JSON.parse(text) as Report;
  sum.passed += report.numPassedTests;
  sum.skipped += report.numPendingTests + report.numTodoTests;
  for (const file of report.testResults) {
    const failed = file.assertionResults.filter((test) => test.status === "failed");
    for (const test of failed) sum.failed.push(`${file.name}: ${test.fullName}`);
    const late = file.assertionResults.filter(
      ({ status, failureMessages = [] }) => status === "passed" && failureMessages.length > 0,
    );
    for (const test of late)
      sum.unsteady.push(`${file.name}: ${test.fullName}: ${test.failureMessages?.[0]?.split("\n")[0]}`);
    // A file that could not be loaded has no tests to fail.
    if (file.status === "failed" && failed.length === 0) sum.failed.push(`${file.name}: ${file.message}`);
  }
}

function addTap(sum: Sum, text: string, name: string): void {
  for (const line of text.split("\n")) {
    if (/^not ok\b/.test(line)) sum.failed.push(`${name}: ${line}`);
    else if (/^ok\b.*# *SKIP/i.test(line)) sum.skipped++;
    else if (/^ok\b/.test(line)) sum.passed++;
    else if (line.startsWith(UNSTEADY)) sum.unsteady.push(line.slice(UNSTEADY.length));
  }
}

const UNSTEADY = "# unsteady: ";
const folder = process.argv[2] ?? "dist/reports";
const sum: Sum = { passed: 0, failed: [], skipped: 0, unsteady: [] };
for (const name of readdirSync(folder).sort()) {
  const text = readFileSync(join(folder, name), "utf8");
  if (name.endsWith(".json")) addVitest(sum, text);
  else if (name.endsWith(".tap")) addTap(sum, text, name);
}
for (const line of sum.unsteady) process.stdout.write(`unsteady, failed at first: ${line}\n`);
for (const line of sum.failed) process.stdout.write(`failed: ${line}\n`);
process.stdout.write(`${sum.passed} passed, ${sum.failed.length} failed, ${sum.skipped} skipped\n`);
process.exitCode = sum.failed.length === 0 ? 0 : 1;
