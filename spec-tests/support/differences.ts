// Where Debian 12's runc 1.1.5 and crun 1.8.1 do otherwise than the rules say: the suite runs on them to prove itself.

import type { Kind } from "./runtime.ts";

/** Beginning of the title, runtime, what it does instead. */
const DIFFERENCES: readonly [title: string, kind: Kind, instead: string][] = [
  ["rootfsPropagation ", "runc", "runc 1.1 does not set it on the new root"],
  ["rno", "crun", "crun 1.8 has a mistake in the access times"],
  ["rrw, rsuid", "crun", "crun 1.8 has a mistake in the access times"],
  ["all of it works in a user namespace too", "crun", "crun 1.8 loses nosuid"],
  ["has the flags of its source", "crun", "crun 1.8 clears them"],
];

/** Why a rule is skipped for a runtime; undefined when it holds. */
export function difference(kind: Kind, title: string): string | undefined {
  return DIFFERENCES.find(([start, of]) => of === kind && title.startsWith(start))?.[2];
}
