// suite("start", (rule) => { rule("fails the second time", async (t) => { ... }); }) for every runtime under test.

import { describe, test } from "vitest";
import { difference } from "./differences.ts";
import { type Kind, type Runtime, runtimes } from "./runtime.ts";
import { Sandbox } from "./sandbox.ts";

export interface RuleOptions {
  /** Runtimes that are known to do otherwise, with the reason. */
  except?: Partial<Record<Kind, string>>;
  /** Only for these runtimes: what is ours and nobody else's. */
  only?: readonly Kind[];
  /** Why it cannot run here; undefined or false when it can. */
  skip?: string | false | undefined;
  /** Milliseconds. */
  timeout?: number;
}

/** Why a test was not run, in vitest's report: docs/conformance.md is made from it. */
export interface Unproved {
  why: "differs" | "not run";
  reason: string;
}

declare module "vitest" {
  interface TaskMeta {
    unproved?: Unproved;
  }
}

export type Body = (t: Sandbox) => void | Promise<void>;
export type Rule = (title: string, body: Body, options?: RuleOptions) => void;

function unproved(runtime: Runtime, title: string, options: RuleOptions): Unproved | undefined {
  if (options.skip) return { why: "not run", reason: options.skip };
  if (options.only !== undefined && !options.only.includes(runtime.kind))
    return { why: "not run", reason: `only for ${options.only.join(", ")}` };
  const reason = options.except?.[runtime.kind] ?? difference(runtime.kind, title);
  return reason === undefined ? undefined : { why: "differs", reason };
}

async function inSandbox(runtime: Runtime, body: Body): Promise<void> {
  const t = new Sandbox(runtime);
  try {
    await body(t);
  } catch (error) {
    // The first error counts; what it left must not spoil the next test.
    await t.end().catch((second: unknown) => {
      process.stderr.write(`after the failure: ${String(second)}\n`);
    });
    throw error;
  }
  await t.end();
}

/** DIFFERENCES=prove: what is listed as a difference must fail, so that the list does not outlive the peers' versions. */
async function proveDifference(runtime: Runtime, body: Body): Promise<void> {
  try {
    await inSandbox(runtime, body);
  } catch {
    return;
  }
  throw new Error("is listed as a difference, and holds");
}

export function suite(name: string, define: (rule: Rule, runtime: Runtime) => void, list = runtimes()): void {
  for (const runtime of list) {
    describe(`${name} (${runtime.name})`, () => {
      const rule: Rule = (title, body, options = {}) => {
        test(title, { timeout: options.timeout ?? 30_000 }, async (context) => {
          const missing = unproved(runtime, title, options);
          if (missing !== undefined) {
            context.task.meta.unproved = missing;
            if (missing.why === "differs" && process.env.DIFFERENCES === "prove") await proveDifference(runtime, body);
            context.skip(missing.reason);
          }
          await inSandbox(runtime, body);
        });
      };
      define(rule, runtime);
    });
  }
}
