// Who may import whom: docs/architecture.md as a table. Imports point one way; the pure zone sees no I/O.

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, test } from "vitest";

const SRC = import.meta.dirname;

interface Edges {
  /** Folders, files or packages it may import. */
  values: readonly string[];
  /** What it may name in types only. */
  types: readonly string[];
}

const NOTHING: Edges = { values: [], types: [] };

/** A folder's own files are always allowed; so is what everybody may use. */
const EVERYBODY = ["lazy.ts", "version.ts"];

const ALLOWED: Readonly<Record<string, Edges>> = {
  tables: { values: [], types: ["config"] },
  errors: { values: ["tables"], types: [] },
  json: { values: ["errors"], types: [] },
  bpf: { values: ["errors"], types: [] },
  config: { values: ["json", "tables", "errors", "seccomp/decode.ts"], types: ["seccomp"] },
  // A library of its own (berth/seccomp): of config only what reads JSON values.
  seccomp: { values: ["bpf", "tables", "errors", "config/context.ts"], types: [] },
  bundle: { values: ["json", "tables", "errors"], types: ["config"] },
  cgroup: { values: ["bpf", "tables", "errors"], types: ["config", "plan", "host"] },
  bytes: NOTHING,
  dbus: { values: ["bytes", "errors"], types: [] },
  netlink: { values: ["bytes", "errors"], types: [] },
  resctrl: { values: ["errors"], types: ["config", "host"] },
  systemd: { values: ["dbus", "cgroup", "tables", "errors"], types: ["config", "host"] },
  // The state on a hook's stdin is part of a plan: one writer of it for hooks in and outside the container.
  plan: {
    values: ["cgroup", "resctrl", "systemd", "seccomp", "bpf", "tables", "errors", "container/hook-state.ts"],
    types: ["config", "host"],
  },
  host: { values: ["errors", "tables"], types: ["config"] },
  "host/node": { values: ["errors", "koffi", "node:buffer", "node:fs", "node:sea"], types: [] },
  container: {
    values: ["host", "systemd", "dbus", "bytes", "cgroup", "json", "tables", "errors"],
    types: ["config", "plan", "resctrl"],
  },
  command: {
    values: [
      "container",
      "host",
      "plan",
      "systemd",
      "bytes",
      "netlink",
      "resctrl",
      "cgroup",
      "config",
      "seccomp",
      "bpf",
      "bundle",
      "json",
      "tables",
      "errors",
    ],
    types: ["cli"],
  },
  cli: { values: ["tables", "errors", "yargs-parser", "yargs", "container/time.ts"], types: ["command"] },
  "main.ts": { values: ["cli", "command", "container", "errors", "host"], types: [] },
  "main.engine.ts": { values: ["main.ts"], types: ["host"] },
  "main.node.ts": { values: ["main.ts", "host", "node:path"], types: [] },
  "main.portable.ts": { values: ["main.ts", "host"], types: [] },
  "lazy.ts": NOTHING,
  "version.ts": NOTHING,
};

const PURE = [
  "tables",
  "json",
  "bpf",
  "config",
  "cgroup",
  "bytes",
  "dbus",
  "netlink",
  "resctrl",
  "systemd",
  "seccomp",
  "plan",
];

interface Import {
  /** Path below src, or the package. */
  target: string;
  typeOnly: boolean;
  /** By import(): it runs when it is called, not when the file is loaded. */
  lazy: boolean;
}

/** Imports of a file at that path below src, those by import() included. */
function importsOf(path: string, text: string): Import[] {
  const code = text.replace(/^\s*(\/\/|\/?\*).*$/gm, "");
  const statements = code.matchAll(/\b(?:import|export)\s+(type\s+)?(?:([\w*{][^;]*?)\s+from\s+)?"([^"]+)"/g);
  const dynamic = code.matchAll(/\bimport\("([^"]+)"\)/g);
  const resolve = (id: string): string => (id.startsWith(".") ? normalize(join(dirname(path), id)) : id);
  return [
    ...[...statements].map(([, type, names = "", id = ""]) => ({
      target: resolve(id),
      typeOnly:
        type !== undefined || (names.startsWith("{") && namesOf(names).every((name) => name.startsWith("type "))),
      lazy: false,
    })),
    ...[...dynamic].map(([, id = ""]) => ({ target: resolve(id), typeOnly: false, lazy: true })),
  ];
}

const namesOf = (braces: string): string[] =>
  braces
    .slice(1, -1)
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");

/** The row of the table that a path belongs to. */
function zoneOf(path: string): string {
  if (/^host\/node[\w-]*\.ts$/.test(path)) return "host/node";
  return path.split("/")[0] ?? path;
}

function violations(path: string, text: string): string[] {
  const zone = zoneOf(path);
  const edges = ALLOWED[zone];
  if (edges === undefined) return [`${path}: src/${zone} is not in the table`];
  const mayImport = (target: string, list: readonly string[]): boolean =>
    list.some((allowed) => target === allowed || target.startsWith(`${allowed}/`));
  return importsOf(path, text)
    .filter(({ target, typeOnly }) => {
      if (target.endsWith("-support.ts")) return true;
      const own = zone.split("/")[0] ?? zone;
      const values = [own, ...EVERYBODY, ...edges.values];
      return !mayImport(target, typeOnly ? [...values, ...edges.types] : values);
    })
    .map(({ target, typeOnly }) => `${path}: imports ${typeOnly ? "types" : "values"} of ${target}`);
}

/** What reads a clock or randomness. The environment is behind `Native` alone: biome.json forbids `process` in src. */
const IMPURE = /\b(Date|performance|globalThis|Math\.random)\b/;

function impurities(path: string, text: string): string[] {
  if (!PURE.includes(zoneOf(path))) return [];
  const lines = text.split("\n").filter((line) => !/^\s*(\/\/|\/?\*)/.test(line));
  return lines
    .map((line) => line.replace(/"[^"]*"|`[^`]*`|\/\/.*$/g, ""))
    .filter((line) => IMPURE.test(line))
    .map((line) => `${path}: ${line.trim()}`);
}

/** Tests and what only they use (x-support.ts) may import anything. */
const files = readdirSync(SRC, { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".ts") && !/(\.test|\.d|-support)\.ts$/.test(path))
  .map((path) => ({ path, text: readFileSync(join(SRC, path), "utf8") }));

/** Each circle once, by the path that closes it. */
function cyclesIn(imports: ReadonlyMap<string, readonly string[]>): string[] {
  const cycles: string[] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) cycles.push([...trail.slice(trail.indexOf(path)), path].join(" -> "));
    if (trail.includes(path) || done.has(path)) return;
    for (const next of imports.get(path) ?? []) visit(next, [...trail, path]);
    done.add(path);
  };
  for (const path of imports.keys()) visit(path, []);
  return cycles;
}

describe("src", () => {
  test("imports only what the table allows", () => {
    expect(files.flatMap(({ path, text }) => violations(path, text))).toEqual([]);
  });

  test("reads no clock or randomness in its pure folders", () => {
    expect(files.flatMap(({ path, text }) => impurities(path, text))).toEqual([]);
  });

  test("has no files that import each other in a circle", () => {
    const imports = new Map(
      files.map(({ path, text }) => [
        path,
        importsOf(path, text)
          .filter(({ typeOnly, lazy }) => !typeOnly && !lazy)
          .map(({ target }) => target),
      ]),
    );
    expect(cyclesIn(imports)).toEqual([]);
  });

  test("has no folder that imports, over others, itself", () => {
    const reach = (zone: string, seen: Set<string>): Set<string> => {
      for (const next of ALLOWED[zone]?.values ?? []) {
        if (seen.has(next) || !Object.hasOwn(ALLOWED, next)) continue;
        seen.add(next);
        reach(next, seen);
      }
      return seen;
    };
    for (const zone of Object.keys(ALLOWED)) expect(reach(zone, new Set())).not.toContain(zone);
  });
});

describe("the table refuses", () => {
  const samples: [path: string, text: string][] = [
    ["plan/mounts.ts", 'import { gather } from "../host/gather.ts";'],
    ["plan/mounts.ts", 'import { readFileSync } from "node:fs";'],
    ["plan/mounts.ts", 'import { create } from "../command/create.ts";'],
    ["plan/mounts.ts", 'export * from "../host/gather.ts";'],
    ["config/load.ts", 'import { type Native, open } from "../host/native.gen.ts";'],
    ["config/load.ts", 'import type { Plan } from "../plan/plan.ts";'],
    ["json/parse.ts", 'import { decode } from "../config/decode.ts";'],
    ["errors/render.ts", 'import "../cli/log.ts";'],
    ["tables/errno.ts", 'import { schema } from "../config/schema.ts";'],
    ["container/store.ts", 'import { create } from "../command/create.ts";'],
    ["command/start.ts", 'import { log } from "../cli/log.ts";'],
    ["cli/fast.ts", 'import { must } from "../host/must.ts";'],
    ["host/gather.ts", 'import { readFileSync } from "node:fs";'],
    ["main.ts", 'import koffi from "koffi";'],
    ["command/run.ts", 'const { log } = loaded(import("../cli/log.ts"));'],
    ["plan/mounts.ts", 'import { golden } from "./golden-support.ts";'],
    ["helpers/misc.ts", ""],
  ];
  test.each(samples)("%s: %s", (path, text) => {
    expect(violations(path, text)).toHaveLength(1);
  });
});

describe("the table allows", () => {
  const samples: [path: string, text: string][] = [
    ["plan/mounts.ts", 'import type { HostFacts } from "../host/facts.ts";'],
    ["plan/mounts.ts", 'import { type HostFacts, type CgroupFacts } from "../host/facts.ts";'],
    ["plan/mounts.ts", 'import {\n  type Mount,\n} from "../config/types.ts";'],
    ["plan/mounts.ts", 'import { OpWriter } from "./ops.gen.ts";'],
    ["host/node.ts", 'import koffi from "koffi";'],
    ["command/create/steps.ts", 'import { must } from "../../host/must.ts";'],
  ];
  test.each(samples)("%s: %s", (path, text) => {
    expect(violations(path, text)).toEqual([]);
  });
});

test("a circle is found", () => {
  const imports = { a: ["b"], b: ["c", "d"], c: ["a"], d: [] };
  expect(cyclesIn(new Map(Object.entries(imports)))).toEqual(["a -> b -> c -> a"]);
});

test("a pure folder may not read the clock", () => {
  expect(impurities("plan/hooks.ts", "const now = Date.now();")).toHaveLength(1);
  expect(impurities("plan/hooks.ts", 'const name = "Date"; // Date')).toEqual([]);
  expect(impurities("plan/hooks.ts", "const x = Math.random() * 2;")).toHaveLength(1);
});
