// Why a step of the runtime failed: often because init had failed before. Its cgroup, which systemd removes with the last
// process, its /proc folder and its end of the socket are gone by then, and say so in words that lead nowhere.

import { RuntimeError } from "../../errors/runtime-error.ts";
import { REPORT } from "../../plan/protocol.ts";
import type { Creation } from "./creation.ts";
import { initFailure } from "./init-failure.ts";
import { initDied, reportOf } from "./reports.ts";

const POLLIN = 1;
const ENOENT = 2;
const ESRCH = 3;
const ENODEV = 19;

/** init's report of what it failed at, if there is one to be read; else the error itself. An interrupt stays what it is. */
export function firstCause(creation: Creation, error: unknown): unknown {
  const { native, socket, plan } = creation;
  if (plan === undefined || !(error instanceof RuntimeError) || error.facts.exitCode !== undefined) return error;
  for (;;) {
    const ready = native.poll(Uint32Array.of(socket), Uint32Array.of(POLLIN), 0);
    if (typeof ready === "number" || ready[0] === 0) return error;
    const words = native.receive_report(socket);
    if (typeof words === "number") return error;
    const report = reportOf(words);
    if (report.fd >= 0) native.close(report.fd);
    if (report.kind === REPORT.failed) return initFailure(plan.init, report, native.detail());
    if (report.kind === REPORT.eof) return followsFromDeath(error) ? initDied() : error;
  }
}

/** What init itself has reported has an op. */
function followsFromDeath({ facts: { op, errno } }: RuntimeError): boolean {
  return op === undefined && (errno === ENOENT || errno === ESRCH || errno === ENODEV);
}
