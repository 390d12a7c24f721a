// The flags of `update` as resources. They are made into the JSON that --resources would read, and decoded like that: one
// set of rules for both.

import type { Options } from "../../cli/reading.ts";
import { Context } from "../../config/context.ts";
import { decodeResources } from "../../config/resources.ts";
import type { Issue } from "../../config/types.ts";
import { RuntimeError } from "../../errors/runtime-error.ts";
import { warn } from "../../errors/warning.ts";
import { parseSize } from "../../tables/sizes.ts";
import type { UpdateRequest } from "./request.ts";

type Reader = (text: string, flag: string) => unknown;

/** Flag, JSON pointer, how its value is read. */
const FIELDS: readonly (readonly [string, string, Reader])[] = [
  ["blkio-weight", "/blockIO/weight", (text) => Number(text)],
  ["cpu-period", "/cpu/period", whole],
  ["cpu-quota", "/cpu/quota", whole],
  ["cpu-burst", "/cpu/burst", whole],
  ["cpu-share", "/cpu/shares", whole],
  ["cpu-rt-period", "/cpu/realtimePeriod", whole],
  ["cpu-rt-runtime", "/cpu/realtimeRuntime", whole],
  ["cpu-idle", "/cpu/idle", whole],
  ["cpuset-cpus", "/cpu/cpus", (text) => text],
  ["cpuset-mems", "/cpu/mems", (text) => text],
  ["memory", "/memory/limit", size],
  ["memory-reservation", "/memory/reservation", size],
  ["memory-swap", "/memory/swap", size],
  ["pids-limit", "/pids/limit", whole],
];
const OBSOLETE = ["kernel-memory", "kernel-memory-tcp"];
const DIGITS_MAX = 20;

/** Throws RuntimeError naming the flag. An empty value is none, as in runc. */
export function readFlags(options: Options): UpdateRequest {
  const document: Record<string, Record<string, unknown>> = {};
  const given: [flag: string, pointer: string][] = [];
  for (const [flag, pointer, read] of FIELDS) {
    const text = options.isSet(flag) ? options.string(flag) : undefined;
    if (text === undefined || text === "" || (flag === "blkio-weight" && Number(text) === 0)) continue;
    const [, section, field] = pointer.split("/") as [string, string, string];
    document[section] ??= {};
    (document[section] as Record<string, unknown>)[field] = read(text, flag);
    given.push([flag, pointer]);
  }
  warnObsolete(options);
  const nameOf = (pointer: string): string => {
    // A whole section is refused where its controller is missing: the first flag of it.
    const found = given.find(([, own]) => own === pointer) ?? given.find(([, own]) => own.startsWith(`${pointer}/`));
    return found === undefined ? pointer : `--${found[0]}`;
  };
  const c = new Context(true);
  const resources = decodeResources(c, document);
  const problem = c.issues.find(({ kind }) => kind !== "warning");
  if (problem !== undefined) throw invalid(problem, nameOf);
  return { resources, nameOf };
}

function invalid({ pointer, message }: Issue, nameOf: (pointer: string) => string): RuntimeError {
  return new RuntimeError({ message: `invalid value for ${nameOf(pointer).slice(2)}: ${message}` });
}

/** A decimal number; what it may be is for the decoder to say. */
function whole(text: string, flag: string): bigint {
  const digits = text.startsWith("-") || text.startsWith("+") ? text.slice(1) : text;
  const plain = digits !== "" && digits.length <= DIGITS_MAX && [...digits].every((c) => c >= "0" && c <= "9");
  if (!plain)
    throw new RuntimeError({ message: `invalid value for ${flag}: must be a number, got ${JSON.stringify(text)}` });
  return text.startsWith("-") ? -BigInt(digits) : BigInt(digits);
}

function size(text: string, flag: string): bigint {
  const bytes = text === "-1" ? -1n : parseSize(text);
  if (bytes !== undefined) return bytes;
  throw new RuntimeError({ message: `invalid value for ${flag}: invalid size: ${JSON.stringify(text)}` });
}

function warnObsolete(options: Options): void {
  let warned = false;
  for (const flag of OBSOLETE) {
    const text = options.string(flag) ?? "";
    if (text === "") continue;
    size(text, flag);
    if (!warned) warn("Kernel memory settings are ignored and will be removed");
    warned = true;
  }
}
