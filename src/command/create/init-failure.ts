// A failed op of init as the error that the user sees: the config field it comes from, what was done to which path.
// The phrases for a missing or forbidden executable are the ones that engines match.

import { RuntimeError } from "../../errors/runtime-error.ts";
import { type DecodedOp, decode } from "../../plan/decode.ts";
import type { InitProgram } from "../../plan/plan.ts";
import { errnoText } from "../../tables/errno.ts";

const ENOENT = 2;
const ECHILD = 10;
const ETIMEDOUT = 110;

export interface Failure {
  op: number;
  errno: number;
  value: number;
}

/** The error for init's report that op number `failure.op` failed. */
export function initFailure(program: InitProgram, failure: Failure, detail: string): RuntimeError {
  const op = decode(program)[failure.op];
  const origin = program.origins[failure.op];
  if (op === undefined || origin === undefined) {
    return new RuntimeError({ message: `init reported a failure of op ${failure.op}, which the plan lacks`, detail });
  }
  const facts = {
    pointer: origin.pointer,
    op: failure.op,
    ...(detail === "" ? {} : { detail }),
  };
  const subject = origin.subject;
  switch (op.op) {
    case "find_executable":
    case "execute":
      return new RuntimeError({ ...facts, message: executableMessage(op, failure.errno), errno: failure.errno });
    case "hook":
      return new RuntimeError({
        ...facts,
        message: hookMessage(failure),
        operation: "hook",
        ...(subject === undefined ? {} : { path: subject }),
        ...(failure.errno === ECHILD || failure.errno === ETIMEDOUT ? {} : { errno: failure.errno }),
      });
    default:
      return new RuntimeError({
        ...facts,
        message: "",
        operation: op.op,
        errno: failure.errno,
        ...(subject === undefined ? {} : { path: subject }),
      });
  }
}

/** As Go's os/exec words it: `exec: "x": executable file not found in $PATH`. */
function executableMessage(op: DecodedOp, errno: number): string {
  const { name, args } = op.operands;
  const program = typeof name === "string" ? name : Array.isArray(args) ? String(args[0]) : "";
  const quoted = JSON.stringify(program);
  if (errno !== ENOENT) return `exec: ${quoted}: ${errnoText(errno)}`;
  return program.includes("/")
    ? `exec: ${quoted}: stat ${program}: no such file or directory`
    : `exec: ${quoted}: executable file not found in $PATH`;
}

function hookMessage(failure: Failure): string {
  if (failure.errno === ETIMEDOUT) return "hook did not end within its timeout and was killed";
  if (failure.errno !== ECHILD) return "cannot run hook";
  // As waitpid(2): an exit status, or 128 + signal.
  return failure.value > 128 ? `hook was killed by signal ${failure.value - 128}` : `hook failed: exit status ${failure.value}`;
}
