// What `create` and `run` ask for, after the command line has been read.

import type { Rights } from "../../container/root.ts";

export interface CreateRequest {
  id: string;
  /** The state root, absolute. */
  root: string;
  /** The bundle folder as given; relative to the current folder. */
  bundle: string;
  /** Absolute: it was resolved before the command changed into the bundle. */
  pidFile?: string;
  consoleSocket?: string;
  pidfdSocket?: string;
  noPivot: boolean;
  noNewKeyring: boolean;
  preserveFds: number;
  /** create: init outlives the command and waits at exec.fifo. run: it waits at an anonymous pipe. */
  outlives: boolean;
  /** Terminal handling when config.json asks for one and there is no console socket. */
  foreground: boolean;
  rights: Rights;
  /** --systemd-cgroup. */
  systemd: boolean;
}
