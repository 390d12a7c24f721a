// The part of init's plan that runs at `start`. `create` records where its ops come from, so that `start` can name the
// config field of one that fails without compiling the plan again.

import type { InitProgram } from "../plan/plan.ts";
import type { StartOps } from "./state.ts";

/** The ops after the one that waits for `start`. */
export function startOps(program: InitProgram): StartOps {
  const { words, origins, waitStart } = program;
  const ops: [number, string, string][] = [];
  if (waitStart === undefined) return { first: origins.length, ops };
  const first = waitStart.op + 1;
  const end = words.length; // looked up once: a typed array's length is a slow property
  let index = first;
  for (let at = next(words, waitStart.word); at < end; at = next(words, at), index++) {
    const code = (words[at] as number) & 0xffff;
    ops.push([code, origins[index]?.pointer ?? "", origins[index]?.subject ?? ""]);
  }
  return { first, ops };
}

/** The word after an op: csrc/init/plan.h. */
const next = (words: Uint32Array, at: number): number => at + 1 + ((words[at] as number) >>> 16);
