// linux.readonlyPaths and maskedPaths. Files are covered by the host's null device, taken and checked before the root is
// changed (CVE-2025-31133: the container's own may be a symlink), folders by one empty read-only tmpfs for all of them.

import { OPEN_TREE_CLONE } from "../tables/linux.ts";
import { MOUNT_ATTR } from "../tables/mount-options.ts";
import type { Compilation, KernelMount } from "./compilation.ts";
import { labelParameters } from "./lsm.ts";
import { cleanPath } from "./paths.ts";
import { NONE } from "./protocol.ts";

/** Without nodev: a null device that cannot be opened is no file that reads as empty. */
const FILE_ATTRIBUTES = MOUNT_ATTR.RDONLY | MOUNT_ATTR.NOSUID | MOUNT_ATTR.NOEXEC;
const FOLDER_ATTRIBUTES = FILE_ATTRIBUTES | MOUNT_ATTR.NODEV;

const SLASH = 0x2f;

/** Before pivot_root: slots of what covers files and folders. */
export interface Masks {
  file: number;
  folder: number;
}

/** undefined when nothing is masked. */
export function openMasks(c: Compilation): Masks | undefined {
  if (c.config.linux.maskedPaths.length === 0) return undefined;
  const { ops } = c;
  const file = ops.slot();
  ops.at("/linux/maskedPaths", "/dev/null");
  ops.open_tree(file, NONE, "/dev/null", OPEN_TREE_CLONE);
  ops.check_device(file, 1, 3);
  ops.mount_attributes(file, FILE_ATTRIBUTES, 0, 0, 0);
  const folder = ops.slot();
  ops.at("/linux/maskedPaths", "tmpfs");
  const parameters = ["source=tmpfs", "ro", "nr_blocks=1", "nr_inodes=1", ...labelParameters(c)];
  ops.new_mount(folder, "tmpfs", FOLDER_ATTRIBUTES, NONE, parameters);
  return { file, folder };
}

export function protectPaths(c: Compilation, masks: Masks | undefined): void {
  const { ops, kernelMounts } = c;
  const { readonlyPaths, maskedPaths } = c.config.linux;
  for (let i = 0; i < readonlyPaths.length; i++) {
    const path = cleanPath(readonlyPaths[i] as string);
    const within = mountAbove(c, path);
    ops.at(`/linux/readonlyPaths/${i}`, path);
    if (within === undefined) ops.read_only_path(c.root, path);
    else ops.read_only_path(within.mount, path.slice(within.destination.length));
  }
  if (masks !== undefined) mask(c, maskedPaths, masks);
  for (let i = 0; i < kernelMounts.length; i++) ops.close((kernelMounts[i] as KernelMount).mount);
}

function mask(c: Compilation, paths: readonly string[], { file, folder }: Masks): void {
  const { ops } = c;
  for (let i = 0; i < paths.length; i++) {
    const given = paths[i] as string;
    // A second mask on the same path would cover the first one's folder with itself.
    if (paths.indexOf(given) < i) continue;
    const path = cleanPath(given);
    const within = mountAbove(c, path);
    ops.at(`/linux/maskedPaths/${i}`, path);
    if (within === undefined) ops.mask_path(c.root, path, file, folder);
    else ops.mask_path(within.mount, path.slice(within.destination.length), file, folder);
  }
  ops.close(file);
  ops.close(folder);
}

/** The mount on /proc or /sys that the path is below: it is looked up there, wherever the mount's folder is by now. */
function mountAbove({ kernelMounts }: Compilation, path: string): KernelMount | undefined {
  for (let i = 0; i < kernelMounts.length; i++) {
    const { destination } = kernelMounts[i] as KernelMount;
    if (path.startsWith(destination) && path.charCodeAt(destination.length) === SLASH) return kernelMounts[i];
  }
  return undefined;
}
