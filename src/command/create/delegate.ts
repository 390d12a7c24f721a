// Gives a v2 cgroup to the container's user: the folder, and of its files those that the kernel says may be delegated.

import { must } from "../../host/must.ts";
import type { Native } from "../../host/native.gen.ts";
import type { Step } from "./creation.ts";

const AT_FDCWD = -100;
const O_WRONLY = 1;
const ENOENT = 2;
const LIST = "/sys/kernel/cgroup/delegate";
/** What may be delegated where the kernel does not say. */
const FILES: readonly string[] = ["cgroup.procs", "cgroup.subtree_control", "cgroup.threads"];

/** `folder` is the cgroup. A file of the list that this cgroup does not have is none of ours. */
export function delegateFiles(native: Native, { path, uid, origin }: Step<"delegate cgroup">, folder: number): void {
  const own = { operation: "chown", pointer: origin.pointer };
  must(native.chown(folder, uid, -1), { ...own, path });
  const list = native.read_file(AT_FDCWD, LIST, 1 << 16);
  const names = typeof list === "string" ? list.split("\n") : FILES;
  for (const name of names) {
    if (name === "" || name.includes("/")) continue;
    // Some of them cannot be read.
    const fd = native.open(folder, name, O_WRONLY, 0);
    if (fd === -ENOENT) continue;
    const file = { ...own, path: `${path}/${name}` };
    must(fd, { ...file, operation: "open" });
    const result = native.chown(fd, uid, -1);
    native.close(fd);
    must(result, file);
  }
}
