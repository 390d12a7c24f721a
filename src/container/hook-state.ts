// The container's state as hooks read it on stdin (runtime-spec, "State"), in one place for every kind of hook.

import type { Hook } from "../config/types.ts";
import type { Native } from "../host/native.gen.ts";
import { VERSION } from "../version.ts";

const DEFAULT_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

export interface HookContainer {
  id: string;
  bundle: string;
  annotations: Iterable<readonly [string, string]>;
}

/** The JSON around the pid: hooks that init runs put their own view of the pid between the two parts. */
export function hookStateParts(container: HookContainer, status: string): { before: string; after: string } {
  const before = `{"ociVersion":"${VERSION.spec}","id":${JSON.stringify(container.id)},"status":"${status}","pid":`;
  const annotations: string[] = [];
  for (const [key, value] of container.annotations) annotations.push(`${JSON.stringify(key)}:${JSON.stringify(value)}`);
  const tail = annotations.length === 0 ? "" : `,"annotations":{${annotations.join(",")}}`;
  return { before, after: `,"bundle":${JSON.stringify(container.bundle)}${tail}}` };
}

/** The whole JSON; pid 0 for a container that has stopped. */
export function hookState(container: HookContainer, status: string, pid: number): string {
  const { before, after } = hookStateParts(container, status);
  return `${before}${pid}${after}`;
}

/**
 * The environment of a hook in the runtime namespace. When the hook lists none, it gets the PATH of the runtime and
 * nothing else: runc hands its whole environment on, and variables such as LD_PRELOAD or PYTHONPATH have turned that into
 * code running as host root.
 */
export function hookEnvironment(native: Native, hook: Hook): string[] {
  if (hook.env !== undefined) return hook.env;
  const environ = native.environ();
  if (typeof environ !== "string") return [DEFAULT_PATH];
  return [environ.split("\0").find((entry) => entry.startsWith("PATH=")) ?? DEFAULT_PATH];
}
