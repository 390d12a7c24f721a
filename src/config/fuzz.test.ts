import { describe, expect } from "vitest";
import { configTemplate } from "../bundle/template.ts";
import { fuzz, type Random, refused } from "../fuzz-support.ts";
import { parseExact } from "../json/exact.ts";
import { MAX_DEPTH, parseJson } from "../json/parse.ts";
import { compileCreate } from "../plan/create.ts";
import { decode } from "../plan/decode.ts";
import { hostFacts, optionsWith } from "../plan/golden-support.ts";
import { MAX_ISSUES } from "./context.ts";
import { loadConfig } from "./load.ts";
import { loadProcess } from "./process-document.ts";

const PIECES = [
  ...'{}[],:"\\/\n\0',
  '"',
  "null",
  "true",
  "-1",
  "1e309",
  "18446744073709551615",
  "18446744073709551616",
  "-9223372036854775808",
  "9007199254740993",
  "\\u0000",
  "\\ud800",
  "\\udc80",
  '"__proto__":{}',
  '"a":[{}],',
  "[".repeat(40),
  '"/proc/self/fd/3"',
  '"../.."',
  '"/a/../../b"',
  '{"type":"user"},',
  '{"destination":"/x","type":"tmpfs","source":"tmpfs"},',
  '"uidMappings":[{"containerID":0,"hostID":4294967295,"size":2}],',
  '"sysctl":{"net.a/../b":"1\\n"},',
  '"seccomp":{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["read"],"action":"SCMP_ACT_LOG"}]},',
];

const MODES = ["v1", "hybrid", "v2"] as const;

function document(random: Random): string {
  const text = configTemplate({
    cgroup2: random.below(2) === 0,
    ...(random.below(4) === 0 ? { rootless: { euid: 1, egid: 1 } } : {}),
  });
  return random.below(3) === 0 ? JSON.stringify(JSON.parse(text)) : text;
}

const isSafe = (value: unknown): boolean =>
  typeof value !== "object" || value === null
    ? typeof value !== "bigint"
    : Object.values(value).every((member) => isSafe(member));

/** Without what parseJson refuses or keeps on purpose: long integers, unpaired surrogates, very deep nesting. */
function plainly(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return /\\u[dD][89a-fA-F]|\d{16}/.test(text) ? undefined : value;
  } catch {
    return undefined;
  }
}

describe("whatever the text is", () => {
  fuzz("JSON is read as by JSON.parse, or refused with its place", (random) => {
    const source = random.below(3) === 0 ? "" : document(random);
    const text = random.changed(source, PIECES);
    const value = refused(() => parseJson(text));
    const exact = refused(() => parseExact(text));
    if (value !== undefined && isSafe(exact)) expect(exact).toEqual(value);
    expect(value === undefined).toBe(exact === undefined);
    const plain = plainly(text);
    if (plain !== undefined && text.split(/[[{]/).length <= MAX_DEPTH) expect(value).toEqual(plain);
    if (value !== undefined && isSafe(value)) expect(JSON.parse(text)).toEqual(value);
  });

  fuzz("config.json is a config or issues, and a config a plan that is what it says", (random) => {
    const text = random.changed(document(random), PIECES);
    const { config, issues } = loadConfig(text);
    expect(config === undefined).toBe(issues.some(({ kind }) => kind !== "warning"));
    expect(issues.length).toBeLessThanOrEqual(MAX_ISSUES);
    if (config === undefined) return;
    const facts = hostFacts(random.one(MODES));
    const plan = refused(() => compileCreate(config, optionsWith({ facts })));
    if (plan === undefined) return;
    expect(decode(plan.init).length).toBeGreaterThan(10);
  });

  fuzz("process.json is a process or issues", (random) => {
    const { process } = JSON.parse(document(random));
    const { process: read, issues } = loadProcess(random.changed(JSON.stringify(process), PIECES));
    expect(read === undefined).toBe(issues.some(({ kind }) => kind !== "warning"));
  });
});
