// Freezes and thaws what is in a container's cgroup: cgroup.freeze on v2, freezer.state on v1.

import type { Native } from "../host/native.gen.ts";
import { openRecorded } from "./cgroup-folder.ts";
import { O_RDONLY, O_WRONLY } from "./open-flags.ts";

const POLLIN = 1;
const POLLPRI = 2;
const MAX_SIZE = 4096;
/** v1: attempts without a pause in between, then with one of 1 ms. */
const EAGER = 20;
/** v1: after so many attempts everything is let go for a moment: processes that keep forking stay ahead otherwise. */
const ROUND = 50;
const BREATH_MS = 10;

export interface Freezer {
  kind: "v1" | "v2";
  /** Descriptor of the cgroup's folder. */
  folder: number;
  path: string;
}

/** The freezer of the recorded leaves, to be closed by closing its folder; undefined when none of them has one. */
export function openFreezer(native: Native, cgroups: readonly string[]): Freezer | undefined {
  for (const path of cgroups) {
    const folder = openRecorded(native, path);
    if (folder < 0) continue;
    const kind = kindOf(native, folder);
    if (kind !== undefined) return { kind, folder, path };
    native.close(folder);
  }
  return undefined;
}

function kindOf(native: Native, folder: number): Freezer["kind"] | undefined {
  if (typeof native.read_file(folder, "freezer.state", MAX_SIZE) === "string") return "v1";
  return typeof native.read_file(folder, "cgroup.freeze", MAX_SIZE) === "string" ? "v2" : undefined;
}

/**
 * Freezes and waits until everything is frozen, for `patience` ms, or until the descriptor `abort` (-1: none) is
 * readable. 1 when it is frozen, 0 when it did not come to that (the caller thaws), -errno when the kernel refuses.
 */
export function freeze(native: Native, freezer: Freezer, patience: number, abort: number): number {
  const deadline = native.monotonic() + patience;
  return freezer.kind === "v2"
    ? freezeV2(native, freezer, deadline, abort)
    : freezeV1(native, freezer, deadline, abort);
}

/** Lets everything go on: 0 and more, or -errno. */
export function thawFreezer(native: Native, freezer: Freezer): number {
  return write(native, freezer, false);
}

function write(native: Native, { kind, folder }: Freezer, frozen: boolean): number {
  if (kind === "v2") return native.write_file(folder, "cgroup.freeze", O_WRONLY, 0, frozen ? "1" : "0");
  return native.write_file(folder, "freezer.state", O_WRONLY, 0, frozen ? "FROZEN" : "THAWED");
}

/** Opened anew for each look: an event counts from the read on, and a second read of one opening is at its end. */
function freezeV2(native: Native, freezer: Freezer, deadline: number, abort: number): number {
  const written = write(native, freezer, true);
  if (written < 0) return written;
  for (;;) {
    const events = native.open(freezer.folder, "cgroup.events", O_RDONLY, 0);
    if (events < 0) return events;
    const text = native.read(events, MAX_SIZE);
    const frozen = typeof text === "string" && text.includes("frozen 1\n");
    const left = deadline - native.monotonic();
    const done = frozen || left <= 0 || waitFor(native, events, POLLPRI, abort, left);
    native.close(events);
    if (done) return frozen ? 1 : 0;
  }
}

/** The kernel's FREEZING may last for as long as processes keep forking: asking again helps (runc's experience). */
function freezeV1(native: Native, freezer: Freezer, deadline: number, abort: number): number {
  for (let attempt = 1; ; attempt++) {
    const written = write(native, freezer, true);
    if (written < 0) return written;
    const state = native.read_file(freezer.folder, "freezer.state", MAX_SIZE);
    if (state === "FROZEN\n") return 1;
    if (typeof state === "number") return state;
    const left = deadline - native.monotonic();
    if (left <= 0) return 0;
    if (attempt < EAGER) continue;
    const breathe = attempt % ROUND === 0;
    if (breathe) write(native, freezer, false);
    if (waitFor(native, -1, 0, abort, Math.min(breathe ? BREATH_MS : 1, left))) return 0;
  }
}

/** Waits for an event of `fd` (-1: none); true when `abort` was readable. */
function waitFor(native: Native, fd: number, events: number, abort: number, ms: number): boolean {
  const fds: number[] = [];
  const wanted: number[] = [];
  if (fd >= 0) {
    fds.push(fd);
    wanted.push(events);
  }
  if (abort >= 0) {
    fds.push(abort);
    wanted.push(POLLIN);
  }
  const ready = native.poll(Uint32Array.from(fds), Uint32Array.from(wanted), ms);
  return abort >= 0 && typeof ready !== "number" && ready[fds.length - 1] !== 0;
}
