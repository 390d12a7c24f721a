// The end of a container's unit.

import { warn } from "../../errors/warning.ts";
import type { Native } from "../../host/native.gen.ts";
import { killCgroups } from "../cgroup-kill.ts";
import type { SystemdUnit } from "../state.ts";
import { Manager, PATIENCE_MS } from "./manager.ts";

/**
 * Has systemd stop the unit and forget it; one that is gone already is fine. Its processes have been killed before: systemd
 * asks them with SIGTERM, which pid 1 of a pid namespace does not hear, and waits. Throws RuntimeError.
 */
export function stopUnit(native: Native, { unit, user }: SystemdUnit, patience = PATIENCE_MS): void {
  const manager = new Manager(native, user, undefined, patience);
  try {
    const result = manager.stop(unit);
    if (result !== undefined && result !== "done") warn(`systemd stopped the unit ${unit} with the result ${result}`);
  } finally {
    manager.close();
  }
}

/**
 * The unit of a container whose init has ended: what is left in it is killed, then systemd forgets it. `lenient`: that
 * systemd cannot be told is only a warning, as an empty unit goes by itself.
 */
export function endUnit(native: Native, systemd: SystemdUnit, cgroups: readonly string[], lenient: boolean): void {
  killCgroups(native, cgroups);
  try {
    stopUnit(native, systemd);
  } catch (error) {
    if (!lenient) throw error;
    warn(error);
  }
}
