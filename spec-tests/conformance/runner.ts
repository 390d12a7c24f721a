// Runs one validation program with one runtime, in a view of its own, for a bounded time.

import { spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cgroups, removeCgroups, SHARED } from "./cgroups.ts";
import { judge, type Verdict } from "./judge.ts";
import { environment } from "./races.ts";

export interface Venue {
  /** What private.sh shows of the cgroups: v1, hybrid, v2. */
  view: string;
  /** Where the programs are. */
  programs: string;
  /** For one program, in seconds. */
  limit: number;
}

/** Whether the program uses cgroups by names that others use, too: such programs run one after the other. */
export function sharesCgroups(program: string): boolean {
  return /cgroups|resources/.test(program);
}

/** Exit code; null when it was ended for its time. */
function finished(program: string, runtime: string, venue: Venue, out: [number, number]): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const child = spawn(
      "spec-tests/support/private.sh",
      [venue.view, `${process.cwd()}/spec-tests/conformance/one.sh`, program],
      {
        stdio: ["ignore", ...out],
        env: {
          ...process.env,
          ...environment(program, runtime),
          PROGRAMS: venue.programs,
          PATIENCE: String(venue.limit / 2),
        },
        timeout: venue.limit * 1000,
        killSignal: "SIGTERM",
      },
    );
    child.on("error", reject);
    // Ended for its time, private.sh answers with an exit code of its own.
    child.on("exit", (code) => resolve(child.killed ? null : code));
  });
}

/** The verdict on one program. */
export async function runProgram(runtime: string, program: string, venue: Venue): Promise<Verdict> {
  const work = mkdtempSync(join(tmpdir(), "berth-conformance-"));
  const files = ["stdout", "stderr"].map((name) => join(work, name)) as [string, string];
  // Files, since a container that survives would hold a pipe open.
  const out = files.map((file) => openSync(file, "w")) as [number, number];
  const before = cgroups(SHARED);
  try {
    const code = await finished(program, runtime, venue, out);
    const [stdout, stderr] = files.map((file) => readFileSync(file, "utf8")) as [string, string];
    return judge({ program, stdout, stderr, code });
  } finally {
    for (const fd of out) closeSync(fd);
    rmSync(work, { recursive: true, force: true });
    if (sharesCgroups(program)) removeCgroups(SHARED, before);
  }
}
