// `berth seccomp compile|disasm|explain|simulate`: what a seccomp profile means, without loading it. Needs no privilege.

import { disassembleCbpf } from "../bpf/cbpf-disassemble.ts";
import { checkCbpf, runCbpf, seccompData } from "../bpf/cbpf-vm.ts";
import { AT_FDCWD } from "../container/open-flags.ts";
import { RuntimeError } from "../errors/runtime-error.ts";
import { must } from "../host/must.ts";
import { parseJson } from "../json/parse.ts";
import { describeVerdict } from "../seccomp/actions.ts";
import { type Architecture, architectures, findArchitecture } from "../seccomp/architectures.ts";
import { compileFilter, coveredFamilies, filterBytes } from "../seccomp/compile.ts";
import { describeProfile } from "../seccomp/describe.ts";
import { evaluate } from "../seccomp/evaluate.ts";
import { readProfile } from "../seccomp/index.ts";
import { syscallIndexes, syscallNames, syscallNumbers } from "../seccomp/syscalls.ts";
import type { CompileOptions, Seccomp } from "../seccomp/types.ts";
import type { Context, Outcome } from "./command.ts";

const FILE_MAX = 16 << 20;
const ACTIONS: readonly string[] = ["compile", "disasm", "explain", "simulate"];

export function seccomp(context: Context): Outcome {
  const [action = "", ...call] = context.args;
  if (!ACTIONS.includes(action)) {
    throw new RuntimeError({ message: `must be ${ACTIONS.join(", ")}, got ${JSON.stringify(action)}` });
  }
  const profile = loadProfile(context);
  const options: CompileOptions = { arch: nativeArchitecture(context), base: profile.base };
  switch (action) {
    case "compile":
      return { stdout: compile(profile.seccomp, options, context.options.string("format") ?? "base64") };
    case "disasm":
      return { stdout: lines(disassemble(profile.seccomp, options)) };
    case "explain":
      if (call.length === 0) return { stdout: lines(describeProfile(profile.seccomp, options)) };
      return { stdout: lines(judge(profile.seccomp, options, call, false)) };
    default:
      return { stdout: lines(judge(profile.seccomp, options, call, true)) };
  }
}

const lines = (list: readonly string[]): string => list.map((line) => `${line}\n`).join("");

function nativeArchitecture({ options }: Context): CompileOptions["arch"] {
  const given = options.string("arch") ?? "";
  // Executables are built for X86_64 so far.
  const name =
    given === "" ? "SCMP_ARCH_X86_64" : given.startsWith("SCMP_ARCH_") ? given : `SCMP_ARCH_${given.toUpperCase()}`;
  const found = findArchitecture(name);
  if (found !== undefined) return found.name;
  const known = architectures().map((architecture) => architecture.name.slice("SCMP_ARCH_".length));
  throw new RuntimeError({ message: `--arch must be one of ${known.join(", ")}; got ${JSON.stringify(given)}` });
}

/** From --profile, which may be a linux.seccomp object or a whole config.json, or from the bundle. */
function loadProfile({ native, options }: Context): { seccomp: Seccomp; base: string } {
  const given = options.string("profile") ?? "";
  const path = given === "" ? `${options.string("bundle") || "."}/config.json` : given;
  const text = must(native.read_file(AT_FDCWD, path, FILE_MAX), { operation: "read", path }) as string;
  const document = parseJson(text);
  const linux = member(document, "linux");
  const isConfig = linux !== undefined || member(document, "ociVersion") !== undefined;
  const base = isConfig ? "/linux/seccomp" : "";
  const profile = readProfile(isConfig ? member(linux, "seccomp") : document, base);
  if (profile === undefined) throw new RuntimeError({ message: "there is no seccomp profile", path });
  return { seccomp: profile, base };
}

const member = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined;

function compile(profile: Seccomp, options: CompileOptions, format: string): string {
  const { filter, flags, listener, unknown } = compileFilter(profile, options);
  checkCbpf(filter);
  const bigEndian = findArchitecture(options.arch)?.bigEndian === true;
  switch (format) {
    case "base64":
      return `${base64(filterBytes(filter, bigEndian))}\n`;
    case "json":
      return `${JSON.stringify({ instructions: filter.length / 2, flags, listener, unknown, filter: instructions(filter) })}\n`;
    case "c":
      return lines(instructions(filter).map(([code, jt, jf, k]) => `{ 0x${hex(code)}, ${jt}, ${jf}, 0x${hex(k)} },`));
    default:
      throw new RuntimeError({ message: `--format must be base64, c or json, got ${JSON.stringify(format)}` });
  }
}

const hex = (value: number | undefined): string => (value ?? 0).toString(16);

/** [code, jt, jf, k] each. */
function instructions(filter: Uint32Array): number[][] {
  const list: number[][] = [];
  for (let i = 0; i < filter.length; i += 2) {
    const first = filter[i] as number;
    list.push([first & 0xffff, (first >>> 16) & 0xff, first >>> 24, filter[i + 1] as number]);
  }
  return list;
}

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** As crun's annotation run.oci.seccomp_bpf_data has it. */
function base64(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 3) {
    const rest = bytes.length - i;
    const word = ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    text += DIGITS.charAt(word >>> 18) + DIGITS.charAt((word >>> 12) & 63);
    text += (rest > 1 ? DIGITS.charAt((word >>> 6) & 63) : "=") + (rest > 2 ? DIGITS.charAt(word & 63) : "=");
  }
  return text;
}

/** With what the numbers mean: the architecture and the verdicts. */
function disassemble(profile: Seccomp, options: CompileOptions): string[] {
  const { filter } = compileFilter(profile, options);
  // X86_64 and X32 are one for the kernel.
  const audits = new Map<number, string>();
  for (const { audit, name } of architectures()) audits.set(audit, audits.get(audit) ?? name);
  return disassembleCbpf(filter, (code, k) => {
    if (code === 0x06) return describeVerdict(k);
    return code === 0x15 ? (audits.get(k) ?? "") : "";
  });
}

/** The verdict for a call on every architecture that has it; by the rules, or by running the filter. */
function judge(profile: Seccomp, options: CompileOptions, call: readonly string[], run: boolean): string[] {
  const [name = "", ...rest] = call;
  const args = rest.map((text) => integer(text, 64));
  const covered = coveredFamilies(profile, options).flat();
  const found = covered.flatMap((architecture) => {
    const nr = numberOf(architecture, name);
    return nr === undefined ? [] : [{ architecture, nr }];
  });
  if (found.length === 0) throw new RuntimeError({ message: `there is no system call ${JSON.stringify(name)} here` });
  const { filter } = compileFilter(profile, options);
  return found.map(({ architecture, nr }) => {
    const { audit, bigEndian } = architecture;
    const head = `${architecture.name.slice("SCMP_ARCH_".length)} ${nameOf(architecture, nr)}`;
    if (run) {
      const { value, steps } = runCbpf(filter, seccompData(nr, audit, args, bigEndian));
      return `${head}: ${describeVerdict(value)} after ${steps} of ${filter.length / 2} instructions`;
    }
    const { value, reason, rule } = evaluate(profile, options, audit, nr, args);
    return `${head}: ${describeVerdict(value)}, ${why(reason, rule, options)}`;
  });
}

function why(
  reason: ReturnType<typeof evaluate>["reason"],
  rule: number | undefined,
  { base = "" }: CompileOptions,
): string {
  switch (reason) {
    case "rule":
      return `by ${base}/syscalls/${rule}`;
    case "default":
      return `by ${base}/defaultAction`;
    case "enosys":
      return "as it is newer than every call that the profile names";
    case "architecture":
      return "as the profile does not cover the architecture";
  }
}

/** A name, or a number as the kernel gets it. */
function numberOf({ table, base }: Architecture, name: string): number | undefined {
  if (name >= "0" && name < ":") return Number(integer(name, 32));
  const index = syscallIndexes().get(name);
  const number = index === undefined ? -1 : (syscallNumbers(table)[index] as number);
  return number < 0 ? undefined : number + base;
}

function nameOf({ table, base }: Architecture, nr: number): string {
  const index = syscallNumbers(table).indexOf(nr - base);
  return index < 0 || nr < base ? `${nr}` : `${syscallNames()[index]}(${nr})`;
}

function integer(text: string, bits: 32 | 64): bigint {
  const digits = text.startsWith("0x") ? "0123456789abcdefABCDEF" : "0123456789";
  const tail = text.startsWith("0x") ? text.slice(2) : text;
  const isNumber = tail !== "" && [...tail].every((digit) => digits.includes(digit));
  const value = isNumber ? BigInt(text) : -1n;
  if (value >= 0n && value === BigInt.asUintN(bits, value)) return value;
  throw new RuntimeError({ message: `must be an unsigned ${bits}-bit number, got ${JSON.stringify(text)}` });
}
