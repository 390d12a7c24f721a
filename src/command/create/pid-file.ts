// --pid-file: the pid in decimal without a newline, by rename, so that no reader sees half of it.

import { must } from "../../host/must.ts";
import type { Native } from "../../host/native.gen.ts";

const AT_FDCWD = -100;
const O_WRONLY_CREAT_EXCL = 0o1 | 0o100 | 0o200;
const EEXIST = 17;

/** `path` is absolute. */
export function writePidFile(native: Native, path: string, pid: number): void {
  const slash = path.lastIndexOf("/");
  const temporary = `${path.slice(0, slash + 1)}.${path.slice(slash + 1)}`;
  const write = (): number => native.write_file(AT_FDCWD, temporary, O_WRONLY_CREAT_EXCL, 0o666, String(pid));
  let result = write();
  if (result === -EEXIST) {
    native.unlink(AT_FDCWD, temporary, 0);
    result = write();
  }
  if (result >= 0) result = native.rename(AT_FDCWD, temporary, path);
  if (result < 0) native.unlink(AT_FDCWD, temporary, 0);
  must(result, { operation: "write", path, message: "cannot write the pid file" });
}
