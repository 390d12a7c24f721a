// The device program of a new container on cgroup v2.

import { nativeError } from "../../host/must.ts";
import type { Native } from "../../host/native.gen.ts";
import { loaded } from "../../lazy.ts";
import type { Step } from "./creation.ts";

const BPF_F_ALLOW_MULTI = 2;
const EPERM = 1;
const EACCES = 13;

/**
 * Attaches the program to the opened cgroup and asks the kernel whether it is there, alone: init is in the cgroup and
 * waits, nothing of the container has run. Others that are there (the cgroup is older, or a service manager's) are taken
 * away.
 *
 * `rootless`: without privileges over the host's users bpf(2) is refused to all, and nothing could be done about it. runc
 * and crun go on without device rules then: a user who is not root of the host cannot make device nodes either, and opens
 * only those that the host's file permissions let him open. So does this, for EPERM and EACCES alone.
 */
export function attachProgram(
  native: Native,
  step: Step<"attach device program">,
  cgroup: number,
  rootless: boolean,
): void {
  const facts = { path: step.path, pointer: step.origin.pointer };
  const program = native.bpf_load_device(step.program);
  if (rootless && isRefused(program)) return;
  if (program < 0) throw nativeError(program, { ...facts, operation: "bpf load", detail: native.detail() as string });
  try {
    const result = native.bpf_attach_device(cgroup, program, BPF_F_ALLOW_MULTI, -1);
    if (rootless && isRefused(result)) return;
    if (result === 0 && isAlone(native, cgroup, program)) return;
    loaded(import("../../container/device-programs.ts")).replacePrograms(native, cgroup, program, facts);
  } finally {
    native.close(program);
  }
}

function isAlone(native: Native, cgroup: number, program: number): boolean {
  const id = native.bpf_program_id(program);
  const programs = native.bpf_device_programs(cgroup);
  return id > 0 && typeof programs !== "number" && programs.length === 2 && programs[1] === id;
}

function isRefused(result: number): boolean {
  return result === -EPERM || result === -EACCES;
}
