// sd_notify(3) for containers: a command that is started with NOTIFY_SOCKET gives its container a socket of its own, and
// passes READY=1 on to the service manager, with the container's process as the service's main one. As runc does it:
// `create` mounts the folder, `start` (and `run`) binds the socket in it. Loaded only when the variable is set.

import type { Config } from "../config/types.ts";
import { variableOf } from "../container/environ.ts";
import type { StateHandle } from "../container/store.ts";
import { RuntimeError } from "../errors/runtime-error.ts";
import { must } from "../host/must.ts";
import type { Native } from "../host/native.gen.ts";

/** In the state folder, and in /run of the container. */
export const FOLDER = "notify";
export const SOCKET = "notify.sock";
const INSIDE = `/run/${FOLDER}`;
const VARIABLE = "NOTIFY_SOCKET";

/** The service manager's address: a path, or an abstract name behind a NUL. Undefined without one. */
export function managerAddress(environ: string): string | undefined {
  const name = variableOf(environ, VARIABLE);
  if (name === undefined || name === "") return undefined;
  if (name.length > 1 && name.startsWith("@")) return `\0${name.slice(1)}`;
  if (name.startsWith("/")) return name;
  throw new RuntimeError({ message: `${VARIABLE} is neither an absolute path nor an abstract address`, path: name });
}

/** Adds the mount and the variable to the configuration. */
export function offerSocket({ mounts, process }: Config, root: string, id: string): void {
  const options = ["bind", "nosuid", "noexec", "nodev", "ro"];
  mounts.push({ destination: INSIDE, type: "bind", source: `${root}/${id}/${FOLDER}`, options });
  process.env.push(`${VARIABLE}=${INSIDE}/${SOCKET}`);
}

/** Makes the folder that is mounted. */
export function makeSocketFolder(native: Native, { dir, path }: StateHandle): void {
  must(native.mkdir(dir, FOLDER, 0o755), { operation: "mkdir", path: `${path}/${FOLDER}` });
}
