// Runs one validation program with one runtime, in a view of its own, for a bounded time.

import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { judge, type Verdict } from "./judge.ts";

export interface Venue {
  /** What private.sh shows of the cgroups: v1, hybrid, v2. */
  view: string;
  /** Where the programs are. */
  programs: string;
  /** For one program, in seconds. */
  limit: number;
}

const SUPPORT = join(import.meta.dirname, "..", "support");
const CGROUPS = "/sys/fs/cgroup";
/** The names that the suite gives its containers and their cgroups. */
const OURS = /^(cgrouptest|testdir|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/** The suite's cgroups of every hierarchy. */
function cgroups(): Set<string> {
  const found = new Set<string>();
  const roots = [CGROUPS, ...readdirSync(CGROUPS).map((name) => join(CGROUPS, name))];
  for (const root of roots) {
    if (!statSync(root).isDirectory()) continue;
    for (const name of readdirSync(root)) if (OURS.test(name)) found.add(join(root, name));
  }
  return found;
}

function removeCgroup(folder: string): void {
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true }))
      if (entry.isDirectory()) removeCgroup(join(folder, entry.name));
    rmdirSync(folder);
  } catch {
    // Still in use, or gone meanwhile: the next program would say so.
  }
}

/** The verdict on one program; what a broken-off one left of its cgroups is removed. */
export function runProgram(runtime: string, program: string, venue: Venue): Verdict {
  const work = mkdtempSync(join(tmpdir(), "berth-conformance-"));
  const files = ["stdout", "stderr"].map((name) => join(work, name)) as [string, string];
  // Files, since a container that survives would hold a pipe open.
  const [stdout, stderr] = [openSync(files[0], "w"), openSync(files[1], "w")];
  const before = cgroups();
  try {
    const done = spawnSync(join(SUPPORT, "private.sh"), [venue.view, join(import.meta.dirname, "one.sh"), program], {
      stdio: ["ignore", stdout, stderr],
      env: { ...process.env, RUNTIME: runtime, PROGRAMS: venue.programs },
      timeout: venue.limit * 1000,
      killSignal: "SIGTERM",
    });
    const [out, err] = files.map((file) => readFileSync(file, "utf8")) as [string, string];
    const timedOut = done.error !== undefined || done.signal !== null;
    return judge({ program, stdout: out, stderr: err, code: timedOut ? null : done.status });
  } finally {
    closeSync(stdout);
    closeSync(stderr);
    rmSync(work, { recursive: true, force: true });
    for (const folder of cgroups()) if (!before.has(folder)) removeCgroup(folder);
  }
}
