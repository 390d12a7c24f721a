// The container's own cgroups, opened once and read by descriptor. Which of the recorded folders has a controller is told
// by the hierarchy that it lies in, not by the processes: they may be in cgroups that the container made below.

import { hasController } from "../cgroup/path.ts";
import type { CgroupFiles } from "../cgroup/stats.ts";
import type { CgroupFacts } from "../host/facts.ts";
import { nativeError } from "../host/must.ts";
import type { Native } from "../host/native.gen.ts";
import { openRecorded } from "./cgroup-folder.ts";
import { recordedPaths } from "./cgroup-paths.ts";
import { EISDIR, ENOENT } from "./open-flags.ts";

/** A line for each CPU or disk of the largest machines. */
const MAX_SIZE = 4 << 20;
const ENODEV = 19;
const EOPNOTSUPP = 95;

export class CgroupLeaf implements CgroupFiles {
  readonly path: string;
  /** O_PATH. */
  readonly dir: number;
  readonly #native: Native;

  constructor(native: Native, path: string, dir: number) {
    this.#native = native;
    this.path = path;
    this.dir = dir;
  }

  /** A folder is no such file: who may make cgroups here can give one the name of a file that the kernel lacks. */
  read(file: string): string | undefined {
    const text = this.#native.read_file(this.dir, file, MAX_SIZE);
    if (typeof text === "string") return text;
    if (text === -ENOENT || text === -ENODEV || text === -EISDIR || text === -EOPNOTSUPP) return undefined;
    throw nativeError(text, { operation: "read", path: `${this.path}/${file}` });
  }

  /** Whether the cgroup has been removed. */
  isGone(): boolean {
    const procs = this.#native.stat(this.dir, "cgroup.procs", 0);
    return procs === -ENOENT || procs === -ENODEV;
  }
}

export interface Leaves {
  /** The cgroup with that v1 controller. */
  v1(controller: string): CgroupLeaf | undefined;
  /** The cgroup of the unified hierarchy. */
  unified: CgroupLeaf | undefined;
}

/** Opens the recorded cgroups that are still there; the descriptors stay open until the command ends. */
export function openLeaves(native: Native, cgroups: readonly string[], facts: CgroupFacts): Leaves {
  const opened = openEach(native, cgroups);
  const { v1, unified } = recordedPaths([...opened.keys()], facts);
  const leaf = (found: { path: string } | undefined): CgroupLeaf | undefined => opened.get(found?.path ?? "");
  return { v1: (controller) => leaf(v1.find(({ name }) => hasController(name, controller))), unified: leaf(unified) };
}

/** The same, by recorded path. */
export function openEach(native: Native, cgroups: readonly string[]): Map<string, CgroupLeaf> {
  const opened = new Map<string, CgroupLeaf>();
  for (const path of cgroups) {
    const leaf = openLeaf(native, path);
    if (leaf !== undefined) opened.set(path, leaf);
  }
  return opened;
}

function openLeaf(native: Native, path: string): CgroupLeaf | undefined {
  const dir = openRecorded(native, path);
  if (dir === -ENOENT) return undefined;
  if (dir < 0) throw nativeError(dir, { message: "cannot reach the cgroup", operation: "open", path });
  return new CgroupLeaf(native, path, dir);
}
