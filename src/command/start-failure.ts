// What init reported at `start` as the error that the user sees. The plan is gone by now: where its last ops came from
// stands in the state record.

import type { StartFailure } from "../container/start-pipe.ts";
import type { StartOps } from "../container/state.ts";
import { type ErrorFacts, RuntimeError } from "../errors/runtime-error.ts";
import { OPS } from "../plan/ops.ts";
import { errnoText } from "../tables/errno.ts";

const ENOENT = 2;
const ECHILD = 10;
const ETIMEDOUT = 110;

/** The error for a report of init after it was released. */
export function startFailure(failure: StartFailure, recorded: StartOps | undefined): RuntimeError {
  const [code, pointer, subject] = recorded?.ops[failure.op - recorded.first] ?? [0, "", ""];
  const name = Object.keys(OPS)[code - 1] ?? "execute";
  const facts = {
    op: failure.op,
    errno: failure.errno,
    ...(pointer === "" ? {} : { pointer }),
    ...(failure.detail === "" ? {} : { detail: failure.detail }),
  };
  if (name === "execute") return new RuntimeError({ ...facts, message: executeMessage(subject, failure.errno) });
  const about: Partial<ErrorFacts> = subject === "" ? {} : { path: subject };
  if (name !== "hook") return new RuntimeError({ ...facts, ...about, message: "", operation: name });
  const { errno: _, ...withoutErrno } = facts;
  if (failure.errno === ETIMEDOUT) {
    return new RuntimeError({
      ...withoutErrno,
      ...about,
      message: "hook did not end within its timeout and was killed",
    });
  }
  if (failure.errno !== ECHILD) return new RuntimeError({ ...facts, ...about, message: "cannot run hook" });
  const { value } = failure;
  const how = value > 128 ? `hook was killed by signal ${value - 128}` : `hook failed: exit status ${value}`;
  return new RuntimeError({ ...withoutErrno, ...about, message: how });
}

/** The phrases that engines match. The file was there at create: it has been removed since, or its interpreter is missing. */
function executeMessage(program: string, errno: number): string {
  const text = errno === ENOENT ? "no such file or directory" : errnoText(errno);
  return program === "" ? `exec of the container's program: ${text}` : `exec ${JSON.stringify(program)}: ${text}`;
}
