// A report of init that an op failed as the error that the user sees.

import { RuntimeError } from "../../errors/runtime-error.ts";
import { decode } from "../../plan/decode.ts";
import type { InitProgram } from "../../plan/plan.ts";
import { type Failure, opFailure } from "../op-failure.ts";

/** The error for init's report that op number `failure.op` of the program failed; `text` is what `detail` gave. */
export function initFailure(program: InitProgram, failure: Failure, text: string | number): RuntimeError {
  const detail = typeof text === "string" ? text : "";
  const op = decode(program)[failure.op];
  const origin = program.origins[failure.op];
  if (op === undefined || origin === undefined) {
    return new RuntimeError({ message: `init reported a failure of op ${failure.op}, which the plan lacks`, detail });
  }
  const { name } = op.operands; // of find_executable: what the user wrote
  const subject = op.op === "find_executable" && typeof name === "string" ? name : (origin.subject ?? "");
  return opFailure(failure, { name: op.op, pointer: origin.pointer, subject }, detail);
}
