// The terminal: a pty of the container's own devpts, on /dev/console and on the standard streams; its master goes to the
// console socket. Every file is reached through a checked descriptor (CVE-2025-52565, CVE-2026-88264).

import {
  O_DIRECTORY,
  O_NOFOLLOW,
  O_PATH,
  OPEN_TREE_CLONE,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
} from "../tables/linux.ts";
import type { Compilation } from "./compilation.ts";
import { KIND } from "./mount-target.ts";
import { NONE } from "./protocol.ts";

const POINTER = "/process/terminal";

/** After pivot_root and setsid. `bound`: also as /dev/console, which is for the container's first process alone. */
export function openConsole(c: Compilation, bound = true): void {
  if (c.options.console === "none") return;
  const { ops } = c;
  const socket = c.slots.consoleSocket;
  const devpts = ops.slot();
  const resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS;
  ops.at(POINTER, "/dev/pts").open(devpts, c.root, "/dev/pts", O_PATH | O_DIRECTORY | O_NOFOLLOW, 0, resolve);
  const master = ops.slot();
  const peer = ops.slot();
  const size = c.config.process.consoleSize;
  ops.at(POINTER, "/dev/pts/ptmx").open_pty(master, peer, devpts, size?.height ?? 0, size?.width ?? 0);
  ops.close(devpts);

  if (bound) bindConsole(c, peer);
  ops.at(POINTER, "console socket").send_pty(socket, master);
  ops.close(master);
  ops.close(socket);
  ops.at(POINTER, bound ? "/dev/console" : "terminal").use_as_stdio(peer);
  ops.close(peer);
  ops.controlling_tty();
}

function bindConsole({ ops, root }: Compilation, peer: number): void {
  const tree = ops.slot();
  const target = ops.slot();
  ops.at(POINTER, "/dev/console");
  ops.open_tree(tree, peer, "", OPEN_TREE_CLONE);
  ops.target(target, root, "/dev/console", KIND.file, NONE, 1);
  ops.move_mount(tree, target);
  ops.close(target);
  ops.close(tree);
}
