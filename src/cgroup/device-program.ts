// A device policy as an eBPF program of type BPF_PROG_TYPE_CGROUP_DEVICE. Its context is struct bpf_cgroup_dev_ctx:
// u32 access << 16 | type, u32 major, u32 minor; it returns 1 to allow and 0 to refuse.
//
// Exceptions are nested by type, access and major, so that each is compared once; all end at one place.

import { Assembler, type Label } from "../bpf/ebpf.ts";
import { ANY, type DeviceException, type DevicePolicy } from "./device-policy.ts";

/** BPF_DEVCG_DEV_. */
const TYPE = { b: 1, c: 2 } as const;
const RESULT = 0;
const CONTEXT = 1;
/** Registers. */
export const DEVICE_TYPE = 2;
export const DEVICE_ACCESS = 3;
export const MAJOR = 4;
export const MINOR = 5;

/** Two words an instruction. */
export function deviceProgram(policy: DevicePolicy): Uint32Array {
  const program = new Assembler();
  program.load32(DEVICE_TYPE, CONTEXT, 0);
  program.load32(DEVICE_ACCESS, CONTEXT, 0);
  program.load32(MAJOR, CONTEXT, 4);
  program.load32(MINOR, CONTEXT, 8);
  program.and32(DEVICE_TYPE, 0xffff);
  program.rsh32(DEVICE_ACCESS, 16);

  const hit = program.label();
  for (const type of ["c", "b"] as const) {
    const ofType = policy.exceptions.filter((exception) => exception.type === type);
    if (ofType.length === 0) continue;
    const next = program.label();
    program.jne32(DEVICE_TYPE, TYPE[type], next);
    for (const access of distinct(ofType, (exception) => exception.access)) {
      const ofAccess = ofType.filter((exception) => exception.access === access);
      const nextAccess = program.label();
      if (policy.defaultAllow) {
        const overlaps = program.label();
        program.jset32(DEVICE_ACCESS, access, overlaps);
        program.jump(nextAccess);
        program.place(overlaps);
      } else {
        program.jset32(DEVICE_ACCESS, ~access >>> 0, nextAccess); // something else is asked for as well
      }
      matchNumbers(program, ofAccess, hit);
      program.place(nextAccess);
    }
    program.place(next);
  }

  program.mov32(RESULT, policy.defaultAllow ? 1 : 0);
  program.exit();
  if (policy.exceptions.length > 0) {
    program.place(hit);
    program.mov32(RESULT, policy.defaultAllow ? 0 : 1);
    program.exit();
  }
  return program.assemble();
}

/** Goes to `hit` when one of the numbers matches. Nothing may follow a certain jump: the verifier wants no dead code. */
function matchNumbers(program: Assembler, exceptions: DeviceException[], hit: Label): void {
  if (exceptions.some((exception) => exception.major === ANY && exception.minor === ANY)) {
    program.jump(hit);
    return;
  }
  for (const major of distinct(exceptions, (exception) => exception.major)) {
    const minors = exceptions.filter((exception) => exception.major === major).map((exception) => exception.minor);
    const next = program.label();
    if (major !== ANY) program.jne32(MAJOR, major, next);
    if (minors.includes(ANY)) program.jump(hit);
    else for (const minor of minors) program.jeq32(MINOR, minor, hit);
    program.place(next);
  }
}

/** Ascending, so that the same policy always makes the same program. */
function distinct(exceptions: DeviceException[], key: (exception: DeviceException) => number): number[] {
  return [...new Set(exceptions.map(key))].sort((a, b) => a - b);
}
