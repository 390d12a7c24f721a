// cgroup v2: a folder has the files of a controller when the folder above lists it in cgroup.subtree_control.

import { must, nativeError } from "../../host/must.ts";
import type { Native } from "../../host/native.gen.ts";
import type { Step } from "./steps.ts";

const AT_FDCWD = -100;
const O_WRONLY = 1;
const MAX_SIZE = 4096;

/** One file is read when nothing is missing. Throws RuntimeError naming the folder that refuses. */
export function enableControllers(native: Native, step: Step<"enable controllers">): void {
  const { path, mountpoint, controllers, origin } = step;
  for (let end = missing(native, path, controllers, origin.pointer).length === 0 ? -1 : mountpoint.length; end > 0; ) {
    const folder = path.slice(0, end);
    for (const name of missing(native, folder, controllers, origin.pointer, "cgroup.subtree_control")) {
      const file = `${folder}/cgroup.subtree_control`;
      const written = native.write_file(AT_FDCWD, file, O_WRONLY, 0, `+${name}`);
      if (written >= 0) continue;
      const message = `cannot enable the cgroup controller ${JSON.stringify(name)}`;
      throw nativeError(written, { message, operation: "write", path: file, pointer: origin.pointer });
    }
    end = path.indexOf("/", end + 1);
  }
}

/** Those of the controllers that the folder's list lacks. */
function missing(
  native: Native,
  folder: string,
  controllers: readonly string[],
  pointer: string,
  list = "cgroup.controllers",
): string[] {
  const path = `${folder}/${list}`;
  const text = must(native.read_file(AT_FDCWD, path, MAX_SIZE), { operation: "read", path, pointer }) as string;
  const present = text.trim().split(" ");
  return controllers.filter((name) => !present.includes(name));
}
