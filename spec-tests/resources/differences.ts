// Where two runtimes differ in a row, and whether the table says so.

import type { Findings, Mode } from "./compare.ts";

/** A known difference of a peer: "listed but equal" is a failure, too. */
export interface Difference {
  /** The beginning of the peer's version: "runc 1.1", "crun 1.8.". */
  peer: string;
  /** All when absent. */
  modes?: Mode[];
  /** Titles of rows, "memory.*" for all that begin so. */
  rows: string[];
  /** Names of findings, "memory/*" for all that begin so. */
  files: string[];
  reason: string;
}

const matches = (pattern: string, name: string): boolean =>
  pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : pattern === name;

/** What is looked at in one runtime alone. */
export const ALONE = ["left behind", "delete"];
const CODE = "exit code of create";

/**
 * `name: ours, theirs` for what is not the same. Where one could not create, only that counts. What systemd thinks of the
 * unit is not read under crun.
 */
export function differing(ours: Findings, theirs: Findings, kind: string): Map<string, string> {
  const found = new Map<string, string>();
  const same = ours.get(CODE) === theirs.get(CODE);
  const skipped = (name: string): boolean => ALONE.includes(name) || (kind === "crun" && name.startsWith("unit "));
  for (const name of same ? new Set([...ours.keys(), ...theirs.keys()]) : [CODE]) {
    const [one, other] = [ours.get(name), theirs.get(name)];
    if (one !== other && !skipped(name)) found.set(name, `${JSON.stringify(one)}, not ${JSON.stringify(other)}`);
  }
  return found;
}

/**
 * The list as one mode and peer sees it. An entry that names a row must differ there in every file that it names; one that
 * stands for many rows must differ in one of them at least.
 */
export class Known {
  readonly #entries: readonly Difference[];
  readonly #used = new Set<string>();

  constructor(list: readonly Difference[], peer: string, mode: Mode) {
    this.#entries = list.filter((entry) => peer.startsWith(entry.peer) && (entry.modes?.includes(mode) ?? true));
  }

  /** What is wrong with a row: differences that are not listed, and listed ones that are none. */
  judge(title: string, found: ReadonlyMap<string, string>): { problems: string[]; reasons: string[] } {
    const known = this.#entries.filter(({ rows }) => rows.some((row) => matches(row, title)));
    const problems: string[] = [];
    const reasons = new Set<string>();
    for (const [name, text] of found) {
      const entries = known.filter(({ files }) => files.some((file) => matches(file, name)));
      if (entries.length === 0) problems.push(`${name}: ${text}`);
      for (const { rows, reason } of entries) {
        reasons.add(`${name}: ${text}: ${reason}`);
        for (const row of rows) if (matches(row, title)) this.#used.add(`${row}: ${reason}`);
      }
    }
    for (const { files, reason } of known.filter(({ rows }) => rows.includes(title))) {
      for (const file of files) {
        if ([...found.keys()].some((name) => matches(file, name))) continue;
        problems.push(`${file} is listed as different (${reason}), and is not`);
      }
    }
    return { problems, reasons: [...reasons] };
  }

  /** Rows of entries that nothing came of. */
  unused(): string[] {
    return this.#entries.flatMap(({ rows, reason }) =>
      rows.map((row) => `${row}: ${reason}`).filter((key) => !this.#used.has(key)),
    );
  }
}
