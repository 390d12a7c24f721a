// The runtime's side of the sync socket: waits for init's reports and turns a failure into the error the user sees.

import { RuntimeError } from "../../errors/runtime-error.ts";
import { must } from "../../host/must.ts";
import type { Native } from "../../host/native.gen.ts";
import { loaded } from "../../lazy.ts";
import type { InitProgram } from "../../plan/plan.ts";
import { REPORT } from "../../plan/protocol.ts";
import type { Interrupts } from "./interrupts.ts";

const EPIPE = 32;
const ECONNRESET = 104;

/** For what is sent ahead of init. That init is dead is not said here: its last report says more. */
export function mustSend(sent: number, message: string): void {
  if (sent !== -EPIPE && sent !== -ECONNRESET) must(sent, { operation: "send", message });
}

export interface Report {
  kind: number;
  op: number;
  errno: number;
  value: number;
  fd: number;
}

/** What native.receive_report gives. */
export function reportOf(words: readonly number[]): Report {
  return {
    kind: words[0] as number,
    op: words[1] as number,
    errno: words[2] as number,
    value: words[3] as number,
    fd: words[4] as number,
  };
}

/** Waits for the report of the given kind (and, for a barrier, number); anything else is the error to throw. */
export function awaitReport(
  native: Native,
  interrupts: Interrupts,
  socket: number,
  program: InitProgram,
  kind: number,
  barrier: number,
): Report {
  interrupts.waitFor(socket);
  const words = must(native.receive_report(socket), { operation: "recvmsg", message: "cannot hear from init" });
  const report = reportOf(words as number[]);
  if (report.kind === kind && (kind !== REPORT.barrier || report.value === barrier)) return report;
  if (report.kind === REPORT.failed) {
    const { initFailure } = loaded(import("./init-failure.ts"));
    throw initFailure(program, report, native.detail());
  }
  if (report.kind === REPORT.eof) {
    throw initDied();
  }
  throw new RuntimeError({ message: `init reported ${report.kind} where ${kind} was expected` });
}

export function initDied(): RuntimeError {
  const message = "the container's init process died before it was ready (killed, or out of memory)";
  return new RuntimeError({ message });
}
