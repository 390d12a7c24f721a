// What init reported at `start` as the error that the user sees. The plan is gone by now: where its last ops came from
// stands in the state record.

import type { StartFailure } from "../container/start-pipe.ts";
import type { StartOps } from "../container/state.ts";
import type { RuntimeError } from "../errors/runtime-error.ts";
import { OPS } from "../plan/ops.ts";
import { opFailure } from "./op-failure.ts";

/** The error for a report of init after it was released. */
export function startFailure(failure: StartFailure, recorded: StartOps | undefined): RuntimeError {
  const [code, pointer, subject] = recorded?.ops[failure.op - recorded.first] ?? [0, "", ""];
  const name = Object.keys(OPS)[code - 1] ?? "execute";
  return opFailure(failure, { name, pointer, subject }, failure.detail);
}
