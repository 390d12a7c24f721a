// The device programs of a cgroup (v2). Ours is attached with BPF_F_ALLOW_MULTI, so that those of the cgroups above count
// as well: an access needs the consent of every program from the cgroup up to the root. On the container's own cgroup ours
// shall be the only one. What another runtime or a service manager has left there is taken away, as runc and crun do.
// At no moment is anything allowed that the programs from before and ours both refuse: one that stands alone is replaced in
// one step, several are taken away once ours is there (until then, all have to agree).

import { RuntimeError } from "../errors/runtime-error.ts";
import { must, nativeError } from "../host/must.ts";
import type { Native } from "../host/native.gen.ts";

const BPF_F_ALLOW_MULTI = 2;
const EPERM = 1;
const ENOENT = 2;
const EACCES = 13;
const EINVAL = 22;
/** Others may change the list meanwhile. */
const ATTEMPTS = 10;

export interface DeviceFacts {
  /** The cgroup. */
  path: string;
  pointer: string;
}

/** Loads the program. The descriptor is to be closed. Throws RuntimeError with the verifier's words. */
export function loadProgram(native: Native, words: Uint32Array, facts: DeviceFacts): number {
  const program = native.bpf_load_device(words);
  if (program >= 0) return program;
  throw nativeError(program, { ...facts, operation: "bpf load", detail: native.detail() as string });
}

/** Makes the program the only one of the cgroup, and proves it by asking the kernel. Throws RuntimeError. */
export function replacePrograms(native: Native, cgroup: number, program: number, facts: DeviceFacts): void {
  const id = must(native.bpf_program_id(program), { ...facts, operation: "bpf program id" });
  for (let attempt = 0; ; attempt++) {
    const { flags, ids } = attached(native, cgroup, facts);
    if (ids.includes(id)) break;
    const result = attach(native, cgroup, program, flags, ids);
    if (result >= 0) break;
    // The one to be replaced has gone, or the flags are others by now.
    const again = result === -ENOENT || result === -EPERM;
    if (!again || attempt === ATTEMPTS) throw nativeError(result, { ...facts, operation: "bpf attach" });
  }
  const others = attached(native, cgroup, facts).ids.filter((other) => other !== id);
  const kept = new Set(others.filter((other) => !detach(native, cgroup, other, facts)));
  const { ids } = attached(native, cgroup, facts);
  const strange = ids.filter((other) => other !== id && !kept.has(other));
  if (ids.includes(id) && strange.length === 0) return;
  const what = ids.includes(id)
    ? `device program ${strange.join(", ")} of somebody else came back`
    : "our device program has gone";
  throw new RuntimeError({ ...facts, message: `${what}: does something else manage this cgroup?` });
}

/** [0] without any. */
function attached(native: Native, cgroup: number, facts: DeviceFacts): { flags: number; ids: number[] } {
  const answer = must(native.bpf_device_programs(cgroup), { ...facts, operation: "bpf query" }) as number[];
  return { flags: answer[0] as number, ids: answer.slice(1) };
}

/** In place of the one that is there, if any; beside them when there are several. */
function attach(native: Native, cgroup: number, program: number, flags: number, ids: readonly number[]): number {
  const [first] = ids;
  if (first === undefined) return native.bpf_attach_device(cgroup, program, BPF_F_ALLOW_MULTI, -1);
  // Attached to be alone (flags 0) or to be overridden: the kernel then puts ours in its place.
  if ((flags & BPF_F_ALLOW_MULTI) === 0) return native.bpf_attach_device(cgroup, program, flags, -1);
  if (ids.length > 1) return native.bpf_attach_device(cgroup, program, BPF_F_ALLOW_MULTI, -1);
  const old = native.bpf_open_program(first);
  if (isRefused(old)) return native.bpf_attach_device(cgroup, program, BPF_F_ALLOW_MULTI, -1);
  if (old < 0) return old;
  const result = native.bpf_attach_device(cgroup, program, BPF_F_ALLOW_MULTI, old);
  native.close(old);
  // ENOENT and EINVAL are also the answers for one that is held by a link.
  if (result !== -ENOENT && result !== -EINVAL) return result;
  return native.bpf_attach_device(cgroup, program, BPF_F_ALLOW_MULTI, -1);
}

/**
 * False for one that stays: a security module keeps it from us. It can only refuse more than ours does, so runc lets it
 * be, too. One that is held by a link of somebody else cannot be taken away either: that is an error.
 */
function detach(native: Native, cgroup: number, id: number, facts: DeviceFacts): boolean {
  const program = native.bpf_open_program(id);
  if (isRefused(program)) return false;
  if (program === -ENOENT) return true;
  must(program, { ...facts, operation: "bpf open" });
  const result = native.bpf_detach_device(cgroup, program);
  native.close(program);
  if (result === -ENOENT && !attached(native, cgroup, facts).ids.includes(id)) return true;
  const message = `cannot detach device program ${id}, which was there before`;
  must(result, { ...facts, message, operation: "bpf detach" });
  return true;
}

function isRefused(result: number): boolean {
  return result === -EPERM || result === -EACCES;
}
