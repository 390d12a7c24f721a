// Where Berth differs from runc, and whether there is a reason for it.

import type { Findings } from "./world.ts";

/** What each had for an aspect. */
export interface Difference {
  runc: string;
  berth: string;
  crun?: string;
}

/** Title of the case → aspect → difference. */
export type Seen = Record<string, Record<string, Difference>>;

export interface Venue {
  runc: string;
  crun: string;
  /** How many cases ran. */
  cases: number;
  /** Which, when not all. */
  ran?: string[];
  differences: Seen;
}

export interface Reason {
  /** A heading. */
  title: string;
  /** One sentence or several. */
  why: string;
  /** Beginnings of titles of cases, or expressions. */
  cases: readonly (string | RegExp)[];
  /** All when absent. */
  aspects?: readonly string[];
  /** Beginnings of the versions of runc that it is about; all when absent. */
  runc?: readonly string[];
}

/** Where one failed and the other did not, what they said follows from that. */
export function differing(ours: Findings, theirs: Findings): Record<string, Difference> {
  const found: Record<string, Difference> = {};
  const both = (ours.get("exit code") === "0") === (theirs.get("exit code") === "0");
  const follows = (aspect: string): boolean => aspect === "phrases" || /\blog\b/.test(aspect);
  for (const aspect of new Set([...theirs.keys(), ...ours.keys()])) {
    const [berth = "not looked at", runc = "not looked at"] = [ours.get(aspect), theirs.get(aspect)];
    if (!both && follows(aspect)) continue;
    if (berth !== runc) found[aspect] = { runc, berth };
  }
  return found;
}

/** The first reason that fits counts. */
export function reasonFor(reasons: readonly Reason[], runc: string, title: string, aspect: string): Reason | undefined {
  return reasons.find(
    (reason) =>
      (reason.runc?.some((begin) => runc.startsWith(begin)) ?? true) &&
      (reason.aspects?.some((name) => aspect === name || aspect.startsWith(`${name} (`)) ?? true) &&
      reason.cases.some((each) => (typeof each === "string" ? title.startsWith(each) : each.test(title))),
  );
}

/** What a run found that is not recorded, and what is recorded and was not found; one line each. */
export function news(recorded: Seen, found: Seen, ran: ReadonlySet<string>): string[] {
  const lines: string[] = [];
  for (const title of ran) {
    const [before, now] = [recorded[title] ?? {}, found[title] ?? {}];
    for (const aspect of new Set([...Object.keys(before), ...Object.keys(now)])) {
      const [was, is] = [before[aspect], now[aspect]];
      const same = was?.runc === is?.runc && was?.berth === is?.berth && was?.crun === is?.crun;
      if (same) continue;
      const what = was === undefined ? "new" : is === undefined ? "gone" : "changed";
      lines.push(`${what}: ${title}: ${aspect}: ${JSON.stringify(is ?? was)}`);
    }
  }
  return lines;
}
