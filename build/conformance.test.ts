// What counts as passed in the validation suite: spec-tests/conformance.

import { describe, expect, test } from "vitest";
import { applies, type Expected, expectation } from "../spec-tests/conformance/expected.ts";
import { judge } from "../spec-tests/conformance/judge.ts";
import { inLanes } from "../spec-tests/conformance/lanes.ts";

const judged = (stdout: string, code: number | null = 0, program = "create", stderr = "") => {
  const { outcome, reason } = judge({ program, stdout, stderr, code });
  return reason === "" ? outcome : `${outcome}: ${reason}`;
};
const yaml = (value: object) => `  ---\n  ${JSON.stringify(value)}\n  ...\n`;

describe("a validation program", () => {
  test.each([
    ["passes when all its points do", "TAP version 13\nok 1 - a\nok 2 - b\n1..2\n", 0, "pass"],
    ["fails by one point", "ok 1 - a\nnot ok 2 - b\n1..2\n", 0, "fail: b"],
    ["fails by its exit code", "ok 1 - a\n1..1\n", 3, "fail: exit code 3"],
    ["fails when its time is over", "ok 1 - a\n1..1\n", null, "fail: out of time"],
    ["fails when it breaks off", "ok 1 - a\n", 0, "fail: ended without a plan"],
    ["fails when points are missing", "ok 1 - a\n1..2\n", 0, "fail: 1 points of 2"],
    ["may have several plans", "ok 1 - a\n1..1\nTAP version 13\n1..0\n", 0, "pass"],
    ["fails by an error without any point", `TAP version 13\n${yaml({ error: "late\nmore" })}1..0\n`, 0, "fail: late"],
    ["passes without any point and error", "TAP version 13\n1..0\n", 0, "pass"],
    ["passes with an error that was expected", `ok 1 - refused\n${yaml({ error: "exit status 1" })}1..1\n`, 0, "pass"],
    ["is skipped when all its points are", "ok 1 # SKIP no such kernel\n1..1\n", 0, "skip: no such kernel"],
  ])("%s", (_, stdout, code, expected) => {
    expect(judged(stdout, code)).toBe(expected);
  });

  test("that prints nothing passes only where that is its way", () => {
    expect(judged("", 0, "process_rlimits_fail", "failed to create the container\nsome error\n")).toBe("pass");
    expect(judged("", 0, "mounts")).toBe("fail: ended without a plan");
  });
});

describe("what no runtime passes", () => {
  const list: Expected[] = [{ program: "hooks", views: ["v1"], reason: "WHY", controls: { runc: "order" } }];
  const failed = { outcome: "fail", reason: "order is wrong" } as const;
  const passed = { outcome: "pass", reason: "" } as const;
  const verdict = (own: typeof failed | typeof passed, theirs: typeof failed | typeof passed, known = list) =>
    expectation(known, "hooks", own, [{ name: "runc 1.1.5", verdict: theirs }]);

  test("is a skip with its reason, and with what the controls say", () => {
    expect(verdict(failed, failed)).toEqual({
      outcome: "skip",
      reason: "no runtime passes: WHY",
      notes: ["order is wrong", "runc 1.1.5: order is wrong"],
    });
  });
  test("is a failure as soon as a control passes", () => {
    expect(verdict(failed, passed).outcome).toBe("fail");
  });
  test("is a failure as soon as it passes", () => {
    expect(verdict(passed, failed)).toMatchObject({ outcome: "fail", reason: "passes now: take it off expected.json" });
  });
  test("counts only where it is listed", () => {
    expect(verdict(failed, passed, [])).toEqual({ ...failed, notes: ["passes under runc 1.1.5"] });
  });
  test.each<[string, Partial<Expected>, boolean]>([
    ["is about its views", {}, true],
    ["is not about others", { views: ["v2"] }, false],
    ["holds where a path is missing", { needs: { path: "/no/such/path" } }, true],
    ["does not hold where it is there", { needs: { path: "/proc" } }, false],
    ["holds where a capability is missing", { needs: { capability: 63 } }, true],
  ])("%s", (_, more, holds) => {
    expect(applies({ ...(list[0] as Expected), ...more }, "v1")).toBe(holds);
  });
});

test.each([1, 2, 3])("programs share %i lanes, but for those that must be alone", async (width) => {
  let running = 0;
  let alone = 0;
  let most = 0;
  const results = await inLanes(
    [5, 1, 4, 2, 3, 0],
    width,
    (n) => n > 3,
    async (n) => {
      most = Math.max(most, ++running);
      if (n > 3) expect(++alone).toBe(1);
      await new Promise((resolve) => setTimeout(resolve, 5 * n));
      if (n > 3) alone--;
      running--;
      return n * n;
    },
  );
  expect(results).toEqual([25, 1, 16, 4, 9, 0]);
  expect(most).toBe(width);
});
