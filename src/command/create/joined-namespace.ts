// What config.json says of a namespace that is joined, besides its type: only a look at it tells whether that is true.

import type { IdMapping } from "../../config/types.ts";
import { RuntimeError } from "../../errors/runtime-error.ts";
import { must } from "../../host/must.ts";
import type { Native } from "../../host/native.gen.ts";
import type { Inherited } from "../../plan/plan.ts";

const AT_FDCWD = -100;
const AT_EMPTY_PATH = 0x1000;

type Joined = Extract<Inherited, { what: "namespace" }>;

/** `fd` is the namespace, opened. Throws RuntimeError in runc's words. */
export function checkJoined(native: Native, fd: number, { type, path, changed, moved, ids, origin }: Joined): void {
  const pointer = changed ?? moved;
  if (pointer !== undefined && isOwn(native, fd, type)) {
    const what = changed === undefined ? "network devices cannot be moved to" : "sysctl is not allowed in";
    throw new RuntimeError({ message: `${what} the host's network namespace`, pointer, path });
  }
  if (ids === undefined) return;
  const facts = { operation: "setns", message: "cannot look at the user namespace", path, pointer: origin.pointer };
  const [uids = "", gids = ""] = (must(native.user_namespace_maps(fd), facts) as string).split("\0");
  checkMap(uids, ids.uids, "/linux/uidMappings", path);
  checkMap(gids, ids.gids, "/linux/gidMappings", path);
}

/** Own, not the host's first one: what berth itself is in. */
function isOwn(native: Native, fd: number, type: string): boolean {
  const file = `/proc/self/ns/${type === "network" ? "net" : type}`;
  const own = must(native.stat(AT_FDCWD, file, 0), { operation: "stat", path: file }) as number[];
  const other = must(native.stat(fd, "", AT_EMPTY_PATH), { operation: "stat" }) as number[];
  // Device and inode.
  return [6, 7, 8].every((at) => own[at] === other[at]);
}

function checkMap(actual: string, said: readonly IdMapping[], pointer: string, path: string): void {
  const lines = actual.split("\n").map((line) => line.split(" ").filter((word) => word !== ""));
  const given = said.map(({ containerID, hostID, size }) => [containerID, hostID, size].map(String));
  if (sorted(lines.filter((words) => words.length > 0)) === sorted(given)) return;
  throw new RuntimeError({
    message: "is not what the user namespace that is joined has: only one of the two may be given",
    pointer,
    path,
  });
}

function sorted(lines: readonly string[][]): string {
  return lines
    .map((words) => words.join(" "))
    .sort()
    .join("\n");
}
