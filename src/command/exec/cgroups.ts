// The cgroups that `exec` puts its process into: the container's, or what --cgroup names below them.

import { type CgroupPath, hasController } from "../../cgroup/path.ts";
import { recordedPaths } from "../../container/cgroup-paths.ts";
import type { ContainerState } from "../../container/state.ts";
import { RuntimeError } from "../../errors/runtime-error.ts";
import type { CgroupFacts } from "../../host/facts.ts";
import { parseOwn } from "../../host/gather-cgroups.ts";
import type { Native } from "../../host/native.gen.ts";
import type { ExecCgroups } from "../../plan/exec.ts";

const AT_FDCWD = -100;
const MAX_SIZE = 1 << 20;
const EPERM = 1;
const ENOENT = 2;
const EAGAIN = 11;
const EACCES = 13;
const EBUSY = 16;
const ENODEV = 19;
const EOPNOTSUPP = 95;
const POINTER = "--cgroup";

/** Throws RuntimeError for a --cgroup that says nothing for this host. */
export function execCgroups(state: ContainerState, facts: CgroupFacts, given: readonly string[]): ExecCgroups {
  const { v1, unified } = recordedPaths(state.cgroups, facts);
  const below = subPaths(given, v1);
  // The freezer last: in a frozen cgroup the process does nothing more.
  const freezer = v1.findIndex(({ name }) => hasController(name, "freezer"));
  if (freezer >= 0) v1.push(...v1.splice(freezer, 1));
  const files = v1.map(({ name, path }) => `${path}${below(name)}/tasks`);
  return unified === undefined ? { files } : { files, folder: unified.path + below("") };
}

/**
 * What is to be tried after a process could not be cloned into the cgroup, or its folder not be opened; undefined: nothing.
 * runc does the same. `own` says where init is now: with the right to, it may have moved away, and the cgroup may be gone
 * or be none that processes can be in any more.
 */
export function otherCgroups(
  tried: ExecCgroups,
  errno: number,
  who: { chosen: boolean; rootless: boolean; own: () => string | undefined },
): ExecCgroups | undefined {
  const { files, folder } = tried;
  if (who.rootless && (errno === EACCES || errno === EPERM)) {
    return files.length === 0 && folder === undefined ? undefined : { files: [] };
  }
  if (folder === undefined) return undefined;
  // Its limit of processes is reached: moving there is allowed all the same.
  if (errno === EAGAIN) return { files: [...files, `${folder}/cgroup.procs`] };
  if (who.chosen || ![ENOENT, EBUSY, ENODEV, EOPNOTSUPP].includes(errno)) return undefined;
  const own = who.own();
  return own === undefined || own === folder ? undefined : { files, folder: own };
}

/** The folder of the unified cgroup that a process is in; undefined when this process cannot see it. */
export function unifiedFolderOf(native: Native, pid: number, facts: CgroupFacts): string | undefined {
  const text = native.read_file(AT_FDCWD, `/proc/${pid}/cgroup`, MAX_SIZE);
  if (typeof text !== "string" || facts.unified === undefined) return undefined;
  const path = parseOwn(text).unified;
  if (path === undefined || path.startsWith("/..") || path.endsWith(" (deleted)")) return undefined;
  return facts.unified.mountpoint + (path === "/" ? "" : path);
}

/** For each hierarchy's name ("" the unified one) what follows the container's folder: "" or "/a/b". */
function subPaths(given: readonly string[], v1: readonly CgroupPath[]): (name: string) => string {
  const paths = new Map<string, string>();
  for (const argument of given) {
    const colon = argument.indexOf(":");
    if (colon < 0) {
      if (given.length !== 1) throw invalid(argument, "missing <controller>: prefix");
      const path = cleanSub(argument, argument);
      return () => path;
    }
    const path = cleanSub(argument.slice(colon + 1), argument);
    for (const controller of argument.slice(0, colon).split(",")) {
      if (controller === "") throw invalid(argument, "empty <controller> prefix");
      const found = v1.find(({ name }) => hasController(name, controller));
      if (found === undefined) throw invalid(argument, `unknown controller ${controller}`);
      const { name } = found;
      if ((paths.get(name) ?? path) !== path || (paths.has(name) && name === controller)) {
        throw invalid(argument, `controller ${controller} specified multiple times`);
      }
      paths.set(name, path);
    }
  }
  return (name) => paths.get(name) ?? "";
}

/** "/a/b" without empty components; never up, and nothing that a file of the kernel would read as two lines. */
function cleanSub(path: string, argument: string): string {
  let sub = "";
  for (const name of path.split("/")) {
    if (name === "" || name === ".") continue;
    if (name === ".." || name.includes("\n")) throw invalid(argument, "bad sub cgroup path");
    sub += `/${name}`;
  }
  return sub;
}

function invalid(argument: string, why: string): RuntimeError {
  return new RuntimeError({ message: `invalid --cgroup argument: ${argument} (${why})`, pointer: POINTER });
}
