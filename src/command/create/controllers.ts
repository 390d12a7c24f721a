// cgroup v2: a folder has the files of a controller when the folder above lists it in cgroup.subtree_control.

import { RuntimeError } from "../../errors/runtime-error.ts";
import { must, nativeError } from "../../host/must.ts";
import type { Native } from "../../host/native.gen.ts";
import type { Step } from "./creation.ts";

const AT_FDCWD = -100;
const O_WRONLY = 1;
const MAX_SIZE = 4096;

interface Failure {
  /** -errno. */
  result: number;
  file: string;
}

/**
 * Enables what is missing from the mount point down, in one write a folder. What the step does not need may fail: it is
 * not every folder that is ours (rootless, in a container), and one that has processes gives no controller to its
 * children. Throws RuntimeError with the field that needs a controller, and why it cannot be had.
 */
export function enableMissing(native: Native, step: Step<"enable controllers">): void {
  const { path, mountpoint, controllers, origin } = step;
  const top = list(native, mountpoint, "cgroup.controllers", origin.pointer);
  const wanted = step.others ? [...new Set([...controllers, ...top])] : controllers;
  const failures = new Map<string, Failure>();
  for (let end = mountpoint.length; end > 0; end = path.indexOf("/", end + 1)) {
    const folder = path.slice(0, end);
    const present = list(native, folder, "cgroup.subtree_control", origin.pointer);
    const missing = wanted.filter((name) => !present.includes(name));
    if (missing.length === 0) continue;
    const available = folder === mountpoint ? top : list(native, folder, "cgroup.controllers", origin.pointer);
    enable(
      native,
      folder,
      missing.filter((name) => available.includes(name)),
      failures,
    );
  }
  if (controllers.length === 0) return;
  const got = list(native, path, "cgroup.controllers", origin.pointer);
  for (let i = 0; i < controllers.length; i++) {
    const name = controllers[i] as string;
    if (got.includes(name)) continue;
    const pointer = step.pointers[i] ?? origin.pointer;
    const failure = failures.get(name);
    if (failure === undefined) {
      throw new RuntimeError({ message: `the cgroup controller "${name}" is not available`, path, pointer });
    }
    const message = `cannot enable the cgroup controller "${name}"`;
    throw nativeError(failure.result, { message, operation: "write", path: failure.file, pointer });
  }
}

/** All at once, and one by one when that fails, since the kernel takes all or none. */
function enable(native: Native, folder: string, names: readonly string[], failures: Map<string, Failure>): void {
  const file = `${folder}/cgroup.subtree_control`;
  const write = (some: readonly string[]): number =>
    native.write_file(AT_FDCWD, file, O_WRONLY, 0, some.map((name) => `+${name}`).join(" "));
  if (names.length === 0) return;
  const all = write(names);
  if (all >= 0) return;
  for (const name of names) {
    const result = names.length === 1 ? all : write([name]);
    if (result < 0 && !failures.has(name)) failures.set(name, { result, file });
  }
}

function list(native: Native, folder: string, file: string, pointer: string): string[] {
  const path = `${folder}/${file}`;
  const text = must(native.read_file(AT_FDCWD, path, MAX_SIZE), { operation: "read", path, pointer }) as string;
  return text
    .trim()
    .split(" ")
    .filter((name) => name !== "");
}
