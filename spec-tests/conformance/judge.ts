// What the output of a validation program says. The programs print TAP, each in its own way:
//   - most number their points and end with a plan, some do so several times;
//   - those about hooks print `1..0`, and a failure only as a YAML block with "error" in it;
//   - an "error" in the block right after an `ok` is what was expected, and no failure;
//   - those about values that must be refused print nothing when all is well, and speak by their exit code.

export interface Verdict {
  outcome: "pass" | "fail" | "skip";
  /** The first thing that failed, or why it was skipped; one line. */
  reason: string;
}

export interface Finished {
  program: string;
  stdout: string;
  stderr: string;
  /** Exit code; null when it was ended for its time. */
  code: number | null;
}

/** Programs that print nothing when they pass. */
const SILENT = new Set(["process_capabilities_fail", "process_rlimits_fail"]);

const POINT = /^(not )?ok\b\s*\d*\s*-?\s*(.*?)\s*(?:#\s*(SKIP|TODO)\b\s*(.*))?$/i;

function firstLine(text: string): string {
  return (
    text
      .split("\n")
      .map((line) => line.trim())
      .find((line) => line !== "") ?? ""
  );
}

/** The "error" of a YAML block, which is JSON in these programs; "" when there is none. */
function errorOf(block: string): string {
  try {
    const { error } = JSON.parse(block) as { error?: unknown };
    return typeof error === "string" ? firstLine(error) : "";
  } catch {
    return /"?error"?\s*:/.test(block) ? firstLine(block) : "";
  }
}

interface Tally {
  points: number;
  skipped: number;
  skipReason: string;
  /** What all plans promise; undefined without any. */
  planned: number | undefined;
  failure: string;
}

function tally(stdout: string): Tally {
  const sum: Tally = { points: 0, skipped: 0, skipReason: "", planned: undefined, failure: "" };
  let explained = false;
  let block: string[] | undefined;
  const fail = (what: string) => {
    if (sum.failure === "") sum.failure = what === "" ? "a point without a title" : what;
  };
  for (const line of stdout.split("\n")) {
    if (block !== undefined) {
      if (line.trim() !== "...") {
        block.push(line);
        continue;
      }
      const error = errorOf(block.join("\n"));
      if (error !== "" && !explained) fail(error);
      block = undefined;
      explained = false;
      continue;
    }
    if (line.trim() === "---") {
      block = [];
      continue;
    }
    const plan = /^1\.\.(\d+)/.exec(line);
    if (plan !== null) sum.planned = (sum.planned ?? 0) + Number(plan[1]);
    const point = POINT.exec(line);
    if (point === null) continue;
    const [, not, title = "", directive, why = ""] = point;
    sum.points++;
    explained = not === undefined;
    if (directive !== undefined) {
      sum.skipped++;
      sum.skipReason = why === "" ? title : why;
    } else if (not !== undefined) fail(title);
  }
  return sum;
}

/** Passed, failed or skipped, and why. */
export function judge({ program, stdout, stderr, code }: Finished): Verdict {
  if (code === null) return { outcome: "fail", reason: "out of time" };
  const sum = tally(stdout);
  const said = sum.failure !== "" ? sum.failure : firstLine(stderr.replace(/^failed to .*\n/, ""));
  if (code !== 0) return { outcome: "fail", reason: said === "" ? `exit code ${code}` : said };
  if (sum.failure !== "") return { outcome: "fail", reason: sum.failure };
  if (sum.planned === undefined) {
    if (SILENT.has(program) && stdout === "") return { outcome: "pass", reason: "" };
    return { outcome: "fail", reason: said === "" ? "ended without a plan" : said };
  }
  if (sum.planned !== sum.points) return { outcome: "fail", reason: `${sum.points} points of ${sum.planned}` };
  if (sum.points > 0 && sum.skipped === sum.points) return { outcome: "skip", reason: sum.skipReason };
  return { outcome: "pass", reason: "" };
}
