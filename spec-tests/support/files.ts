// node:fs with one thing that it lacks.

import { execFileSync } from "node:child_process";

export { mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";

/** A character device node, mode 0666. */
export function mknodAt(path: string, major: number, minor: number): void {
  execFileSync("mknod", ["-m", "666", path, "c", String(major), String(minor)]);
}
