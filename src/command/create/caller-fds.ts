// The caller's descriptors that the container keeps: LISTEN_FDS (systemd socket activation), then --preserve-fds.

import { variableOf } from "../../container/environ.ts";
import { RuntimeError } from "../../errors/runtime-error.ts";
import type { Native } from "../../host/native.gen.ts";

const FIRST = 3;
const MANY = 1 << 16;

export interface CallerFds {
  listenFds: number;
  /** The first descriptor number that is init's own. */
  base: number;
}

/** Throws when one of them is closed, as runc does. `environ` is empty where LISTEN_FDS does not count. */
export function callerFds(native: Native, preserveFds: number, environ: string): CallerFds {
  const listenFds = listenFdCount(native, environ);
  const base = FIRST + listenFds + preserveFds;
  for (let fd = FIRST; fd < base; fd++) {
    if (native.fd_flags(fd) < 0) {
      const kind = fd < FIRST + listenFds ? "LISTEN_FDS" : "--preserve-fds";
      throw new RuntimeError({
        message: `please check that the descriptor ${fd} of ${kind} is open`,
        path: `fd ${fd}`,
      });
    }
  }
  return { listenFds, base };
}

/** sd_listen_fds(3): LISTEN_FDS counts only when LISTEN_PID is this process. */
function listenFdCount(native: Native, environ: string): number {
  if (!environ.includes("LISTEN_FDS=")) return 0;
  const pid = variableOf(environ, "LISTEN_PID");
  if (pid !== String(native.getpid())) return 0;
  const text = variableOf(environ, "LISTEN_FDS") ?? "";
  const count = Number(text);
  return text !== "" && Number.isInteger(count) && count >= 0 && count < MANY ? count : 0;
}
