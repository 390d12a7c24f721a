// Where a service manager is reached.
//
// The system's: by the system bus, its public interface (systemd(1) calls its own socket private), and where no bus runs, by
// that socket all the same, as runc does. A user's: by the session bus that the environment names.

import { socketAddresses } from "../../dbus/address.ts";
import { RuntimeError } from "../../errors/runtime-error.ts";
import { must } from "../../host/must.ts";
import type { Native } from "../../host/native.gen.ts";
import { variableOf } from "../environ.ts";
import { euid } from "../euid.ts";

export interface BusSocket {
  /** As sun_path has it. */
  address: string;
  /** systemd itself is at the other end: no bus in between. */
  direct: boolean;
}

const AT_FDCWD = -100;
const SYSTEM_BUS = "/run/dbus/system_bus_socket";
const PRIVATE = "/run/systemd/private";

/** In the order in which they are to be tried. Throws RuntimeError when the environment names no session bus. */
export function managerSockets(native: Native, user: boolean): BusSocket[] {
  const environ = must(native.environ(), { operation: "environ" }) as string;
  const runtime = variableOf(environ, "XDG_RUNTIME_DIR") || undefined;
  const bus = variableOf(environ, user ? "DBUS_SESSION_BUS_ADDRESS" : "DBUS_SYSTEM_BUS_ADDRESS");
  if (bus) return socketAddresses(bus, runtime).map((address) => ({ address, direct: false }));
  if (!user) {
    const sockets = [{ address: SYSTEM_BUS, direct: false }];
    return euid(native) === 0 ? [...sockets, { address: PRIVATE, direct: true }] : sockets;
  }
  if (runtime !== undefined) {
    return [
      { address: `${runtime}/bus`, direct: false },
      { address: `${runtime}/systemd/private`, direct: true },
    ];
  }
  throw new RuntimeError({
    message: "neither DBUS_SESSION_BUS_ADDRESS nor XDG_RUNTIME_DIR is set: the user's systemd cannot be found",
  });
}

/**
 * For the root of a user namespace: the environment names a user's service manager. Where it does not, systemd is this
 * namespace's own (a whole system in a container).
 */
export function hasUserManager(native: Native): boolean {
  const environ = must(native.environ(), { operation: "environ" }) as string;
  if (variableOf(environ, "DBUS_SESSION_BUS_ADDRESS")) return true;
  const runtime = variableOf(environ, "XDG_RUNTIME_DIR");
  return !!runtime && typeof native.stat(AT_FDCWD, `${runtime}/systemd`, 0) !== "number";
}
