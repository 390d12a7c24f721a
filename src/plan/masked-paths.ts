// linux.readonlyPaths and maskedPaths. Files are covered by the host's null device, taken and checked before the root is
// changed (CVE-2025-31133: the container's own may be a symlink), folders by one empty read-only tmpfs for all of them.

import { OPEN_TREE_CLONE } from "../tables/linux.ts";
import { MOUNT_ATTR } from "../tables/mount-options.ts";
import type { Compilation } from "./compilation.ts";
import { cleanPath } from "./paths.ts";
import { NONE } from "./protocol.ts";

/** Without nodev: a null device that cannot be opened is no file that reads as empty. */
const FILE_ATTRIBUTES = MOUNT_ATTR.RDONLY | MOUNT_ATTR.NOSUID | MOUNT_ATTR.NOEXEC;
const FOLDER_ATTRIBUTES = FILE_ATTRIBUTES | MOUNT_ATTR.NODEV;

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
  ops.new_mount(folder, "tmpfs", FOLDER_ATTRIBUTES, NONE, ["source=tmpfs", "ro", "nr_blocks=1", "nr_inodes=1"]);
  return { file, folder };
}

export function protectPaths(c: Compilation, masks: Masks | undefined): void {
  const { ops } = c;
  const { readonlyPaths, maskedPaths } = c.config.linux;
  for (let i = 0; i < readonlyPaths.length; i++) {
    const path = cleanPath(readonlyPaths[i] as string);
    ops.at(`/linux/readonlyPaths/${i}`, path).read_only_path(c.root, path);
  }
  if (masks === undefined) return;
  for (let i = 0; i < maskedPaths.length; i++) {
    const given = maskedPaths[i] as string;
    // A second mask on the same path would cover the first one's folder with itself.
    if (maskedPaths.indexOf(given) < i) continue;
    const path = cleanPath(given);
    ops.at(`/linux/maskedPaths/${i}`, path).mask_path(c.root, path, masks.file, masks.folder);
  }
  ops.close(masks.file);
  ops.close(masks.folder);
}
