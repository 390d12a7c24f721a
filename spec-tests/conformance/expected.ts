// What no runtime passes: expected.json. An entry holds only as long as it is true, for the runtime and for the controls.

import type { Verdict } from "./judge.ts";

export interface Expected {
  program: string;
  /** The kinds of cgroups where it fails: v1, hybrid, v2. */
  views: string[];
  reason: string;
  /** What a control's failure contains, by its name without the version. */
  controls: Record<string, string>;
}

export interface Control {
  /** Name and version. */
  name: string;
  verdict: Verdict;
}

export interface Judged {
  outcome: Verdict["outcome"];
  reason: string;
  /** What to tell beside. */
  notes: string[];
}

/** The verdict in the light of what is expected: an expected failure is a skip, an expectation that is wrong a failure. */
export function expectation(
  list: readonly Expected[],
  program: string,
  view: string,
  verdict: Verdict,
  controls: readonly Control[],
): Judged {
  const entry = list.find((known) => known.program === program && known.views.includes(view));
  const passing = controls.filter((control) => control.verdict.outcome === "pass").map(({ name }) => name);
  const notes: string[] = [];
  if (verdict.outcome !== "fail" || entry === undefined) {
    if (verdict.outcome === "fail" && passing.length > 0) notes.push(`passes under ${passing.join(", ")}`);
    if (verdict.outcome === "pass" && entry !== undefined)
      return { outcome: "fail", reason: "passes now: take it off expected.json", notes };
    return { ...verdict, notes };
  }
  notes.push(verdict.reason);
  if (passing.length > 0)
    return { outcome: "fail", reason: `in expected.json, but passes under ${passing.join(", ")}`, notes };
  for (const { name, verdict: theirs } of controls) {
    const said = entry.controls[name.split(" ")[0] ?? ""];
    notes.push(`${name}: ${theirs.reason}`);
    if (said !== undefined && !theirs.reason.includes(said)) notes.push(`expected.json has "${said}" for ${name}`);
  }
  return { outcome: "skip", reason: `no runtime passes: ${entry.reason}`, notes };
}
