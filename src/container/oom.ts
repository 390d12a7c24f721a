// Tells when a container goes over its memory limit.
//
// v1: an eventfd that memory.oom_control signals (memory.rst, "OOM Control"); the removal of the cgroup signals it too.
// v2: poll(2) on memory.events, which is woken by every change of it (cgroup-v2.rst); of those, the ones that raise
// oom_kill count. The number is raised before the victim gets its signal: whoever sees init's end sees it, too.

import { readKeyed } from "../cgroup/stats-text.ts";
import { RuntimeError } from "../errors/runtime-error.ts";
import { must } from "../host/must.ts";
import type { Native } from "../host/native.gen.ts";
import type { CgroupLeaf, Leaves } from "./cgroup-leaves.ts";
import { O_NONBLOCK, O_RDONLY, O_WRONLY } from "./open-flags.ts";

const POLLIN = 1;
const POLLPRI = 2;
const EVENTS = "memory.events";
const COUNTER_SIZE = 8;
/** An eventfd's counter of 1, in x86-64's and aarch64's order of bytes. */
const ONCE = "\u0001\0\0\0\0\0\0\0";
/** How long the kernel may take to signal the removal of a cgroup, which a worker of its own does. */
const REMOVAL_MS = 200;

export interface OomWatch {
  /** What to poll for. */
  readonly fd: number;
  readonly events: number;
  /** Whether there was an OOM since the last call. */
  happened(): boolean;
  /** Whether the cgroup has been removed: nothing will happen any more. */
  isOver(): boolean;
}

/** Throws RuntimeError without a memory controller. */
export function watchOom(native: Native, leaves: Leaves): OomWatch {
  const memory = leaves.v1("memory");
  if (memory !== undefined) return new CounterWatch(native, memory);
  if (leaves.unified?.read(EVENTS) !== undefined) return new FileWatch(native, leaves.unified);
  throw new RuntimeError({ message: "cannot watch for OOM: memory controller missing" });
}

class CounterWatch implements OomWatch {
  readonly fd: number;
  readonly events = POLLIN;
  readonly #native: Native;
  readonly #cgroup: CgroupLeaf;

  constructor(native: Native, cgroup: CgroupLeaf) {
    this.#native = native;
    this.#cgroup = cgroup;
    const path = `${cgroup.path}/memory.oom_control`;
    const control = must(native.open(cgroup.dir, "memory.oom_control", O_RDONLY, 0), { operation: "open", path });
    this.fd = must(native.eventfd(), { operation: "eventfd" });
    const line = `${this.fd} ${control}`;
    must(native.write_file(cgroup.dir, "cgroup.event_control", O_WRONLY, 0, line), {
      message: "cannot watch for OOM",
      operation: "write",
      path: `${cgroup.path}/cgroup.event_control`,
    });
    native.close(control);
  }

  /** The removal is one signal more: whatever else was counted was an OOM. */
  happened(): boolean {
    const first = this.#take();
    if (first === undefined) return false;
    if (!this.#cgroup.isGone() || first !== ONCE) return true;
    this.#native.poll(Uint32Array.of(this.fd), Uint32Array.of(POLLIN), REMOVAL_MS);
    return this.#take() !== undefined;
  }

  isOver(): boolean {
    return this.#cgroup.isGone();
  }

  /** The counter's bytes; undefined while it is 0. */
  #take(): string | undefined {
    const bytes = this.#native.read(this.fd, COUNTER_SIZE);
    return typeof bytes === "string" ? bytes : undefined;
  }
}

class FileWatch implements OomWatch {
  fd: number;
  readonly events = POLLPRI;
  readonly #native: Native;
  readonly #cgroup: CgroupLeaf;
  #seen: bigint;

  constructor(native: Native, cgroup: CgroupLeaf) {
    this.#native = native;
    this.#cgroup = cgroup;
    const path = `${cgroup.path}/${EVENTS}`;
    this.fd = must(this.#open(), { message: "cannot watch for OOM", operation: "open", path });
    this.#seen = this.#kills() ?? 0n;
  }

  /** poll(2) reports changes after the descriptor was opened or read: it is opened anew before the file is read. */
  happened(): boolean {
    const fresh = this.#open();
    if (fresh < 0) return false; // the cgroup has been removed
    this.#native.close(this.fd);
    this.fd = fresh;
    const kills = this.#kills();
    if (kills === undefined || kills <= this.#seen) return false;
    this.#seen = kills;
    return true;
  }

  isOver(): boolean {
    return this.#cgroup.isGone();
  }

  #open(): number {
    return this.#native.open(this.#cgroup.dir, EVENTS, O_RDONLY | O_NONBLOCK, 0);
  }

  #kills(): bigint | undefined {
    return readKeyed(this.#cgroup, EVENTS)?.get("oom_kill");
  }
}
