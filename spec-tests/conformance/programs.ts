// The validation programs of runtime-tools, built from the Go module that go.mod pins. Nothing of it is in this tree: Go
// unpacks it in its module cache, what is built goes to the user's cache folder.
//
// The programs become one executable that goes by its name, since linking 58 of them takes minutes: `package main` and
// `func main` of each get other names on the way. Go's runtime must not raise the soft limit of open files, which
// runtimetest is there to look at. And how long a program waits for a status of its container is not for it to say, since
// machines differ: PATIENCE says it, in seconds.

import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { digest } from "../../build/stamp.ts";

const HERE = "spec-tests/conformance";
const MODULE = "github.com/opencontainers/runtime-tools";
const CACHE = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "berth");
const ARCHITECTURE = process.arch === "x64" ? "amd64" : process.arch;
const BUILD_LIMIT = 900_000;

/** All programs, as one; its name in argv[0] says which. one.sh knows it, too. */
const ALL = "validation";
const LIST = "programs.txt";
/** The package that all programs share. */
const SHARED = "validation/util";
const ROOTFS = `rootfs-${ARCHITECTURE}.tar.gz`;

function goCommand(): string {
  for (const go of ["go", "/usr/local/go/bin/go", "/usr/lib/go/bin/go"])
    if (spawnSync(go, ["version"], { timeout: 30_000 }).status === 0) return go;
  throw new Error("the validation programs are built with Go, which is not installed");
}

/** What `go` prints, run in the folder. */
function run(go: string, cwd: string, ...args: string[]): string {
  const modules = join(CACHE, "go");
  mkdirSync(modules, { recursive: true });
  const done = spawnSync(go, args, {
    cwd,
    encoding: "utf8",
    timeout: BUILD_LIMIT,
    env: {
      ...process.env,
      GOMODCACHE: modules,
      GOFLAGS: "-mod=readonly -modcacherw -buildvcs=false",
      // runtimetest runs where there is no C library.
      CGO_ENABLED: "0",
    },
  });
  if (done.status !== 0) throw new Error(`go ${args[0]} failed: ${done.stderr || done.error?.message || done.signal}`);
  return done.stdout;
}

function replaceOnce(text: string, what: string, by: string): string {
  const parts = text.split(what);
  if (parts.length !== 2) throw new Error(`${JSON.stringify(what)} is there ${parts.length - 1} times`);
  return parts.join(by);
}

/**
 * A copy of what the programs share, in which PATIENCE is how long a wait for a container to run or to end may last. Those
 * for either of two statuses are pauses: it may be that neither comes.
 */
function writeShared(unpacked: string, source: string): void {
  const folder = join(source, SHARED);
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(join(unpacked, SHARED))) {
    const text = readFileSync(join(unpacked, SHARED, name), "utf8");
    writeFileSync(join(folder, name), name === "test.go" ? withPatience(text) : text);
  }
}

function withPatience(text: string): string {
  const loop = "\tfor start := time.Now(); time.Since(start) < retryTimeout; ";
  const lengthen = `
	patience, err := time.ParseDuration(os.Getenv("PATIENCE") + "s")
	if err == nil && (status == LifecycleStatusRunning || status == LifecycleStatusStopped) {
		retryTimeout = patience
	}
`;
  return replaceOnce(text, loop, `${lengthen}${loop}`);
}

/** Writes each program as a package of the module in `source`, and the program that calls them. Their names, sorted. */
function writeSources(programs: string, source: string): string[] {
  const names = readdirSync(programs).filter((name) => existsSync(join(programs, name, `${name}.go`)));
  for (const name of names.sort()) {
    const text = readFileSync(join(programs, name, `${name}.go`), "utf8");
    mkdirSync(join(source, name));
    const called = replaceOnce(`\n${text}`, "\nfunc main() {\n", "\nfunc Main() {\n");
    const library = replaceOnce(called, "\npackage main\n", "\npackage validation\n");
    const shared = library.replace(`"${MODULE}/${SHARED}"`, `"berth/conformance/${SHARED}"`);
    writeFileSync(join(source, name, `${name}.go`), shared);
  }
  const imports = names.map((name, i) => `\tp${i} "berth/conformance/${name}"`);
  const calls = names.map((name, i) => `\t\t"${name}": p${i}.Main,`);
  const main = `package main

import (
	"os"
	"path/filepath"
${imports.join("\n")}
)

func main() {
	programs := map[string]func(){
${calls.join("\n")}
	}
	programs[filepath.Base(os.Args[0])]()
}
`;
  writeFileSync(join(source, "main.go"), main);
  return names;
}

/** The arguments that build with a Go runtime which leaves its limits alone; none for one that always does. */
function leaveLimits(go: string, source: string): string[] {
  const path = join(run(go, source, "env", "GOROOT").trim(), "src/syscall/rlimit.go");
  if (!existsSync(path)) return [];
  const mended = join(source, "rlimit.go.txt");
  writeFileSync(mended, replaceOnce(readFileSync(path, "utf8"), "\nfunc init() {\n", "\nfunc _() {\n"));
  const overlay = join(source, "overlay.json");
  writeFileSync(overlay, JSON.stringify({ Replace: { [path]: mended } }));
  return ["-overlay", overlay];
}

function build(made: string): void {
  const go = goCommand();
  const source = join(made, "source");
  mkdirSync(source, { recursive: true });
  for (const name of ["go.mod", "go.sum"]) copyFileSync(join(HERE, name), join(source, name));
  const { Dir: unpacked } = JSON.parse(run(go, source, "mod", "download", "-json", MODULE)) as { Dir: string };
  writeShared(unpacked, source);
  const names = writeSources(join(unpacked, "validation"), source);
  const options = ["-trimpath", "-ldflags=-s -w", ...leaveLimits(go, source), "-o", made];
  run(go, source, "build", ...options, ".", `${MODULE}/cmd/runtimetest`);
  renameSync(join(made, "conformance"), join(made, ALL));
  copyFileSync(join(unpacked, ROOTFS), join(made, ROOTFS));
  writeFileSync(join(made, LIST), `${names.join("\n")}\n`);
  rmSync(source, { recursive: true });
}

/** The folder of the built programs; they are built when nobody has done so for these sources. */
export function builtPrograms(): string {
  const sources = ["go.mod", "go.sum", "programs.ts"].map((name) => readFileSync(join(HERE, name), "utf8"));
  const folder = join(CACHE, `conformance-${digest([], ARCHITECTURE, ...sources).slice(0, 16)}`);
  if (existsSync(folder)) return folder;
  process.stderr.write("building the validation programs, once: this takes a minute or two\n");
  const made = `${folder}.${process.pid}`;
  try {
    build(made);
    renameSync(made, folder);
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
  return folder;
}

/** The names of the validation programs, sorted. */
export function programsIn(folder: string): string[] {
  return readFileSync(join(folder, LIST), "utf8").trimEnd().split("\n");
}
