// Where Debian 12's runc 1.1.5 and crun 1.8.1 do otherwise than the rules say: the suite runs on them to prove itself.

import type { Kind } from "./runtime.ts";

/** Beginning of the title, runtime, what it does instead. */
const DIFFERENCES: readonly [title: string, kind: Kind, instead: string][] = [
  ["rootfsPropagation ", "runc", "runc 1.1 does not set it on the new root"],
  ["rno", "crun", "crun 1.8 has a mistake in the access times"],
  ["rrw, rsuid", "crun", "crun 1.8 has a mistake in the access times"],
  ["all of it works in a user namespace too", "crun", "crun 1.8 loses nosuid"],
  ["user: the program has the ids of the joined", "runc", "runc 1.1 wants mappings beside the path"],
  ["in an id are refused", "crun", "crun 1.8 looks for such a container"],
  ["that is a file is named", "runc", "runc 1.1 names another file"],
  ["that is a file is named", "crun", "crun 1.8 names /proc"],
  ["a full disk under the state root", "runc", "runc 1.1 prints nil"],
  ["without permission for the state root", "runc", "runc 1.1 asks for a user namespace"],
  ["without permission for the state root", "crun", "crun 1.8 says less"],
  ["a read-only path keeps nosuid", "crun", "crun 1.8 loses them"],
  ["has the flags of its source", "crun", "crun 1.8 clears them"],
];

/** Why a rule is skipped for a runtime; undefined when it holds. */
export function difference(kind: Kind, title: string): string | undefined {
  return DIFFERENCES.find(([start, of]) => of === kind && title.startsWith(start))?.[2];
}
