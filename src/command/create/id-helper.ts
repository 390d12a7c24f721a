// newuidmap(1) and newgidmap(1): they write the map of a new user namespace with the caller's subordinate ids (subuid(5)),
// which takes privileges that they have and the caller has not. Their own checks are who may map what.

import { variableOf } from "../../container/environ.ts";
import { RuntimeError } from "../../errors/runtime-error.ts";
import { must } from "../../host/must.ts";
import type { Native } from "../../host/native.gen.ts";
import type { Creation, Step } from "./creation.ts";

const AT_FDCWD = -100;
const X_OK = 1;
const S_IFMT = 0o170000;
const S_IFREG = 0o100000;
const CLD_EXITED = 1;
/** As the shell has it where PATH is not set. */
const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/** They read a few files, which a directory service may serve. */
const PATIENCE_MS = 10_000;
const TIMED_OUT = 1;

/** Throws RuntimeError with what the program says. */
export function mapByHelper({ native, interrupts, pid }: Creation, step: Step<"map ids">): void {
  const { helper, data, origin } = step;
  const path = findProgram(native, helper);
  if (path === undefined) {
    const message = `the ids cannot be mapped without privileges, and there is no ${helper} in $PATH`;
    throw new RuntimeError({ message, pointer: origin.pointer });
  }
  const args = [helper, String(pid), ...data.split("\n").flatMap((line) => (line === "" ? [] : line.split(" ")))];
  // An empty environment: it is another user's program in a moment.
  const result = native.run_hook(path, args, [], "", PATIENCE_MS, interrupts.fd);
  const facts = { pointer: origin.pointer, path };
  const [code, status, end] = must(result, {
    ...facts,
    message: `cannot run ${helper}`,
    operation: "exec",
  }) as number[];
  if (code === CLD_EXITED && status === 0) return;
  interrupts.check();
  const said = native.detail();
  const how =
    end === TIMED_OUT
      ? `did not end within ${PATIENCE_MS / 1000} s`
      : code === CLD_EXITED
        ? `failed with exit status ${status}`
        : `was killed by signal ${status}`;
  throw new RuntimeError({
    ...facts,
    message: `${helper} ${how}`,
    ...(typeof said === "string" && said.trim() !== "" ? { detail: said.trim() } : {}),
  });
}

/** By absolute folders only: never a program of the current folder, which is the bundle. */
function findProgram(native: Native, name: string): string | undefined {
  const path = variableOf(must(native.environ(), { operation: "environ" }) as string, "PATH") ?? DEFAULT_PATH;
  for (const folder of path.split(":")) {
    if (!folder.startsWith("/")) continue;
    const file = `${folder}/${name}`;
    const found = native.stat(AT_FDCWD, file, 0);
    if (typeof found === "number" || ((found[0] as number) & S_IFMT) !== S_IFREG) continue;
    if (native.access(AT_FDCWD, file, X_OK) === 0) return file;
  }
  return undefined;
}
