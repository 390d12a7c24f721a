// Plans as text. Each goldens/*.md holds cases: a title, prose that says why, a `json` block and a `plan` block.
//   json   { "host": "v1" | "hybrid" | "v2", "facts": {...}, "options": {...}, "config": merge patch of goldens/config.json }
//   plan   the lines of `berth explain` without numbers. With "whole": true all of them, else what differs from the plan
//          of the unchanged config on the same host: `- ` lines are gone, `+ ` lines are new.
// UPDATE=1 writes the plan blocks anew; the diff is to be reviewed.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import type { HostFacts } from "../host/facts.ts";
import { hostFacts, linesOf } from "./golden-support.ts";
import type { CreateOptions } from "./plan.ts";

interface RootlessFacts {
  euid?: number;
  egid?: number;
  userNamespace?: true;
  setgroups?: false;
  foreignNetwork?: true;
  /** Mount points of hierarchies that are closed to this runtime. */
  closed?: string[];
}

interface Case {
  host: "v1" | "hybrid" | "v2";
  whole?: boolean;
  facts?: RootlessFacts & { nofile?: [number, number]; rlimits?: [number, number, number][] };
  options?: Partial<CreateOptions>;
  config?: unknown;
}

const FOLDER = new URL("goldens/", import.meta.url);
const CASE = /^## (.+)\n([\s\S]*?)```json\n([\s\S]*?)```\n\n```plan\n([\s\S]*?)```\n/gm;

/** Lines of `b` that are not in `a` and the reverse, in order (longest common subsequence). */
function difference(a: readonly string[], b: readonly string[]): string[] {
  const width = b.length + 1;
  const length = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      const next = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
      length[i * width + j] = next;
    }
  }
  function at(i: number, j: number): number {
    return length[i * width + j] as number;
  }
  const lines: string[] = [];
  for (let i = 0, j = 0; i < a.length || j < b.length; ) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      i++;
      j++;
    } else if (j >= b.length || (i < a.length && at(i + 1, j) >= at(i, j + 1))) lines.push(`- ${a[i++]}`);
    else lines.push(`+ ${b[j++]}`);
  }
  return lines;
}

function rootless(
  host: HostFacts,
  { closed = [], euid, egid, userNamespace, setgroups, foreignNetwork }: RootlessFacts,
) {
  const { cgroup } = host;
  for (const hierarchy of [...cgroup.hierarchies, ...(cgroup.unified === undefined ? [] : [cgroup.unified])]) {
    if (closed.includes(hierarchy.mountpoint)) hierarchy.closed = true;
  }
  const facts = { euid, egid, userNamespace, setgroups, foreignNetwork };
  return Object.assign(host, Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined)));
}

function listing({ host, whole, facts, options, config }: Case): string {
  const gathered = rootless(hostFacts(host), facts ?? {});
  if (facts?.nofile !== undefined) gathered.nofile = { soft: BigInt(facts.nofile[0]), hard: BigInt(facts.nofile[1]) };
  for (const [resource, soft, hard] of facts?.rlimits ?? []) {
    (gathered.rlimits as Map<number, unknown>).set(resource, { soft: BigInt(soft), hard: BigInt(hard) });
  }
  const lines = linesOf(config ?? {}, { ...options, facts: gathered });
  const shown = whole === true ? lines : difference(linesOf({}, { facts: hostFacts(host) }), lines);
  return shown.map((line) => `${line}\n`).join("");
}

for (const file of readdirSync(FOLDER).filter((name) => name.endsWith(".md"))) {
  const url = new URL(file, FOLDER);
  const text = readFileSync(url, "utf8");
  let updated = text;
  describe(file, () => {
    for (const [whole, title, , json, plan] of text.matchAll(CASE)) {
      test(title as string, () => {
        const actual = listing(JSON.parse(json as string) as Case);
        if (process.env.UPDATE === undefined) expect(actual).toBe(plan);
        else
          updated = updated.replace(whole as string, () =>
            (whole as string).replace(/```plan\n[\s\S]*?```\n/, () => `\`\`\`plan\n${actual}\`\`\`\n`),
          );
      });
    }
    test("has cases", () => expect([...text.matchAll(CASE)].length).toBeGreaterThan(0));
    afterAll(() => {
      if (updated !== text) writeFileSync(url, updated);
    });
  });
}
