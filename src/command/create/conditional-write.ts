// Writes that depend on what the kernel has and holds: another file in place of a missing one, none at all, a second try, a
// look at what is in use before.

import { RuntimeError } from "../../errors/runtime-error.ts";
import type { Native } from "../../host/native.gen.ts";
import { loaded } from "../../lazy.ts";
import type { RuntimeStep } from "../../plan/plan.ts";
import { type Place, writeCgroupFile } from "./cgroups.ts";
import type { Step } from "./creation.ts";

const O_WRONLY = 1;
const ENOENT = 2;
const EINVAL = 22;
const MAX_SIZE = 4096;
const NO_FDS = new Uint32Array(0);
/** The waits of a patient write double from 1 ms: half a second altogether. */
const PATIENCE = 9;

type Write = Step<"write cgroup file">;

/** As writeCgroupFile, for a step with `otherwise`, `optional`, `retry`, `patient` or `above` (see plan.ts). */
export function writeConditionally(native: Native, steps: readonly RuntimeStep[], first: number, place: Place): number {
  const step = steps[first] as Write;
  if (step.above !== undefined) checkAbove(native, step, step.above, place);
  const [dir, name] = place(step.path, step.file);
  let fd = native.open(dir, name, O_WRONLY, 0);
  const replaced = fd === -ENOENT && step.otherwise !== undefined;
  if (replaced) fd = native.open(...place(step.path, step.otherwise?.file as string), O_WRONLY, 0);
  else if (fd === -ENOENT && step.optional === true) return first;
  for (let i = first; ; i++) {
    const current = steps[i] as Write;
    const data = replaced ? (current.otherwise?.data as string) : current.data;
    let written = fd < 0 ? fd : native.write(fd, data);
    for (let wait = 0; written === -EINVAL && current.patient === true && wait < PATIENCE; wait++) {
      native.poll(NO_FDS, NO_FDS, 1 << wait);
      written = native.write(fd, data);
    }
    if (written < 0) {
      if (fd >= 0) native.close(fd);
      if (written === -EINVAL && current.retry === true) return retry(native, steps, i, place);
      throw loaded(import("./write-failure.ts")).writeFailure(native, current, written, place, replaced);
    }
    if (isSame(step, steps[i + 1])) continue;
    native.close(fd);
    return i;
  }
}

/** Whether the next step goes on with the same file, with the same one in its place. */
function isSame(step: Write, next: RuntimeStep | undefined): boolean {
  if (next?.step !== "write cgroup file" || next.path !== step.path || next.file !== step.file) return false;
  return next.otherwise?.file === step.otherwise?.file && next.above === undefined;
}

/** Goes on to the write that steps[first] must fit, and comes back to it. */
function retry(native: Native, steps: readonly RuntimeStep[], first: number, place: Place): number {
  let last = first + 1;
  while ((steps[last] as Write).retry === true) last++;
  let next = first + 1;
  while (next <= last) next = writeCgroupFile(native, steps, next, place) + 1;
  const { retry: _, above: __, ...again } = steps[first] as Write;
  writeCgroupFile(native, [again], 0, place);
  return next - 1;
}

/** The check is for the user's convenience, as in runc: a file that cannot be read is no reason to fail. */
function checkAbove(native: Native, step: Write, above: { file: string; value: string }, place: Place): void {
  const [dir, name] = place(step.path, above.file);
  const text = native.read_file(dir, name, MAX_SIZE);
  if (typeof text !== "string" || !isNumber(text.trim()) || BigInt(text.trim()) < BigInt(above.value)) return;
  throw new RuntimeError({
    message: `the limit of ${above.value} bytes is not above the ${text.trim()} that are in use`,
    path: `${step.path}/${above.file}`,
    pointer: step.origin.pointer,
  });
}

function isNumber(text: string): boolean {
  for (let i = 0; i < text.length; i++) if ((text[i] as string) < "0" || (text[i] as string) > "9") return false;
  return text !== "";
}
