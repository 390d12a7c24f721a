// npm run conformance [-- PROGRAM...]: the validation suite of runtime-tools, every program or those named.
//
//   RUNTIME=runc npm run conformance    another runtime (default dist/berth)
//   CONTROLS= npm run conformance       nobody to compare with (default: runc and crun, where they are installed)
//   COMPARE=failures                    asks the controls only about what fails; what is known of them is shown all the same
//   VIEW=hybrid                         another kind of cgroups, as private.sh has them
//   RACES=1                             the programs of races.json as they are
//   REPORT=FILE                         the TAP lines to a file, too
//   JOBS=4 LIMIT=240                    so many programs at a time, each for so many seconds
//   npm run conformance -- --build      builds the programs and says where they are
//   npm run conformance -- guest        in the guest machine (guest.sh)
//
// One TAP line for each program, then a table of all runtimes, then `N passed, N failed, N skipped`. What no runtime
// passes is listed in expected.json, with the reason and with what the controls say; it counts as skipped. What the
// controls did is kept beside the programs, by version, kernel and view.

import { spawnSync } from "node:child_process";
import { appendFileSync, statfsSync, writeFileSync } from "node:fs";
import { release } from "node:os";
import { basename, resolve } from "node:path";
import { cgroups, OWN, removeCgroups } from "./cgroups.ts";
import { Controls, PLAINEST } from "./controls.ts";
import listed from "./expected.json" with { type: "json" };
import { applies, type Expected, expectation, type Judged } from "./expected.ts";
import type { Verdict } from "./judge.ts";
import { inLanes } from "./lanes.ts";
import { builtPrograms, programsIn } from "./programs.ts";
import { raceOf } from "./races.ts";
import { runProgram, sharesCgroups, type Venue } from "./runner.ts";

const CGROUP2_MAGIC = 0x63677270;

interface Runtime {
  /** As `--version` says it, or the file's name. */
  name: string;
  path: string;
}

interface Row {
  program: string;
  outcomes: string[];
  judged: Judged;
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

/** A program under the runtime and, as far as is wanted, under the controls; prints its TAP lines. */
async function row(
  program: string,
  tested: Runtime,
  controls: readonly Runtime[],
  memory: Controls,
  venue: Venue,
): Promise<Row> {
  const verdict = await runProgram(tested.path, program, venue);
  const ask = process.env.COMPARE !== "failures" || verdict.outcome !== "pass";
  const others: (Runtime & { verdict: Verdict | undefined })[] = [];
  for (const control of controls) others.push({ ...control, verdict: await memory.verdict(control, program, ask) });
  const known = others.flatMap(({ name, verdict: theirs }) =>
    theirs === undefined ? [] : [{ name, verdict: theirs }],
  );
  const list = (listed as Expected[]).filter((entry) => applies(entry, venue.view));
  const judged = expectation(list, program, verdict, known);
  const race = raceOf(program);
  if (race !== undefined) judged.notes.unshift(`run without its race: ${race.reason}`);
  const lines = [TAP[judged.outcome](program, judged.reason), ...judged.notes.map((note) => `#   ${note}`)].join("\n");
  process.stdout.write(`${lines}\n`);
  if (process.env.REPORT) appendFileSync(process.env.REPORT, `${lines}\n`);
  return { program, outcomes: [verdict, ...others.map((other) => other.verdict)].map((v) => v?.outcome ?? ""), judged };
}

/** Controls that fail the plainest of the programs: their failures say nothing, and some programs want a failure. */
async function useless(controls: readonly Runtime[], memory: Controls): Promise<Runtime[]> {
  const found: Runtime[] = [];
  for (const control of controls)
    if ((await memory.verdict(control, PLAINEST, true))?.outcome !== "pass") found.push(control);
  return found;
}

function table(head: string[], rows: readonly Row[]): string {
  const lines = rows.map(({ program, outcomes }) => `| ${[program, ...outcomes].join(" | ")} |`);
  return [`| ${head.join(" | ")} |`, `|${" --- |".repeat(head.length)}`, ...lines].join("\n");
}

async function main(): Promise<number> {
  const programs = process.env.PROGRAMS || builtPrograms();
  if (process.argv[2] === "--build") {
    process.stdout.write(`${programs}\n`);
    return 0;
  }
  const venue: Venue = { view: process.env.VIEW || ownView(), programs, limit: Number(process.env.LIMIT || 240) };
  const tested = runtime(process.env.RUNTIME || "dist/berth");
  const controls = words(process.env.CONTROLS ?? "runc crun")
    .filter((path) => spawnSync(path, ["--version"], { timeout: 30_000 }).status === 0)
    .map(runtime)
    .filter((control) => control.name !== tested.name);
  const memory = new Controls(venue);
  for (const control of await useless(controls, memory)) {
    process.stdout.write(`# ${control.name} cannot run a container in this view: it is no control\n`);
    controls.splice(controls.indexOf(control), 1);
  }
  const named = process.argv.slice(2);
  const wanted = programsIn(programs).filter((name) => named.length === 0 || named.includes(name));
  if (process.env.REPORT) writeFileSync(process.env.REPORT, "");
  const before = cgroups(OWN);
  const width = Number(process.env.JOBS || 4);
  const rows = await inLanes(wanted, width, sharesCgroups, (name) => row(name, tested, controls, memory, venue));
  removeCgroups(OWN, before);
  const count = { pass: 0, fail: 0, skip: 0 };
  for (const { judged } of rows) count[judged.outcome]++;
  const head = ["program", tested.name, ...controls.map(({ name }) => name)];
  process.stdout.write(`\n${venue.view}, Linux ${release()}\n${table(head, rows)}\n\n`);
  process.stdout.write(`${count.pass} passed, ${count.fail} failed, ${count.skip} skipped\n`);
  return count.fail === 0 && rows.length > 0 ? 0 : 1;
}

// Exit code 1: a program failed; 2: the suite did.
process.exitCode = await main().catch((error: unknown) => {
  process.stderr.write(`conformance: ${error instanceof Error ? error.message : error}\n`);
  return 2;
});
