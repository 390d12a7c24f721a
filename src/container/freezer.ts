// Whether a container is paused.

import type { Native } from "../host/native.gen.ts";

const AT_FDCWD = -100;
const MAX_SIZE = 4096;

/**
 * `cgroups` are the recorded leaves. On v1 the freezer's alone counts (it is recorded first), on v2 cgroup.freeze: both
 * say what was asked of this very cgroup, so a container below a frozen one is not itself paused, as in runc. A cgroup
 * that is gone is not frozen. One file is read when the first leaf is the freezer's, or the only one.
 */
export function isFrozen(native: Native, cgroups: readonly string[]): boolean {
  const freezer = cgroups.find(isFreezer);
  if (freezer !== undefined) {
    const state = native.read_file(AT_FDCWD, `${freezer}/freezer.self_freezing`, MAX_SIZE);
    if (typeof state === "string") return state === "1\n";
  }
  const unified = cgroups[cgroups.length - 1];
  if (unified === undefined) return false;
  return native.read_file(AT_FDCWD, `${unified}/cgroup.freeze`, MAX_SIZE) === "1\n";
}

/** Some component is "freezer" or a merged "cpu,freezer": nearly always the mount point; a v2 cgroup of that name lacks the file. */
function isFreezer(path: string): boolean {
  return path.split("/").some((component) => component.split(",").includes("freezer"));
}

/** The cgroup between `mountpoint` and `path`, both excluded, that was frozen: everything made below it is, too. */
export function frozenAbove(native: Native, path: string, mountpoint: string): string | undefined {
  for (let end = path.indexOf("/", mountpoint.length + 1); end > 0; end = path.indexOf("/", end + 1)) {
    const above = path.slice(0, end);
    if (isFrozen(native, [above])) return above;
  }
  return undefined;
}
