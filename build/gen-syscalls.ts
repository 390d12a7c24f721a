// Writes src/tables/syscalls*.gen.ts, the system call tables of every architecture that a seccomp profile can name, from
// the kernel's own headers. Debian's package linux-libc-dev (of trixie and later; linux-libc-dev-*-cross are links into it)
// carries them for all architectures. It is downloaded with apt's private lists into a cache and never committed.
//
//   npx tsx build/gen-syscalls.ts             write the tables
//   npx tsx build/gen-syscalls.ts --check     compare only; exit 1 when the committed ones disagree with the headers
//   SYSCALL_HEADERS=DIR[:DIR...]              folders of unpacked packages instead of a download, oldest kernel first
//
// Numbers are never given to another call, so the tables are the union of two kernels: an old one, which still has what
// was taken out since (s390's 31-bit calls), and the newest. What is newer in the headers than in the committed tables is
// no error of --check, only worth a new run: Debian's unstable moves on.

import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { machineSources, sourcesFor } from "./apt-sources.ts";
import { ROOT } from "./paths.ts";
import { run } from "./run.ts";

/** Oldest first. */
const SUITES = ["trixie", "sid"];
const CACHE = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "berth");

/** Table, header below usr/lib/linux/uapi. The numbers of mips, n32, n64 and x32 are without the ABI's base. */
const TABLES: Readonly<Record<string, string>> = {
  x86_64: "x86/asm/unistd_64.h",
  x86: "x86/asm/unistd_32.h",
  x32: "x86/asm/unistd_x32.h",
  arm: "arm/asm/unistd-eabi.h arm/asm/unistd.h",
  aarch64: "arm64/asm/unistd_64.h",
  mips: "mips/asm/unistd_o32.h",
  mips64: "mips/asm/unistd_n64.h",
  mips64n32: "mips/asm/unistd_n32.h",
  ppc: "powerpc/asm/unistd_32.h",
  ppc64: "powerpc/asm/unistd_64.h",
  s390: "s390/asm/unistd_32.h",
  s390x: "s390/asm/unistd_64.h",
  parisc: "parisc/asm/unistd_32.h",
  parisc64: "parisc/asm/unistd_64.h",
  riscv64: "riscv/asm/unistd_64.h",
  loongarch64: "loongarch/asm/unistd_64.h",
  m68k: "m68k/asm/unistd_32.h",
  sh: "sh/asm/unistd_32.h",
};

/** What looks like a call and is a count. */
const NOT_CALLS = new Set(["syscalls", "arch_specific_syscall"]);

/** arch/arm/include/uapi/asm/unistd.h: __ARM_NR_BASE with the EABI. */
const ARM_PRIVATE = 0x0f0000;

export type Table = Map<string, number>;

/** The calls that a header defines: `#define __NR_name number`, `(base + number)` or another call's name. */
export function parseHeader(text: string): Table {
  const table: Table = new Map();
  const line = /^#define\s+__(ARM_)?NR_([a-z_][a-z0-9_]*)\s+(?:\(\w+\s*\+\s*(\d+)\)|(\d+)|__NR_(\w+))\s*$/gm;
  for (const [, arm, name = "", offset, plain, other] of text.matchAll(line)) {
    if (NOT_CALLS.has(name)) continue;
    const number = other === undefined ? Number(offset ?? plain) : table.get(other);
    if (number !== undefined) table.set(name, arm === undefined ? number : ARM_PRIVATE + number);
  }
  return table;
}

function readTable(package_: string, headers: string): Table {
  const paths = headers.split(" ").map((header) => join(package_, "usr/lib/linux/uapi", header));
  return parseHeader(
    paths
      .filter((path) => existsSync(path))
      .map((path) => readFileSync(path, "utf8"))
      .join("\n"),
  );
}

/** All tables of several kernels, oldest first. */
export function mergeTables(name: string, tables: readonly Table[]): Table {
  const merged: Table = new Map();
  for (const table of tables) {
    for (const [call, number] of table) {
      if ((merged.get(call) ?? number) !== number) throw new Error(`${name}: ${call} has two numbers`);
      merged.set(call, number);
    }
  }
  if (merged.size < 200) throw new Error(`${name}: only ${merged.size} system calls found`);
  return merged;
}

/** Every name once: x86_64's by number, then all others by name. An index into this list stands for a call. */
export function nameList(tables: ReadonlyMap<string, Table>): string[] {
  const native = [...(tables.get("x86_64") ?? [])].sort((a, b) => a[1] - b[1]).map(([name]) => name);
  const others = new Set([...tables.values()].flatMap((table) => [...table.keys()]));
  for (const name of native) others.delete(name);
  return [...native, ...[...others].sort()];
}

/**
 * The numbers of a table in the order of the names, as runs: `0+335` is the numbers 0 to 334 for as many names, `57` one
 * number, `-12` twelve names that this architecture does not have.
 */
export function writeRuns(names: readonly string[], table: Table): string {
  const runs: { number: number; count: number }[] = [];
  for (const name of names) {
    const number = table.get(name) ?? -1;
    const last = runs.at(-1);
    if (last && (number === -1 ? last.number === -1 : last.number !== -1 && last.number + last.count === number)) {
      last.count++;
    } else runs.push({ number, count: 1 });
  }
  if (runs.at(-1)?.number === -1) runs.pop();
  return runs
    .map(({ number, count }) => (number === -1 ? `-${count}` : count === 1 ? `${number}` : `${number}+${count}`))
    .join(" ");
}

const WIDTH = 110;

/** A string literal over several lines, broken at blanks. */
function literal(text: string): string {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < WIDTH) lines[lines.length - 1] = `${last}${word} `;
    else lines.push(`${word} `);
  }
  return lines
    .map((line, i) => (i === lines.length - 1 ? line.trimEnd() : line))
    .map((line) => `\n  ${JSON.stringify(line)}`)
    .join(" +");
}

/** The generated files by path. */
function generate(packages: readonly string[]): Map<string, string> {
  const tables = new Map(
    Object.entries(TABLES).map(([name, headers]) => [
      name,
      mergeTables(
        name,
        packages.map((path) => readTable(path, headers)),
      ),
    ]),
  );
  const names = nameList(tables);
  const head = `// Generated by build/gen-syscalls.ts from the kernel's headers (Debian's linux-libc-dev). Do not edit.\n`;
  const files = new Map([
    [
      "src/tables/syscalls.gen.ts",
      `${head}\n/** Every system call that any architecture has; an index into this list stands for it. */\nexport const NAMES =${literal(names.join(" "))};\n`,
    ],
  ]);
  for (const [name, table] of tables) {
    files.set(
      `src/tables/syscalls-${name}.gen.ts`,
      `${head}\n/** Numbers in the order of NAMES: src/seccomp/syscalls.ts reads them. */\nexport const NUMBERS =${literal(writeRuns(names, table))};\n`,
    );
  }
  return files;
}

/** Folders of the unpacked packages. */
async function packages(): Promise<string[]> {
  const given = process.env.SYSCALL_HEADERS;
  if (given) return given.split(":");
  return Promise.all(SUITES.map((suite) => unpacked(suite)));
}

async function unpacked(suite: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), `berth-headers-${suite}-`));
  const target = join(CACHE, `linux-libc-dev-${suite}`);
  try {
    const sources = join(folder, "debian.sources");
    const text = sourcesFor(suite, machineSources()).replaceAll("Types: deb-src", "Types: deb");
    if (text === "") throw new Error("no Debian archive in /etc/apt/sources.list and /etc/apt/sources.list.d");
    writeFileSync(sources, text);
    const state = ["lists", "cache", "cache/archives"].map((name) => join(folder, name));
    for (const name of state) mkdirSync(join(name, "partial"), { recursive: true });
    const options = [
      `Dir::Etc::sourcelist=${sources}`,
      "Dir::Etc::sourceparts=/dev/null",
      `Dir::State::Lists=${join(folder, "lists")}`,
      `Dir::Cache=${join(folder, "cache")}`,
      "Acquire::Languages=none",
      "APT::Sandbox::User=root",
    ].flatMap((option) => ["-o", option]);
    console.log(`fetching the kernel's headers of ${suite}`);
    await run("apt-get", [...options, "update"]);
    await run("apt-get", [...options, "download", `linux-libc-dev:all/${suite}`], { cwd: folder });
    const [file] = readdirSync(folder).filter((name) => name.endsWith(".deb"));
    rmSync(target, { recursive: true, force: true });
    mkdirSync(target, { recursive: true });
    await run("dpkg-deb", ["--extract", join(folder, file ?? ""), target]);
    return target;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** name → number of a committed table. */
async function committed(name: string): Promise<Table> {
  const { NAMES }: { NAMES: string } = await import(join(ROOT, "src/tables/syscalls.gen.ts"));
  const { NUMBERS }: { NUMBERS: string } = await import(join(ROOT, `src/tables/syscalls-${name}.gen.ts`));
  const names = NAMES.split(" ");
  const table: Table = new Map();
  let index = 0;
  for (const token of NUMBERS.split(" ")) {
    if (token.startsWith("-")) {
      index -= Number(token);
      continue;
    }
    const [first = 0, count = 1] = token.split("+").map(Number);
    for (let i = 0; i < count; i++) table.set(names[index++] as string, first + i);
  }
  return table;
}

async function check(paths: readonly string[]): Promise<void> {
  for (const [name, headers] of Object.entries(TABLES)) {
    const known = await committed(name);
    const found = mergeTables(
      name,
      paths.map((path) => readTable(path, headers)),
    );
    for (const [call, number] of known) {
      if (found.get(call) === number) continue;
      console.error(`${name}: ${call} is ${number} in the table, ${found.get(call) ?? "absent"} in the headers`);
      process.exitCode = 1;
    }
    const added = [...found.keys()].filter((call) => !known.has(call));
    if (added.length > 0) console.log(`${name}: new in the headers: ${added.join(" ")}`);
  }
}

if (process.argv[1] === import.meta.filename) {
  const paths = await packages();
  if (process.argv.includes("--check")) await check(paths);
  else for (const [path, text] of generate(paths)) writeFileSync(join(ROOT, path), text);
}
