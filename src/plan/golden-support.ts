// What the plan's tests share: facts of made-up hosts, and plans from config.json fragments.

import { readFileSync } from "node:fs";
import { loadConfig } from "../config/load.ts";
import type { Config } from "../config/types.ts";
import type { HostFacts } from "../host/facts.ts";
import { compileCreate } from "./create.ts";
import type { CreateOptions, Plan } from "./plan.ts";
import { printPlan } from "./print.ts";

const CONTROLLERS = ["name=systemd", "pids", "freezer", "memory", "devices", "cpuset", "cpu,cpuacct"];

/** A host with the given cgroup layout, as root. */
export function hostFacts(mode: HostFacts["cgroup"]["mode"]): HostFacts {
  const hierarchies = CONTROLLERS.map((name) => ({
    name,
    mountpoint: `/sys/fs/cgroup/${name.replace("name=", "")}`,
    own: "/",
  }));
  const host = {
    kernel: [6, 1] as const,
    euid: 0,
    egid: 0,
    kcore: true,
    apparmor: true,
    selinux: true,
    rlimits: new Map(),
  };
  switch (mode) {
    case "v1":
      return { ...host, cgroup: { mode, hierarchies } };
    case "hybrid":
      return { ...host, cgroup: { mode, hierarchies, unified: { mountpoint: "/sys/fs/cgroup/unified", own: "/" } } };
    case "v2":
      return { ...host, cgroup: { mode, hierarchies: [], unified: { mountpoint: "/sys/fs/cgroup", own: "/" } } };
  }
}

/** What `runc spec` writes, but for the terminal. */
export const defaultJson: Record<string, unknown> = JSON.parse(
  readFileSync(new URL("goldens/config.json", import.meta.url), "utf8"),
);

/** RFC 7386. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch;
  const merged: Record<string, unknown> =
    typeof target === "object" && target !== null && !Array.isArray(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else merged[key] = mergePatch(merged[key], value);
  }
  return merged;
}

/** The default config with a merge patch; throws when it is not valid. */
export function configWith(patch: unknown): Config {
  const { config, issues } = loadConfig(JSON.stringify(mergePatch(defaultJson, patch)));
  const problems = issues.filter((issue) => issue.kind !== "warning");
  if (config === undefined || problems.length > 0) throw new Error(JSON.stringify(problems));
  return config;
}

export function optionsWith(patch: Partial<CreateOptions>): CreateOptions {
  return {
    id: "box",
    bundle: "/bundle",
    preserveFds: 0,
    listenFds: 0,
    noPivot: false,
    noNewKeyring: false,
    outlives: true,
    console: "none",
    facts: hostFacts("v1"),
    ...patch,
  };
}

/** The plan of a patched default config. */
export function planOf(patch: unknown, options: Partial<CreateOptions> = {}): Plan {
  return compileCreate(configWith(patch), optionsWith(options));
}

/** Lines of `berth explain` without their numbers: `init  dumpable 0`. */
export function linesOf(patch: unknown, options: Partial<CreateOptions> = {}): string[] {
  const text = printPlan(planOf(patch, options), "text", { id: options.id ?? "box", config: configWith(patch) });
  return text
    .trimEnd()
    .split("\n")
    .slice(1)
    .map((line) =>
      line.replace(/^(berth|init) +\d+ +/, (_, by: string) => `${by.padEnd(6)}`).replace(/ {2,}(?=\S*$)/, "   "),
    );
}

/** The ops of init alone, without origins. */
export function opsOf(patch: unknown, options: Partial<CreateOptions> = {}): string[] {
  return linesOf(patch, options)
    .filter((line) => line.startsWith("init"))
    .map((line) => line.slice(6).replace(/ {3}\S*$/, ""));
}
