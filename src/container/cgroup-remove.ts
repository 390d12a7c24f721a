// Removes the container's own cgroups: only folders that `create` made.

import { RuntimeError } from "../errors/runtime-error.ts";
import { nativeError } from "../host/must.ts";
import type { Native } from "../host/native.gen.ts";
import { childCgroups, killCgroups } from "./cgroup-kill.ts";
import { AT_FDCWD, AT_REMOVEDIR, EBUSY, ENODEV, ENOENT } from "./open-flags.ts";

/** How long a cgroup may stay busy after its processes were killed: the kernel ends them asynchronously. */
const PATIENCE_MS = 10_000;
const LONGEST_PAUSE_MS = 50;

/** Removes the cgroups, children first. Whoever is still in one is killed; throws when one stays busy for 10 s. */
export function removeCgroups(native: Native, cgroups: readonly string[]): void {
  for (let i = cgroups.length - 1; i >= 0; i--) removeCgroup(native, cgroups[i] as string);
}

function removeCgroup(native: Native, cgroup: string): void {
  let deadline = -1;
  let pause = 1;
  for (;;) {
    const removed = native.unlink(AT_FDCWD, cgroup, AT_REMOVEDIR);
    if (removed >= 0 || removed === -ENOENT || removed === -ENODEV) return;
    if (removed !== -EBUSY) throw nativeError(removed, { message: "cannot remove the cgroup", operation: "rmdir", path: cgroup });
    const now = native.monotonic();
    if (deadline < 0) deadline = now + PATIENCE_MS;
    else if (now > deadline) {
      throw new RuntimeError({ message: "cannot remove the cgroup: it stays busy", operation: "rmdir", path: cgroup, errno: EBUSY });
    }
    for (const child of childCgroups(native, cgroup)) removeCgroup(native, child);
    killCgroups(native, [cgroup]);
    native.poll(new Uint32Array(0), new Uint32Array(0), pause);
    pause = Math.min(2 * pause, LONGEST_PAUSE_MS);
  }
}
