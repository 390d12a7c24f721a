// create and run with --systemd-cgroup: what is asked of systemd, and how it is undone.

import { killCgroups } from "../../container/cgroup-kill.ts";
import { removeCgroups } from "../../container/cgroup-remove.ts";
import { euid } from "../../container/euid.ts";
import { described, Manager, UNIT_EXISTS } from "../../container/systemd/manager.ts";
import { hasUserManager } from "../../container/systemd/sockets.ts";
import { stopUnit } from "../../container/systemd/stop.ts";
import { RuntimeError } from "../../errors/runtime-error.ts";
import type { CgroupFacts } from "../../host/facts.ts";
import { must } from "../../host/must.ts";
import type { Native } from "../../host/native.gen.ts";
import type { SystemdFacts } from "../../plan/plan.ts";
import type { UnitProperty } from "../../systemd/property.ts";
import type { Step } from "./creation.ts";
import type { Interrupts } from "./interrupts.ts";

const AT_FDCWD = -100;
const O_WRONLY = 1;
const FILE_MAX = 65536;
/** A systemd that has not answered is asked once more, for as long. */
const UNDO_PATIENCE_MS = 5000;

export class SystemdDriver {
  readonly facts: SystemdFacts;
  readonly #native: Native;
  readonly #manager: Manager;
  #open = true;
  /** The unit that may be there because of us. */
  #asked: string | undefined;

  /**
   * With the manager that a runtime of that kind has. Throws RuntimeError when it cannot be reached, and for a user's where
   * v1 is mounted: the kernel lets nobody but root have cgroups there.
   */
  static open(native: Native, rootless: boolean, mode: CgroupFacts["mode"]): SystemdDriver {
    const user = rootless && (euid(native) !== 0 || hasUserManager(native));
    if (user && mode !== "v2") {
      throw new RuntimeError({ message: "a user's systemd keeps cgroups with cgroup v2 alone" });
    }
    return new SystemdDriver(native, user);
  }

  private constructor(native: Native, user: boolean) {
    this.#native = native;
    this.#manager = new Manager(native, user);
    const { version, controlGroup } = this.#manager;
    this.facts = { user, version, controlGroup };
  }

  /** Makes the unit with `pid` in it, and looks whether it is where the plan says. */
  start(step: Step<"start unit">, pid: number, interrupts: Interrupts): void {
    const { unit, origin } = step;
    const { pointer } = origin;
    const pids: UnitProperty = { name: "PIDs", signature: "au", value: [pid] };
    this.#manager.interrupt = interrupts;
    this.#asked = unit;
    const answer = this.#manager.start(unit, [...step.properties, pids]);
    if ("error" in answer) {
      this.#asked = undefined; // what is there is somebody else's
      const { error } = answer;
      const why = error.name === UNIT_EXISTS ? "there is one with that name" : described(error);
      throw new RuntimeError({ message: `systemd did not make the unit ${unit}: ${why}`, pointer });
    }
    this.#manager.awaitStart(unit, answer.job, pointer);
    this.#checkPlace(step, pid);
  }

  set({ unit, properties, origin }: Step<"set unit properties">): void {
    this.#manager.set(unit, properties, origin.pointer);
  }

  /** The connection is needed no longer: it would fill up with the signals of other units. */
  close(): void {
    if (this.#open) this.#manager.close();
    this.#open = false;
  }

  /** After init has been killed: everything else in the unit, the unit, and what would be left of its cgroups. */
  undo(cgroups: readonly string[]): void {
    this.close();
    if (this.#asked === undefined) return;
    killCgroups(this.#native, cgroups);
    try {
      stopUnit(this.#native, { unit: this.#asked, user: this.facts.user }, UNDO_PATIENCE_MS);
    } finally {
      removeCgroups(this.#native, cgroups, true);
    }
  }

  /** Limits and device rules are going to be written there, and it is going to be removed. */
  #checkPlace({ unit, cgroup, origin }: Step<"start unit">, pid: number): void {
    const file = `/proc/${pid}/cgroup`;
    const text = must(this.#native.read_file(AT_FDCWD, file, FILE_MAX), { operation: "read", path: file }) as string;
    for (const line of text.split("\n")) {
      const name = line.indexOf(":") + 1;
      const path = line.indexOf(":", name) + 1;
      if (path < 2 || line.slice(name, path - 1) !== cgroup.name) continue;
      if (line.slice(path) === cgroup.path) return;
      const message = `systemd put the unit ${unit} into another cgroup than ${cgroup.path}`;
      throw new RuntimeError({ message, path: line.slice(path), pointer: origin.pointer });
    }
    throw new RuntimeError({ message: `systemd's cgroup hierarchy is not mounted`, pointer: origin.pointer });
  }
}

/** v1: moves a process, with all its threads. */
export function joinCgroup(native: Native, { path, origin }: Step<"join cgroup">, pid: number): void {
  const file = `${path}/cgroup.procs`;
  const written = native.write_file(AT_FDCWD, file, O_WRONLY, 0, String(pid));
  must(written, {
    message: "cannot move init into its cgroup",
    operation: "write",
    path: file,
    pointer: origin.pointer,
  });
}
