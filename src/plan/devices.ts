// /dev: the default nodes and those of linux.devices, /dev/ptmx and the links that every container has. All of it is
// resolved in the root, through whatever mount is at /dev by now.

import type { Device } from "../config/types.ts";
import {
  O_NOFOLLOW,
  O_PATH,
  OPEN_TREE_CLONE,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
  S_IFBLK,
  S_IFCHR,
  S_IFIFO,
} from "../tables/linux.ts";
import type { Compilation } from "./compilation.ts";
import { KIND } from "./mount-target.ts";
import { isConfined } from "./namespace-set.ts";
import { cleanPath } from "./paths.ts";
import { NONE } from "./protocol.ts";

/** runtime-spec, config-linux.md "Default Devices"; [path, major, minor], 0666. */
const DEFAULT_NODES: readonly (readonly [string, number, number])[] = [
  ["/dev/null", 1, 3],
  ["/dev/random", 1, 8],
  ["/dev/full", 1, 7],
  ["/dev/tty", 5, 0],
  ["/dev/zero", 1, 5],
  ["/dev/urandom", 1, 9],
];
const DEFAULT_MODE = 0o666;

const LINKS: readonly (readonly [string, string])[] = [
  ["/dev/fd", "/proc/self/fd"],
  ["/dev/stdin", "/proc/self/fd/0"],
  ["/dev/stdout", "/proc/self/fd/1"],
  ["/dev/stderr", "/proc/self/fd/2"],
];

/** Nothing when /dev is a bind mount. */
export function makeDevices(c: Compilation): void {
  if (c.bindsDev) return;
  const { ops } = c;
  const { devices } = c.config.linux;
  const bind = isConfined(c.namespaces, c.options.facts);
  for (let i = 0; i < DEFAULT_NODES.length; i++) {
    const [path, major, minor] = DEFAULT_NODES[i] as readonly [string, number, number];
    if (devices.length !== 0 && devices.some((device) => device.path === path)) continue;
    ops.at("default", path);
    if (bind) bindNode(c, path, major, minor);
    else ops.make_node(c.root, path, S_IFCHR | DEFAULT_MODE, major, minor, 0, 0);
  }
  for (let i = 0; i < devices.length; i++) makeDevice(c, devices[i] as Device, `/linux/devices/${i}`, bind);
  ops.at("default", "/dev/ptmx").make_symlink(c.root, "/dev/ptmx", "pts/ptmx", 1);
  for (let i = 0; i < LINKS.length; i++) {
    const [path, to] = LINKS[i] as readonly [string, string];
    ops.at("default", path).make_symlink(c.root, path, to, 0);
  }
  if (c.options.facts.kcore) ops.at("default", "/dev/core").make_symlink(c.root, "/dev/core", "/proc/kcore", 0);
}

function makeDevice(c: Compilation, device: Device, pointer: string, bind: boolean): void {
  const { ops } = c;
  const { type, major, minor, uid, gid } = device;
  const path = cleanPath(device.path);
  if (path === "/dev/ptmx") return; // always the link to the container's own devpts
  ops.at(pointer, path);
  if (bind && type !== "p") {
    bindNode(c, path, type === "b" ? -1 : major, minor);
    return;
  }
  const kind = type === "b" ? S_IFBLK : type === "p" ? S_IFIFO : S_IFCHR;
  ops.make_node(c.root, path, kind | (device.fileMode ?? DEFAULT_MODE), major, minor, uid, gid);
}

/**
 * mknod(2) is refused in a user namespace: the host's node is bound there. What is bound is looked at through its
 * descriptor; a block device (major -1) has no op for that, and only what the host's administrator put there is bound.
 */
function bindNode(c: Compilation, path: string, major: number, minor: number): void {
  const { ops } = c;
  const node = ops.slot();
  ops.open_tree(node, NONE, path, OPEN_TREE_CLONE);
  if (major >= 0) ops.check_device(node, major, minor);
  const target = ops.slot();
  ops.target(target, c.root, path, KIND.file, NONE, 1);
  ops.move_mount(node, target);
  ops.close(target);
  ops.close(node);
}

/**
 * Standard streams that are the host's null device become the container's own. Before the root is changed: it is opened
 * through the host's /proc, once it is known to be the null device (opening another one may do something).
 */
export function replaceNullStdio(c: Compilation): void {
  if (c.bindsDev) return;
  const { ops } = c;
  const null_ = ops.slot();
  const resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS;
  ops.at("default", "/dev/null").open(null_, c.root, "/dev/null", O_PATH | O_NOFOLLOW, 0, resolve);
  ops.replace_null_stdio(null_);
  ops.close(null_);
}
