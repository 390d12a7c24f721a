// init fails while the runtime is busy with a step of its own, which then fails as well, because what init had is gone: the
// error is init's. The test build (dist/test/berth) stops and fails where it is told.

import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { sleep } from "./support/sandbox.ts";
import { suite } from "./support/suite.ts";
import { testBuild } from "./support/test-build.ts";

const runtimes = testBuild("first-cause.test.ts");

/** What a cgroup or /proc file of a dead process says; not ENOENT, which to an undo means that all is well. */
const ESRCH = 3;
const MINUTES = 60_000;
/** More native calls than a create has. */
const END = 1000;
/** Milliseconds that init has to get to its failure, when it can. */
const PATIENCE = 150;

/** Field 3 of /proc/PID/stat; undefined when there is no such process. */
function state(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return text.slice(text.lastIndexOf(")") + 2)[0];
  } catch {
    return undefined;
  }
}

function hasDeadChild(pid: number): boolean {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ");
  return children.some((child) => child !== "" && state(Number(child)) === "Z");
}

suite(
  "the first cause",
  (rule) => {
    rule(
      "init's failure is reported, whatever call of create fails after it",
      async (t) => {
        const bundle = t.bundle("true", (config) => {
          config.process.args = ["/etc/no-such-program"];
        });
        const wrong: string[] = [];
        let after = 0;
        for (let call = 1; call < END; call++) {
          const id = t.newId();
          const env = { BERTH_STOP_NATIVE: String(call), BERTH_FAIL_NATIVE: `*:${call}:${ESRCH}` };
          const running = t.start(["create", "--bundle", bundle, id], { env: { ...process.env, ...env } });
          while (running.child.exitCode === null && !/[TZ]/.test(state(running.pid) ?? "Z")) await sleep(1);
          const end = Date.now() + PATIENCE;
          const stopped = state(running.pid) === "T";
          while (stopped && Date.now() < end && !hasDeadChild(running.pid)) await sleep(5);
          const dead = stopped && hasDeadChild(running.pid);
          if (stopped) running.child.kill("SIGCONT");
          const result = await running.done;
          await t.call(["delete", "--force", id]); // when the undo itself was hit
          if (!stopped) break;
          if (result.code !== 1) wrong.push(`call ${call}: exit ${result.code}`);
          if (!dead) continue;
          after++;
          if (!/msg="create: exec: \\"\/etc\/no-such-program\\"/.test(result.stderr))
            wrong.push(`call ${call}: ${result.stderr}`);
        }
        process.stdout.write(`${after} native calls after init's failure\n`);
        expect(wrong).toEqual([]);
        expect(after).toBeGreaterThan(10);
      },
      { timeout: 10 * MINUTES },
    );
  },
  runtimes,
);
