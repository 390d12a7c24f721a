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

export type Body = (t: Sandbox) => void | Promise<void>;
export type Rule = (title: string, body: Body, options?: RuleOptions) => void;

function reasonToSkip(runtime: Runtime, title: string, options: RuleOptions): string | undefined {
  if (options.skip) return options.skip;
  if (options.only !== undefined && !options.only.includes(runtime.kind)) return `only for ${options.only.join(", ")}`;
  return options.except?.[runtime.kind] ?? difference(runtime.kind, title);
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

export function suite(name: string, define: (rule: Rule, runtime: Runtime) => void, list = runtimes()): void {
  for (const runtime of list) {
    describe(`${name} (${runtime.name})`, () => {
      const rule: Rule = (title, body, options = {}) => {
        test(title, { timeout: options.timeout ?? 30_000 }, async (context) => {
          const reason = reasonToSkip(runtime, title, options);
          if (reason !== undefined) context.skip(reason);
          await inSandbox(runtime, body);
        });
      };
      define(rule, runtime);
    });
  }
}
