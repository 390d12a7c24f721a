// Opens what init inherits, in slot order (Plan.inherited).

import { RuntimeError } from "../../errors/runtime-error.ts";
import { must } from "../../host/must.ts";
import type { Native } from "../../host/native.gen.ts";
import { loaded } from "../../lazy.ts";
import type { Inherited } from "../../plan/plan.ts";

const AT_FDCWD = -100;
const O_RDONLY = 0;
const O_WRONLY = 1;
const O_DIRECTORY = 0o200000;
const O_NOCTTY = 0o400;

/** Descriptors that exist before the slots are filled. */
export interface Ends {
  /** init's end of the sync socket. */
  sync: number;
  /** What init blocks on until `start`. */
  startPipe: number;
  /** What init blocks on until the container is recorded; -1 when there is none. */
  commitPipe: number;
  consoleSocket: number;
  /** `exec`: the pidfd of the container's init. */
  container?: number;
}

/** Opens every slot's descriptor; `opened` collects those that are to be closed after the clone. */
export function openInherited(
  native: Native,
  inherited: readonly Inherited[],
  ends: Ends,
  opened: number[],
): Uint32Array {
  const fds = new Uint32Array(inherited.length);
  for (let i = 0; i < inherited.length; i++) {
    const entry = inherited[i] as Inherited;
    fds[i] = openOne(native, entry, ends, opened);
  }
  return fds;
}

function openOne(native: Native, entry: Inherited, ends: Ends, opened: number[]): number {
  switch (entry.what) {
    case "sync":
    case "plan": // spawn puts the plan file there
      return ends.sync;
    case "start pipe":
      return ends.startPipe;
    case "commit pipe":
      return ends.commitPipe;
    case "console socket":
      return ends.consoleSocket;
    case "container":
      return ends.container ?? -1;
    case "namespace": {
      const fd = openPath(native, entry, O_RDONLY | O_NOCTTY, opened);
      const type = native.ns_type(fd);
      if (type !== entry.nstype) {
        throw new RuntimeError({
          message: `not a ${entry.type} namespace`,
          pointer: entry.origin.pointer,
          path: entry.path,
        });
      }
      if ((entry.changed ?? entry.moved ?? entry.ids) !== undefined) {
        loaded(import("./joined-namespace.ts")).checkJoined(native, fd, entry);
      }
      return fd;
    }
    case "cgroup join":
      return openPath(native, entry, O_WRONLY, opened);
    case "cgroup directory":
      return openPath(native, entry, O_RDONLY | O_DIRECTORY, opened);
    case "file":
      return openPath(native, entry, entry.flags, opened);
  }
}

function openPath(
  native: Native,
  entry: { path: string; origin: { pointer: string } },
  flags: number,
  opened: number[],
): number {
  const facts = { operation: "open", path: entry.path, pointer: entry.origin.pointer };
  const fd = must(native.open(AT_FDCWD, entry.path, flags, 0), facts);
  opened.push(fd);
  return fd;
}
