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

/** After pivot_root and setsid. */
export function openConsole(c: Compilation): void {
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

  const tree = ops.slot();
  const target = ops.slot();
  ops.at(POINTER, "/dev/console");
  ops.open_tree(tree, peer, "", OPEN_TREE_CLONE);
  ops.target(target, c.root, "/dev/console", KIND.file, NONE, 1);
  ops.move_mount(tree, target);
  ops.close(target);
  ops.close(tree);

  ops.at(POINTER, "console socket").send_pty(socket, master);
  ops.close(master);
  ops.close(socket);
  ops.at(POINTER, "/dev/console").use_as_stdio(peer);
  ops.close(peer);
  ops.controlling_tty();
}
