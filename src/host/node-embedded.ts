// What the portable executable carries: libraries, as assets of Node's single-executable format. The dynamic loader
// loads files only, so each is copied to one that has no name in any folder (O_TMPFILE | O_EXCL): there is nothing that
// another user could have put there before, open meanwhile, or find afterwards.

import { closeSync, constants, openSync, writeSync } from "node:fs";
import { getRawAsset } from "node:sea";

/** For owner's eyes: the loader opens it once more, through /proc/self/fd. */
const MODE = 0o400;
/** O_TMPFILE, which Node does not name; it has the bit of O_DIRECTORY. */
const UNNAMED = 0o20000000 | constants.O_DIRECTORY;
/** In memory first. One that is mounted noexec, or cannot do it, is passed over. */
const FOLDERS = ["/dev/shm", "/tmp", "/run", "/var/tmp"];

const open: number[] = [];

/**
 * What `load` makes of a file with the content of that asset. The files stay open until closeAssets: the loader knows
 * libraries by their paths, which must differ.
 *
 * @throws Error when no folder will do, with the reason for each.
 */
export function loadAsset<T>(name: string, load: (path: string) => T): T {
  const content = new Uint8Array(getRawAsset(name) as ArrayBuffer);
  const problems: string[] = [];
  for (const folder of FOLDERS) {
    try {
      return load(`/proc/self/fd/${unnamed(folder, content)}`);
    } catch (error) {
      problems.push(`${folder}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new Error(`cannot load ${name} from any of these folders\n  ${problems.join("\n  ")}`);
}

/** Closes the files; what was loaded stays mapped. */
export function closeAssets(): void {
  for (const fd of open.splice(0)) closeSync(fd);
}

function unnamed(folder: string, content: Uint8Array): number {
  const fd = openSync(folder, UNNAMED | constants.O_EXCL | constants.O_RDWR, MODE);
  open.push(fd);
  for (let at = 0; at < content.length; ) at += writeSync(fd, content, at);
  return fd;
}
