// linux.seccomp in tests: a profile for a bundle, and what the kernel makes of calls under it (helpers/calls.c).

import { spawn } from "node:child_process";
import { copyFileSync, existsSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "./config.ts";
import { helper } from "./helpers.ts";
import type { CallOptions, Runtime } from "./runtime.ts";
import { type Edit, type Sandbox, until } from "./sandbox.ts";

export interface Arg {
  index: number;
  value: number | bigint;
  valueTwo?: number | bigint;
  op: string;
}

export interface ProfileRule {
  names: string[];
  action: string;
  errnoRet?: number;
  args?: Arg[];
}

export interface Profile {
  defaultAction: string;
  defaultErrnoRet?: number;
  architectures?: string[];
  flags?: string[];
  listenerPath?: string;
  listenerMetadata?: string;
  syscalls?: ProfileRule[];
}

/** Everything is allowed but what the rules say. */
export const allowing = (...syscalls: ProfileRule[]): Profile => ({ defaultAction: "SCMP_ACT_ALLOW", syscalls });

/** A system call that has no effect, whatever its arguments are: it looks at the low half of the first one only. */
export const HARMLESS = "sched_get_priority_max";
export const HARMLESS_NUMBER = 146;

/** A bundle whose program is helpers/NAME with those words. */
export function helperBundle(
  t: Sandbox,
  name: string,
  words: readonly string[],
  edit?: Edit,
  flags?: string[],
): string {
  const bundle = t.bundle("", (config) => {
    config.process.args = [`/bin/${name}`, ...words];
    edit?.(config);
  });
  copyFileSync(helper(name, flags), join(bundle, "rootfs/bin", name));
  return bundle;
}

/** What becomes of the calls under a profile, a line each. */
export async function verdicts(
  t: Sandbox,
  profile: Profile | undefined,
  calls: readonly string[],
  edit?: (config: Config) => void,
  runtime: Runtime = t.runtime,
  options?: CallOptions,
): Promise<string[]> {
  const bundle = helperBundle(t, "calls", calls, (config) => {
    if (profile !== undefined) config.linux.seccomp = plain(profile);
    edit?.(config);
  });
  const result = await runtime.call(
    ["--root", t.path(`state-${runtime.name}`), "run", "--bundle", bundle, t.newId()],
    options,
  );
  if (result.code !== 0) throw new Error(`${runtime.name}: ${JSON.stringify(result)}`);
  return result.stdout.trimEnd().split("\n");
}

/** JSON.stringify has no bigint; tests need none above 2^53 that is not a power of two or near one: Number keeps those. */
const plain = (profile: Profile): unknown =>
  JSON.parse(JSON.stringify(profile, (_, value: unknown) => (typeof value === "bigint" ? Number(value) : value)));

/** helpers/agent.c. */
export interface Agent {
  path: string;
  /** What it has received, a container process state each. */
  states: () => Record<string, unknown>[];
}

export async function startAgent(t: Sandbox): Promise<Agent> {
  const path = t.path("agent.sock");
  const output = t.path("agent.out");
  t.helper(spawn(helper("agent"), [path], { stdio: ["ignore", openSync(output, "w"), "inherit"] }));
  await until("the agent listens", () => existsSync(path));
  const states = (): Record<string, unknown>[] =>
    readFileSync(output, "utf8")
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { path, states };
}

/** Those calls are notified to who listens at the path. */
export const notifying = (path: string, names: string[], more: Partial<Profile> = {}): Profile => ({
  ...allowing({ names, action: "SCMP_ACT_NOTIFY" }),
  listenerPath: path,
  ...more,
});
