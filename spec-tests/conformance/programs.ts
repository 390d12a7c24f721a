// The validation programs of runtime-tools, built from the Go module that go.mod pins. Nothing of it is in this tree: Go
// unpacks it in its module cache, the programs go to the user's cache folder.

import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { digest } from "../../build/stamp.ts";

const MODULE = "github.com/opencontainers/runtime-tools";
const CACHE = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "berth");
const ARCHITECTURE = process.arch === "x64" ? "amd64" : process.arch;

/** Beside the programs: what runs in the containers, and their root file system. */
export const INSIDE = "runtimetest";
export const ROOTFS = `rootfs-${ARCHITECTURE}.tar.gz`;

function goCommand(): string {
  for (const go of ["go", "/usr/local/go/bin/go", "/usr/lib/go/bin/go"])
    if (spawnSync(go, ["version"], { timeout: 30_000 }).status === 0) return go;
  throw new Error("the validation programs are built with Go, which is not installed");
}

function run(go: string, args: string[]): string {
  const modules = join(CACHE, "go");
  mkdirSync(modules, { recursive: true });
  const done = spawnSync(go, args, {
    cwd: import.meta.dirname,
    encoding: "utf8",
    timeout: 1_200_000,
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

/** The folder of the built programs; they are built when nobody has done so for this go.mod. */
export function builtPrograms(): string {
  const pinned = ["go.mod", "go.sum"].map((name) => join(import.meta.dirname, name));
  const folder = join(CACHE, `conformance-${digest(pinned, ARCHITECTURE).slice(0, 16)}`);
  if (existsSync(folder)) return folder;
  const go = goCommand();
  process.stderr.write("building the validation programs, once: this takes minutes\n");
  const made = `${folder}.${process.pid}`;
  mkdirSync(made);
  try {
    run(go, [
      "build",
      "-trimpath",
      "-ldflags=-s -w",
      "-o",
      made,
      `${MODULE}/validation/...`,
      `${MODULE}/cmd/runtimetest`,
    ]);
    copyFileSync(join(run(go, ["list", "-m", "-f", "{{.Dir}}", MODULE]).trim(), ROOTFS), join(made, ROOTFS));
    renameSync(made, folder);
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
  return folder;
}

/** The names of the validation programs, sorted. */
export function programsIn(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => /^[a-z_]+$/.test(name) && name !== INSIDE)
    .sort();
}
