// Runs a classic BPF program over a struct seccomp_data: the kernel's rules (kernel/seccomp.c, net/core/filter.c).

import { RuntimeError } from "../errors/runtime-error.ts";
import { CODE, MAX_INSTRUCTIONS } from "./cbpf.ts";

/** sizeof(struct seccomp_data). */
const DATA_SIZE = 64;

export interface Run {
  /** What the program returned. */
  value: number;
  /** Instructions executed, the `ret` included. */
  steps: number;
}

/** struct seccomp_data as sixteen words; which half of an argument comes first depends on the architecture. */
export function seccompData(nr: number, arch: number, args: readonly bigint[], bigEndian = false): Uint32Array {
  const data = new Uint32Array(DATA_SIZE / 4);
  data[0] = nr;
  data[1] = arch;
  for (let i = 0; i < 6; i++) {
    const value = args[i] ?? 0n;
    data[4 + 2 * i + (bigEndian ? 1 : 0)] = Number(value & 0xffffffffn);
    data[4 + 2 * i + (bigEndian ? 0 : 1)] = Number((value >> 32n) & 0xffffffffn);
  }
  return data;
}

/**
 * The verdict of a program that `checkCbpf` has found right.
 *
 * @throws RuntimeError when it meets an instruction that no seccomp filter may have or runs off its end.
 */
export function runCbpf(program: Uint32Array, data: Uint32Array): Run {
  let a = 0;
  let steps = 0;
  for (let at = 0; at < program.length; at += 2) {
    const first = program[at] as number;
    const k = program[at + 1] as number;
    steps++;
    let taken: boolean;
    switch (first & 0xffff) {
      case CODE.load:
        a = data[k >>> 2] ?? 0;
        continue;
      case CODE.and:
        a = (a & k) >>> 0;
        continue;
      case CODE.jump:
        at += 2 * k;
        continue;
      case CODE.ret:
        return { value: k, steps };
      case CODE.jeq:
        taken = a === k;
        break;
      case CODE.jgt:
        taken = a > k;
        break;
      case CODE.jge:
        taken = a >= k;
        break;
      case CODE.jset:
        taken = (a & k) !== 0;
        break;
      default:
        throw bad(at, "has an unknown code");
    }
    at += 2 * (taken ? (first >>> 16) & 0xff : first >>> 24);
  }
  throw bad(program.length, "is past the end");
}

/**
 * What the kernel asks of a filter before it takes it: the length, known instructions, loads inside the data, jumps
 * inside the program, a return at its end.
 *
 * @throws RuntimeError that names the first wrong instruction.
 */
export function checkCbpf(program: Uint32Array): void {
  const count = program.length / 2;
  if (count < 1 || count > MAX_INSTRUCTIONS || !Number.isInteger(count)) {
    throw new RuntimeError({ message: `a filter has 1 to ${MAX_INSTRUCTIONS} instructions, got ${count}` });
  }
  for (let at = 0; at < program.length; at += 2) checkInstruction(program, at, count);
  if (((program[program.length - 2] as number) & 0xffff) !== CODE.ret) throw bad(program.length - 2, "is no return");
}

function checkInstruction(program: Uint32Array, at: number, count: number): void {
  const first = program[at] as number;
  const k = program[at + 1] as number;
  const left = count - at / 2 - 1;
  switch (first & 0xffff) {
    case CODE.load:
      if (k % 4 !== 0 || k >= DATA_SIZE) throw bad(at, "loads outside the data");
      return;
    case CODE.and:
    case CODE.ret:
      return;
    case CODE.jump:
      if (k >= left) throw bad(at, "jumps past the end");
      return;
    case CODE.jeq:
    case CODE.jgt:
    case CODE.jge:
    case CODE.jset:
      if (((first >>> 16) & 0xff) >= left || first >>> 24 >= left) throw bad(at, "jumps past the end");
      return;
    default:
      throw bad(at, "has an unknown code");
  }
}

function bad(at: number, what: string): RuntimeError {
  return new RuntimeError({ message: `instruction ${at / 2} ${what}` });
}
