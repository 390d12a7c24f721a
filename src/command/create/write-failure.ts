// Why a write to a file of a cgroup failed, as clearly as can be found out afterwards.

import { RuntimeError } from "../../errors/runtime-error.ts";
import { nativeError } from "../../host/must.ts";
import type { Native } from "../../host/native.gen.ts";
import type { Place } from "./cgroups.ts";
import type { Step } from "./creation.ts";

const EPERM = 1;
const ENOENT = 2;
const EACCES = 13;
const EBUSY = 16;
const MAX_SIZE = 4096;

/** The error for a write that answered `result`; `replaced`: the file of `otherwise` did. */
export function writeFailure(
  native: Native,
  step: Step<"write cgroup file">,
  result: number,
  place: Place,
  replaced = false,
): RuntimeError {
  const { path, otherwise } = step;
  const pointer = step.origin.pointer;
  const file = replaced ? (otherwise?.file as string) : step.file;
  const data = replaced ? (otherwise?.data as string) : step.data;
  const read = (name: string): string | undefined => {
    const text = native.read_file(...place(path, name), MAX_SIZE);
    return typeof text === "string" ? text.trim() : undefined;
  };
  if (result === -ENOENT || result === -EPERM || result === -EACCES) {
    const controller = file.slice(0, file.indexOf("."));
    const controllers = controller === "cgroup" ? undefined : read("cgroup.controllers");
    if (controllers !== undefined && !controllers.split(" ").includes(controller)) {
      return new RuntimeError({ message: `the cgroup controller "${controller}" is not available`, path, pointer });
    }
    if (result === -ENOENT && replaced) {
      return new RuntimeError({ message: `the kernel has neither ${step.file} nor ${file}`, path, pointer });
    }
  }
  let message = `cannot write ${JSON.stringify(data)}`;
  if (result === -EBUSY && file === "memory.limit_in_bytes") {
    const usage = read("memory.usage_in_bytes");
    message += ` (in use: ${usage}, at most so far: ${read("memory.max_usage_in_bytes")})`;
  }
  return nativeError(result, { message, operation: "write", path: `${path}/${file}`, pointer });
}
