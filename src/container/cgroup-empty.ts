// Waits until no process is left in a cgroup and below it.

import type { Native } from "../host/native.gen.ts";
import { readPids, walkCgroup } from "./cgroup-walk.ts";
import { O_RDONLY } from "./open-flags.ts";

const POLLIN = 1;
const POLLPRI = 2;
const MAX_SIZE = 4096;
const NO_FDS = new Uint32Array(0);

/**
 * For at most `patience` ms. v2 tells by an event of cgroup.events; on v1 the end of a process that is there is waited for
 * by its pidfd. Whether nothing is left.
 */
export function awaitEmpty(native: Native, parent: number, name: string, patience: number): boolean {
  const deadline = native.monotonic() + patience;
  for (let left = patience; left > 0; left = deadline - native.monotonic()) {
    // An event counts from the read on.
    const events = native.open(parent, `${name}/cgroup.events`, O_RDONLY, 0);
    if (events < 0) {
      if (!awaitOne(native, parent, name, left)) return true;
      continue;
    }
    const text = native.read(events, MAX_SIZE);
    const populated = typeof text === "string" && text.includes("populated 1\n");
    if (populated) native.poll(Uint32Array.of(events), Uint32Array.of(POLLPRI), left);
    native.close(events);
    if (!populated) return true;
  }
  return false;
}

/** False when there is none. */
function awaitOne(native: Native, parent: number, name: string, left: number): boolean {
  let pid = 0;
  walkCgroup(native, parent, name, (folder) => {
    if (pid === 0) pid = readPids(native, folder).pop() ?? 0;
  });
  if (pid === 0) return false;
  const pidfd = native.pidfd_open(pid);
  if (pidfd < 0) {
    native.poll(NO_FDS, NO_FDS, 1); // it is leaving
    return true;
  }
  native.poll(Uint32Array.of(pidfd), Uint32Array.of(POLLIN), left);
  native.close(pidfd);
  return true;
}
