// What the kernel puts into a new resctrl group, for test builds, whose resctrl is a tmpfs.

import type { Native } from "../host/native.gen.ts";
import { AT_REMOVEDIR, O_CREAT, O_DIRECTORY, O_RDONLY, O_WRONLY } from "./open-flags.ts";

const FOLDERS = ["mon_groups", "mon_data/mon_L3_00", "mon_data"];
const FILES = ["tasks", "schemata", "mon_data/mon_L3_00/llc_occupancy"];

export function fillGroup(native: Native, above: number, name: string): void {
  const group = native.open(above, name, O_RDONLY | O_DIRECTORY, 0);
  for (const folder of FOLDERS.toReversed()) native.mkdir(group, folder, 0o755);
  for (const file of FILES) native.close(native.open(group, file, O_WRONLY | O_CREAT, 0o644));
  native.close(group);
}

export function emptyGroup(native: Native, above: number, name: string): void {
  const group = native.open(above, name, O_RDONLY | O_DIRECTORY, 0);
  if (group < 0) return;
  const inside = native.open(group, "mon_groups", O_RDONLY | O_DIRECTORY, 0);
  const names = inside < 0 ? "" : native.list_dir(inside, ".");
  for (const monitor of typeof names === "string" ? names.split("\0") : []) {
    if (monitor === "") continue;
    emptyGroup(native, inside, monitor);
    native.unlink(inside, monitor, AT_REMOVEDIR);
  }
  if (inside >= 0) native.close(inside);
  for (const file of FILES) native.unlink(group, file, 0);
  for (const folder of FOLDERS) native.unlink(group, folder, AT_REMOVEDIR);
  native.close(group);
}
