// Obtains the pinned QuickJS source and compiles it. Both are cached outside the repository; neither is ever committed.
//
// The source is the upstream tarball that Debian trixie's source package carries, fetched by apt from the machine's own
// mirror with private lists, so that the system's apt state is not touched. QUICKJS_TARBALL= names a copy instead.

import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { machineSources, sourcesFor } from "./apt-sources.ts";
import { compileAll, SECTIONS } from "./c.ts";
import { EDITS, edited } from "./quickjs-patch.ts";
import { run } from "./run.ts";
import { digest, unlessMade } from "./stamp.ts";
import type { Toolchain } from "./toolchain.ts";

const VERSION = "2025.04.26";
const PACKAGE = `quickjs=${VERSION}-1`;
const SUITE = "trixie";
const TARBALL = `quickjs_${VERSION}.orig.tar.xz`;
const SHA256 = "ec81da5b3249ed648dbc7df4a1654988910e66a118d9b71cb63534216efcfbbe";

const CACHE = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "berth");

/** The engine alone: quickjs-libc (std, os, workers) is not used. */
const SOURCES = ["quickjs.c", "libregexp.c", "libunicode.c", "cutils.c", "dtoa.c"];

export interface QuickJs {
  /** Folder with quickjs.h. */
  include: string;
  library: string;
}

/** QuickJS compiled by that toolchain. */
export async function quickJs({ cc, quickJs: flags }: Toolchain): Promise<QuickJs> {
  const include = await source();
  const all = [
    ...flags,
    ...SECTIONS,
    "-fwrapv",
    "-funsigned-char",
    "-D_GNU_SOURCE",
    `-DCONFIG_VERSION="${VERSION.replaceAll(".", "-")}"`,
  ];
  const compiler = await run(cc, ["--version"]);
  const key = digest([], SHA256, include, cc, compiler, ...all, ...SOURCES);
  const folder = join(CACHE, `quickjs-${VERSION}-${key.slice(0, 16)}`);
  const library = join(folder, "libquickjs.a");
  await unlessMade([library], key, async () => {
    console.log("compiling QuickJS (once)");
    const paths = SOURCES.map((name) => join(include, name));
    const objects = await compileAll(paths, { into: folder, cc, flags: all });
    rmSync(library, { force: true });
    await run("ar", ["rcs", library, ...objects]);
  });
  return { include, library };
}

/** The folder of the unpacked source, with quickjs-patch.ts done to it. */
async function source(): Promise<string> {
  const folder = join(CACHE, `quickjs-${VERSION}-${digest([], JSON.stringify(EDITS)).slice(0, 16)}`);
  if (existsSync(folder)) return folder;
  const tarball = await verifiedTarball();
  // Unpacked beside its place and renamed: an interrupted build leaves nothing half done there.
  const unpacked = mkdtempSync(`${folder}.`);
  await run("tar", ["--extract", "--file", tarball, "--directory", unpacked, "--strip-components", "1"]);
  for (const file of new Set(EDITS.map((edit) => edit.file))) {
    const path = join(unpacked, file);
    writeFileSync(path, edited(file, readFileSync(path, "utf8")));
  }
  renameSync(unpacked, folder);
  return folder;
}

async function verifiedTarball(): Promise<string> {
  mkdirSync(CACHE, { recursive: true });
  const cached = join(CACHE, TARBALL);
  const given = process.env.QUICKJS_TARBALL;
  if (given) {
    verify(given);
    copyFileSync(given, cached);
  } else if (!existsSync(cached)) {
    await download(cached);
  }
  verify(cached);
  return cached;
}

function verify(tarball: string): void {
  const actual = createHash("sha256").update(readFileSync(tarball)).digest("hex");
  if (actual !== SHA256) throw new Error(`${tarball}: SHA-256 is ${actual}, expected ${SHA256}`);
}

async function download(to: string): Promise<void> {
  console.log("fetching the QuickJS source");
  const folder = mkdtempSync(join(tmpdir(), "berth-quickjs-"));
  try {
    await aptSource(folder);
    copyFileSync(join(folder, TARBALL), `${to}.part`);
    renameSync(`${to}.part`, to);
  } catch (cause) {
    const hint = `cannot fetch the source package ${PACKAGE} of Debian ${SUITE}; QUICKJS_TARBALL= may name a copy of ${TARBALL}`;
    throw new Error(hint, { cause });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function aptSource(folder: string): Promise<void> {
  const sources = join(folder, "debian.sources");
  const lists = join(folder, "lists");
  const cache = join(folder, "cache");
  const text = sourcesFor(SUITE, machineSources());
  if (text === "") throw new Error("no Debian archive in /etc/apt/sources.list and /etc/apt/sources.list.d");
  writeFileSync(sources, text);
  for (const name of [lists, cache]) mkdirSync(join(name, "partial"), { recursive: true });
  const options = [
    `Dir::Etc::sourcelist=${sources}`,
    "Dir::Etc::sourceparts=/dev/null",
    `Dir::State::Lists=${lists}`,
    `Dir::Cache=${cache}`,
    "APT::Sandbox::User=root", // the private folders are not for the user _apt
  ].flatMap((option) => ["-o", option]);
  await run("apt-get", [...options, "update"]);
  await run("apt-get", [...options, "source", "--download-only", "--only-source", PACKAGE], { cwd: folder });
}
