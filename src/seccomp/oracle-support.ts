// What the tests compare with: libseccomp, and the default profiles of container engines. Neither is in the repository:
// libseccomp is linked by a test program only, profiles are fetched into a cache.

import { Buffer } from "node:buffer";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { CODE } from "../bpf/cbpf.ts";
import { actionValue, describeVerdict } from "./actions.ts";
import { findArchitecture } from "./architectures.ts";
import type { ArchitectureName, Seccomp, SeccompArg } from "./types.ts";

const ROOT = join(import.meta.dirname, "../..");
const CACHE = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "berth");

/** libseccomp's token of X32 is none of the kernel's AUDIT_ARCH_ values. */
export const token = (name: ArchitectureName): number =>
  name === "SCMP_ARCH_X32" ? 0x4000003e : (findArchitecture(name)?.audit ?? 0);

let program: string | undefined;

/** Compiles csrc/test/seccomp_oracle.c once; undefined without libseccomp's headers. */
export function oracleProgram(): string | undefined {
  if (program !== undefined || !existsSync("/usr/include/seccomp.h")) return program;
  const folder = mkdtempSync(join(tmpdir(), "berth-seccomp-"));
  program = join(folder, "oracle");
  const warnings = ["-std=c17", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-Wconversion"];
  execFileSync("cc", [...warnings, "-O1", "-o", program, join(ROOT, "csrc/test/seccomp_oracle.c"), "-lseccomp"]);
  return program;
}

export interface OracleFilter {
  /** As CompiledFilter has it. */
  filter?: Uint32Array;
  /** libseccomp's refusal: errno and the line of its input. */
  error?: { errno: number; line: number };
  /** Names that it does not know. */
  unknown: string[];
}

const OPERATORS = ["", "NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ"];

const argText = ({ index, op, value, valueTwo }: SeccompArg): string =>
  `${index} ${OPERATORS.indexOf(op.slice("SCMP_CMP_".length))} ${value} ${valueTwo}`;

/** What runc tells libseccomp (libcontainer/seccomp/seccomp_linux.go). */
export function oracleInput(seccomp: Seccomp, native: ArchitectureName, optimize: 1 | 2): string {
  const defaultAction = actionValue(seccomp.defaultAction, seccomp.defaultErrnoRet);
  const lines = [`default ${defaultAction}`, `optimize ${optimize}`];
  for (const name of new Set([native, ...seccomp.architectures])) lines.push(`arch ${token(name)}`);
  for (const { names, action, errnoRet, args } of seccomp.syscalls) {
    const value = actionValue(action, errnoRet);
    if (value === defaultAction) continue;
    const split = new Set(args.map(({ index }) => index)).size < args.length;
    const rules = split ? args.map((arg) => [arg]) : [args];
    for (const name of names)
      for (const rule of rules) lines.push(`rule ${value} ${name} ${rule.map(argText).join(" ")}`);
  }
  return `${lines.join("\n")}\n`;
}

/** @param libraries LD_LIBRARY_PATH: another libseccomp than the machine's. */
export function askOracle(input: string, libraries?: string): string {
  const env = libraries === undefined ? process.env : { ...process.env, LD_LIBRARY_PATH: libraries };
  const result = spawnSync(oracleProgram() as string, {
    input,
    encoding: "utf8",
    env,
    maxBuffer: 1 << 26,
    timeout: 60_000,
  });
  if (result.status !== 0) throw new Error(`the oracle ended with ${result.status ?? result.signal}: ${result.stderr}`);
  return result.stdout;
}

/** libseccomp swaps the values of returns that it copies once too often when it exports for the other byte order. */
function repaired(code: number, bytes: Buffer): number {
  const value = bytes.readUInt32BE(4);
  const isRight = (value & 0xffff0000) !== 0 ? describeVerdict(value).charAt(0) !== "0" : value === 0;
  return code !== CODE.ret || isRight ? value : bytes.readUInt32LE(4);
}

export function oracleFilter(
  seccomp: Seccomp,
  native: ArchitectureName,
  optimize: 1 | 2 = 2,
  libraries?: string,
): OracleFilter {
  const lines = askOracle(oracleInput(seccomp, native, optimize), libraries)
    .trim()
    .split("\n");
  const unknown = lines.filter((line) => line.startsWith("unknown ")).map((line) => line.slice(8));
  const error = lines
    .find((line) => line.startsWith("error "))
    ?.split(" ")
    .map(Number);
  if (error !== undefined) return { error: { errno: error[1] as number, line: error[2] as number }, unknown };
  const hex = lines.filter((line) => /^[0-9a-f]{16}$/.test(line));
  const little = findArchitecture(native)?.bigEndian !== true;
  const filter = new Uint32Array(2 * hex.length);
  hex.forEach((text, i) => {
    const bytes = Buffer.from(text, "hex");
    const code = little ? bytes.readUInt16LE(0) : bytes.readUInt16BE(0);
    filter[2 * i] = (code | ((bytes[2] as number) << 16) | ((bytes[3] as number) << 24)) >>> 0;
    filter[2 * i + 1] = little ? bytes.readUInt32LE(4) : repaired(code, bytes);
  });
  return { filter, unknown };
}

/** The numbers that this libseccomp gives to names; negative where it has none. */
export function oracleNumbers(
  name: ArchitectureName,
  names: readonly string[],
  libraries?: string,
): Map<string, number> {
  const input = names.map((call) => `number ${token(name)} ${call}\n`).join("");
  const lines = askOracle(input, libraries).trim().split("\n");
  return new Map(lines.map((line) => line.split(" ")).map(([call = "", number]) => [call, Number(number)]));
}

/** An engine's profile: linux.seccomp with conditions on capabilities, architecture and kernel. */
interface EngineRule {
  names: string[];
  action: string;
  errnoRet?: number | null;
  args?: { index: number; value: number; valueTwo?: number; op: string }[] | null;
  includes?: { caps?: string[] | null; arches?: string[] | null; minKernel?: string };
  excludes?: { caps?: string[] | null; arches?: string[] | null; minKernel?: string };
}

export interface EngineProfile {
  defaultAction: string;
  defaultErrnoRet?: number | null;
  archMap: { architecture: string; subArchitectures: string[] | null }[];
  syscalls: EngineRule[];
}

/** Go's names of architectures, which profiles use in their conditions. */
const GO_ARCH: Readonly<Record<string, string>> = {
  SCMP_ARCH_X86_64: "amd64",
  SCMP_ARCH_AARCH64: "arm64",
  SCMP_ARCH_MIPS64: "mips64",
  SCMP_ARCH_MIPS64N32: "mips64n32",
  SCMP_ARCH_MIPSEL64: "mips64le",
  SCMP_ARCH_MIPSEL64N32: "mips64len32",
  SCMP_ARCH_PPC64LE: "ppc64le",
  SCMP_ARCH_S390X: "s390x",
  SCMP_ARCH_RISCV64: "riscv64",
  SCMP_ARCH_LOONGARCH64: "loong64",
};

/** linux.seccomp as an engine would write it for a machine and a container with those capabilities. */
export function resolveProfile(profile: EngineProfile, native: ArchitectureName, caps: readonly string[]): unknown {
  const arch = GO_ARCH[native] ?? "";
  const family = profile.archMap.find(({ architecture }) => architecture === native);
  const applies = ({ includes, excludes }: EngineRule): boolean =>
    !excludes?.arches?.includes(arch) &&
    !excludes?.caps?.some((cap) => caps.includes(cap)) &&
    (!includes?.arches?.length || includes.arches.includes(arch)) &&
    (includes?.caps ?? []).every((cap) => caps.includes(cap));
  return {
    defaultAction: profile.defaultAction,
    ...(profile.defaultErrnoRet == null ? {} : { defaultErrnoRet: profile.defaultErrnoRet }),
    architectures: family === undefined ? [] : [family.architecture, ...(family.subArchitectures ?? [])],
    syscalls: profile.syscalls.filter(applies).map(({ names, action, errnoRet, args }) => ({
      names,
      action,
      ...(errnoRet == null ? {} : { errnoRet }),
      args: args ?? [],
    })),
  };
}

/** Where the engines' default profiles are: modules of the Go proxy, fetched by the go command. */
const PROFILES = [
  {
    name: "containers-common",
    module: "github.com/containers/common",
    version: "v0.62.2",
    path: "pkg/seccomp/seccomp.json",
  },
  { name: "moby", module: "github.com/moby/profiles/seccomp", version: "v0.2.3", path: "default.json" },
];

/** The default profiles that can be had here, by name: from Go modules and from an installed containers-common. */
export function engineProfiles(): Map<string, EngineProfile> {
  const profiles = new Map<string, EngineProfile>();
  const cache = join(CACHE, "go");
  for (const { name, module, version, path } of PROFILES) {
    const file = join(cache, `${module}@${version}`, path);
    if (!existsSync(file)) {
      mkdirSync(cache, { recursive: true });
      spawnSync("go", ["mod", "download", `${module}@${version}`], {
        env: { ...process.env, GOMODCACHE: cache, GOFLAGS: "-modcacherw" },
        timeout: 120_000,
      });
    }
    if (existsSync(file)) profiles.set(`${name} ${version}`, JSON.parse(readFileSync(file, "utf8")));
  }
  const installed = "/usr/share/containers/seccomp.json";
  if (existsSync(installed))
    profiles.set("containers-common of this machine", JSON.parse(readFileSync(installed, "utf8")));
  return profiles;
}
