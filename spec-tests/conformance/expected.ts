// What no runtime passes: expected.json. An entry holds only as long as it is true, for the runtime and for the controls.

import { existsSync, readFileSync } from "node:fs";
import type { Verdict } from "./judge.ts";

export interface Expected {
  program: string;
  /** The kinds of cgroups where it fails: v1, hybrid, v2. */
  views: string[];
  reason: string;
  /** What the machine must have for it to pass: then the entry does not apply. */
  needs?: { capability?: number; path?: string };
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

function hasCapability(number: number): boolean {
  const [, bounding = "0"] = /^CapBnd:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
  return ((BigInt(`0x${bounding}`) >> BigInt(number)) & 1n) === 1n;
}

/** Whether the entry is about this machine, in that view. */
export function applies({ views, needs }: Expected, view: string): boolean {
  if (!views.includes(view)) return false;
  if (needs?.capability !== undefined && hasCapability(needs.capability)) return false;
  return needs?.path === undefined || !existsSync(needs.path);
}

/** The verdict in the light of what is expected: an expected failure is a skip, an expectation that is wrong a failure. */
export function expectation(
  list: readonly Expected[],
  program: string,
  verdict: Verdict,
  controls: readonly Control[],
): Judged {
  const entry = list.find((known) => known.program === program);
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
