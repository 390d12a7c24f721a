// npm run conformance [PROGRAM...]: the validation suite of runtime-tools, every program or those named.
//
//   RUNTIME=runc npm run conformance    another runtime (default dist/berth)
//   CONTROLS= npm run conformance       nobody to compare with (default: runc and crun, where they are installed)
//   VIEW=hybrid                         another kind of cgroups, as private.sh has them
//   REPORT=FILE                         the TAP lines to a file, too
//
// One TAP line for each program as it ends, then a table of all runtimes, then `N passed, N failed, N skipped`. What no
// runtime passes is listed in expected.json, with the reason and with what the controls say; it counts as skipped. What the
// controls did is kept beside the programs, by version, kernel and view.

import { spawnSync } from "node:child_process";
import { appendFileSync, statfsSync, writeFileSync } from "node:fs";
import { release } from "node:os";
import { basename, resolve } from "node:path";
import { Controls } from "./controls.ts";
import listed from "./expected.json" with { type: "json" };
import { type Expected, expectation } from "./expected.ts";
import { builtPrograms, programsIn } from "./programs.ts";
import { runProgram, type Venue } from "./runner.ts";

const CGROUP2_MAGIC = 0x63677270;
const expected = listed as Expected[];

interface Runtime {
  /** As `--version` says it, or the file's name. */
  name: string;
  path: string;
}

function runtime(path: string): Runtime {
  const absolute = path.includes("/") ? resolve(path) : path;
  const done = spawnSync(absolute, ["--version"], { encoding: "utf8", timeout: 30_000 });
  if (done.status !== 0) throw new Error(`${path} --version failed: ${done.stderr ?? done.error?.message}`);
  const [kind = basename(path), , version = ""] = done.stdout.split(/\s+/);
  return { name: `${kind} ${version}`.trim(), path: absolute };
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}

/** The machine's own kind of cgroups; a hybrid one is shown as v1, which every runtime takes. */
function ownView(): string {
  return statfsSync("/sys/fs/cgroup").type === CGROUP2_MAGIC ? "v2" : "v1";
}

const TAP = {
  pass: (program: string) => `ok - ${program}`,
  fail: (program: string, reason: string) => `not ok - ${program}: ${reason}`,
  skip: (program: string, reason: string) => `ok - ${program} # SKIP ${reason}`,
};

function main(): number {
  const programs = process.env.PROGRAMS || builtPrograms();
  const venue: Venue = { view: process.env.VIEW || ownView(), programs, limit: Number(process.env.LIMIT || 120) };
  const tested = runtime(process.env.RUNTIME || "dist/berth");
  const controls = words(process.env.CONTROLS ?? "runc crun")
    .filter((path) => spawnSync(path, ["--version"], { timeout: 30_000 }).status === 0)
    .map(runtime)
    .filter((control) => control.name !== tested.name);
  const memory = new Controls(venue);
  const named = process.argv.slice(2);
  const count = { pass: 0, fail: 0, skip: 0 };
  const rows: string[] = [];
  if (process.env.REPORT) writeFileSync(process.env.REPORT, "");
  for (const program of programsIn(programs).filter((name) => named.length === 0 || named.includes(name))) {
    const verdict = runProgram(tested.path, program, venue);
    const others = controls.map((control) => ({ ...control, verdict: memory.verdict(control, program) }));
    const { outcome, reason, notes } = expectation(expected, program, venue.view, verdict, others);
    count[outcome]++;
    const lines = [TAP[outcome](program, reason), ...notes.map((note) => `#   ${note}`)].join("\n");
    process.stdout.write(`${lines}\n`);
    if (process.env.REPORT) appendFileSync(process.env.REPORT, `${lines}\n`);
    rows.push(`| ${[program, verdict.outcome, ...others.map((other) => other.verdict.outcome)].join(" | ")} |`);
  }
  const names = ["program", tested.name, ...controls.map(({ name }) => name)];
  const table = [`| ${names.join(" | ")} |`, `|${" --- |".repeat(names.length)}`, ...rows];
  process.stdout.write(`\n${venue.view}, Linux ${release()}\n${table.join("\n")}\n\n`);
  process.stdout.write(`${count.pass} passed, ${count.fail} failed, ${count.skip} skipped\n`);
  return count.fail === 0 && rows.length > 0 ? 0 : 1;
}

process.exitCode = main();
