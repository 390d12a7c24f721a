// A cgroup folder that was there before the container: it may be used when it is empty, and not otherwise.

import { RuntimeError } from "../../errors/runtime-error.ts";
import { must } from "../../host/must.ts";
import type { Native } from "../../host/native.gen.ts";

const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const S_IFMT = 0o170000;
const S_IFDIR = 0o040000;
const PROCS_MAX = 1 << 20;

/** Throws when it or a cgroup below has processes, or it is frozen. */
export function checkOldCgroup(native: Native, path: string, pointer: string): void {
  const procs = `${path}/cgroup.procs`;
  const members = must(native.read_file(AT_FDCWD, procs, PROCS_MAX), { operation: "read", path: procs, pointer });
  if (members !== "") throw new RuntimeError({ message: "container's cgroup is not empty", path, pointer });
  const v1 = native.read_file(AT_FDCWD, `${path}/freezer.state`, 64);
  const v2 = native.read_file(AT_FDCWD, `${path}/cgroup.freeze`, 64);
  if ((typeof v1 === "string" && !v1.startsWith("THAWED")) || (typeof v2 === "string" && v2.startsWith("1"))) {
    throw new RuntimeError({ message: "container's cgroup unexpectedly frozen", path, pointer });
  }
  for (const child of childCgroups(native, path)) checkOldCgroup(native, child, pointer);
}

function childCgroups(native: Native, path: string): string[] {
  const names = native.list_dir(AT_FDCWD, path);
  if (typeof names !== "string") return [];
  const folders = names.split("\0").map((name) => `${path}/${name}`);
  folders.pop(); // what follows the last NUL
  return folders.filter((folder) => {
    const stat = native.stat(AT_FDCWD, folder, AT_SYMLINK_NOFOLLOW);
    return typeof stat !== "number" && ((stat[0] as number) & S_IFMT) === S_IFDIR;
  });
}
