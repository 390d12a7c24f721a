// Berth's command line beside runc's: each case on both, and every difference must be the one that is recorded in
// seen.json, with a reason in reasons.ts. TAP on standard output, one test for each case.
//
//   VENUE=bookworm RUNC=runc CRUN=crun BERTH=dist/berth node compat.mjs [BEGINNING OF A TITLE...]
//
// UPDATE=1 records what was seen and writes docs/compatibility.md. BRIEF=1 leaves out the many ways to write a flag and the log as text; BUDGET= is how
// many seconds cases are begun. crun is asked
// only where the two differ. spec-tests/compat/run.sh runs it here, spec-tests/guest/compat.sh in the guest.

import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Case } from "./case.ts";
import { EXEC } from "./cases/exec.ts";
import { LIFE } from "./cases/life.ts";
import { LOOKING } from "./cases/looking.ts";
import { UPDATE } from "./cases/update.ts";
import { document } from "./document.ts";
import { FORMS } from "./flags.ts";
import { differing, news, reasonFor, type Seen, type Venue } from "./judge.ts";
import { REASONS } from "./reasons.ts";
import { World } from "./world.ts";

const SEEN = "spec-tests/compat/seen.json";
/** Cases; a guest may be ended for its time. */
const SAVED_EVERY = 20;
/** At what was not seen before. */
const MORE_LOOKS = 2;
const DOCUMENT = "docs/compatibility.md";

const venue = process.env.VENUE ?? "bookworm";
const brief = process.env.BRIEF === "1";
const updating = process.env.UPDATE === "1";
const all = [...LIFE, ...LOOKING, ...EXEC, ...UPDATE, ...FORMS];
/** Milliseconds; no new case is begun after it. */
const end = Date.now() + 1000 * Number(process.env.BUDGET ?? 86_400);
const wanted = process.argv.slice(2);

const read = (): Record<string, Venue> => (existsSync(SEEN) ? JSON.parse(readFileSync(SEEN, "utf8")) : {});
const work = mkdtempSync(join(process.env.BERTH_WORK ?? "/root", "compat-"));
const recorded = read()[venue]?.differences ?? {};
const partial = read()[venue]?.ran;
const elsewhere = new Set(Object.values(read()).flatMap(({ differences }) => Object.keys(differences)));
const mine = all
  .filter(({ title, another }) => !brief || !another || elsewhere.has(title))
  .filter(({ title }) => wanted.length === 0 || wanted.some((begin) => title.startsWith(begin)));
// Where time is short, first what differs elsewhere; and what was never recorded, when it is about recording.
if (brief) mine.sort((a, b) => Number(elsewhere.has(b.title)) - Number(elsewhere.has(a.title)));
const known = new Set(updating ? partial : []);
mine.sort((a, b) => Number(known.has(a.title)) - Number(known.has(b.title)));
const which = (name: string): string => execFileSync("sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).trim();
const tag = `${process.env.BERTH_TAG ?? "bt"}c${process.pid}`;
const world = (name: string, letter: string): World => new World(which(name), work, `${tag}${letter}`);
const berth = world(process.env.BERTH ?? join(process.cwd(), "dist/berth"), "b");
const runc = world(process.env.RUNC ?? "runc", "r");
const crun = world(process.env.CRUN ?? "crun", "c");

const differences: Seen = {};
const ran: string[] = [];
let count = 0;
let failed = 0;
function report(title: string, problems: readonly string[]): void {
  count++;
  if (problems.length > 0) failed++;
  const lines = [`${problems.length > 0 ? "not ok" : "ok"} ${count} - ${title}`];
  for (const text of problems) lines.push(`# ${text.replaceAll("\n", "\n# ")}`);
  process.stdout.write(`${lines.join("\n")}\n`);
}

/** What of it is not recorded. */
function unrecorded(title: string, found: Seen[string] | undefined): string[] {
  // Of a case that was never recorded here, only the reason is asked for.
  if (updating || (partial !== undefined && !partial.includes(title))) return [];
  return news(recorded, found === undefined ? {} : { [title]: found }, new Set([title]));
}

/** Two runtimes are two sets of processes: what differs once and not again was a race between them, and is said. */
async function compare(test: Case): Promise<Seen[string] | undefined> {
  let found = await compareOnce(test);
  for (let again = 0; again < MORE_LOOKS; again++) {
    const lines = unrecorded(test.title, found);
    if (lines.length === 0) break;
    process.stdout.write(`# looked at once more: ${lines.join("\n# ")}\n`);
    found = await compareOnce(test);
  }
  return found;
}

async function compareOnce(test: Case): Promise<Seen[string] | undefined> {
  const [ours, theirs] = await Promise.all([berth.observe(test, brief), runc.observe(test, brief)]);
  const found = differing(ours, theirs);
  if (Object.keys(found).length === 0) return undefined;
  const others = await crun.observe(test, brief);
  for (const [aspect, difference] of Object.entries(found)) difference.crun = others.get(aspect) ?? "not looked at";
  return found;
}

function unreasoned(title: string, found: Seen[string]): string[] {
  return Object.entries(found)
    .filter(([aspect]) => reasonFor(REASONS, runc.version, title, aspect) === undefined)
    .map(
      ([aspect, { runc, berth }]) =>
        `no reason: ${aspect}: runc ${JSON.stringify(runc)}, berth ${JSON.stringify(berth)}`,
    );
}

/** What was seen until now; another venue may have been recorded meanwhile. */
function record(): void {
  const seen = read();
  const before = seen[venue];
  const kept = Object.entries(before?.differences ?? {}).filter(([title]) => !ran.includes(title));
  const titles = [
    ...new Set([...(before?.ran ?? (before === undefined ? [] : all.map(({ title }) => title))), ...ran]),
  ];
  seen[venue] = {
    runc: runc.version,
    crun: crun.version,
    cases: titles.length,
    ...(titles.length < all.length ? { ran: titles.sort() } : {}),
    differences: { ...Object.fromEntries(kept), ...differences },
  };
  writeFileSync(SEEN, `${JSON.stringify(seen, null, 1)}\n`);
  writeFileSync(DOCUMENT, document(seen, REASONS));
}

const titles = all.map(({ title }) => title);
const double = titles.filter((title, index) => titles.indexOf(title) !== index);
if (double.length > 0) throw new Error(`two cases have one title: ${double.join(", ")}`);
process.stdout.write(`# ${berth.version}, ${runc.version}, ${crun.version}; ${mine.length} cases\n`);
for (const test of mine) {
  if (Date.now() > end) break;
  ran.push(test.title);
  try {
    const found = await compare(test);
    if (found !== undefined) differences[test.title] = found;
    report(test.title, [...unrecorded(test.title, found), ...unreasoned(test.title, found ?? {})]);
  } catch (error) {
    ran.pop();
    report(test.title, [error instanceof Error ? (error.stack ?? error.message) : String(error)]);
  }
  if (updating && count % SAVED_EVERY === 0) record();
}
for (const each of [berth, runc, crun]) await each.end();
rmSync(work, { recursive: true, force: true });
if (updating) record();
process.stdout.write(`1..${count}\n`);
process.exitCode = failed > 0 ? 1 : 0;
