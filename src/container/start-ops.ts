// The part of init's plan that runs at `start`. `create` records where its ops come from, so that `start` can name the
// config field of one that fails without compiling the plan again.

import type { InitProgram } from "../plan/plan.ts";
import type { StartOps } from "./state.ts";

/** Opcode of wait_start. The op table is not loaded for one number; a test compares them. */
export const WAIT_START = 28;

/** The ops after wait_start. */
export function startOps(program: InitProgram): StartOps {
  const { words, origins } = program;
  const ops: [number, string, string][] = [];
  let first = -1;
  let index = program.waitStart?.op ?? 0;
  const end = words.length; // looked up once: a typed array's length is a slow property
  for (let at = program.waitStart?.word ?? 0; at < end; index++) {
    const head = words[at] as number;
    const code = head & 0xffff;
    if (first >= 0) ops.push([code, origins[index]?.pointer ?? "", origins[index]?.subject ?? ""]);
    else if (code === WAIT_START) first = index + 1;
    at += 1 + (head >>> 16);
  }
  return { first: first < 0 ? index : first, ops };
}
