// An interpreter for what the assembler makes, so that every program can be tested without a kernel.

import { CODE } from "./ebpf.ts";

const EXIT_REGISTER = 0;
const CONTEXT_REGISTER = 1;
/** r10 is the frame pointer and cannot be written; there are no others. */
const LAST_REGISTER = 9;

/** Instructions that name a register to write or compare, and those that use an offset or an immediate: others have 0. */
const WITH_DST: ReadonlySet<number> = new Set([
  CODE.load32,
  CODE.mov32,
  CODE.and32,
  CODE.rsh32,
  CODE.jeq32,
  CODE.jne32,
  CODE.jset32,
]);
const JUMPS: ReadonlySet<number> = new Set([CODE.jump, CODE.jeq32, CODE.jne32, CODE.jset32]);
const WITH_IMMEDIATE: ReadonlySet<number> = new Set([
  CODE.mov32,
  CODE.and32,
  CODE.rsh32,
  CODE.jeq32,
  CODE.jne32,
  CODE.jset32,
]);
const KNOWN: ReadonlySet<number> = new Set(Object.values(CODE));

/**
 * Runs the program on a context of 32-bit words and returns w0. Throws RangeError on what the kernel's verifier would
 * refuse on this way through the program or anywhere in it: an unknown instruction, a field that is not used and not 0, a
 * jump backwards or out of the program, a register that was never set, a read outside the context, running off the end.
 */
export function runProgram(program: Uint32Array, context: Uint32Array): number {
  checkProgram(program);
  const registers: (number | undefined)[] = [];
  for (let at = 0; at < program.length / 2; at++) {
    const word = program[at * 2] as number;
    const immediate = program[at * 2 + 1] as number;
    const dst = (word >>> 8) & 0xf;
    const offset = word >> 16;
    const read = (): number => {
      const value = registers[dst];
      if (value === undefined) throw new RangeError(`instruction ${at} reads r${dst}, which was never set`);
      return value;
    };
    switch (word & 0xff) {
      case CODE.load32: {
        const value = context[offset / 4];
        if (value === undefined) throw new RangeError(`instruction ${at} reads outside the context`);
        if (registers[CONTEXT_REGISTER] !== undefined) throw new RangeError(`instruction ${at} reads through a number`);
        registers[dst] = value;
        break;
      }
      case CODE.mov32:
        registers[dst] = immediate;
        break;
      case CODE.and32:
        registers[dst] = (read() & immediate) >>> 0;
        break;
      case CODE.rsh32:
        registers[dst] = read() >>> immediate;
        break;
      case CODE.jump:
        at += offset;
        break;
      case CODE.jeq32:
        if (read() === immediate) at += offset;
        break;
      case CODE.jne32:
        if (read() !== immediate) at += offset;
        break;
      case CODE.jset32:
        if ((read() & immediate) !== 0) at += offset;
        break;
      default: {
        const value = registers[EXIT_REGISTER];
        if (value === undefined) throw new RangeError("the program ends without a result");
        return value;
      }
    }
  }
  throw new RangeError("the program runs off its end");
}

/** Throws RangeError for an instruction that is malformed, wherever it is, also where no way leads to. */
export function checkProgram(program: Uint32Array): void {
  if (program.length === 0 || program.length % 2 !== 0) throw new RangeError("the program has half an instruction");
  const length = program.length / 2;
  for (let at = 0; at < length; at++) {
    const word = program[at * 2] as number;
    const immediate = program[at * 2 + 1] as number;
    const code = word & 0xff;
    const dst = (word >>> 8) & 0xf;
    const src = (word >>> 12) & 0xf;
    const offset = word >> 16;
    if (!KNOWN.has(code)) throw new RangeError(`instruction ${at} is unknown`);
    if (dst > (WITH_DST.has(code) ? LAST_REGISTER : 0)) throw new RangeError(`instruction ${at} has no such register`);
    if (src !== (code === CODE.load32 ? CONTEXT_REGISTER : 0)) {
      throw new RangeError(`instruction ${at} reads outside the context or has a source`);
    }
    if (JUMPS.has(code)) {
      if (offset < 0) throw new RangeError(`instruction ${at} jumps backwards`);
      if (at + 1 + offset >= length) throw new RangeError(`instruction ${at} jumps off the end`);
    } else if (code === CODE.load32) {
      if (offset < 0 || offset % 4 !== 0) throw new RangeError(`instruction ${at} reads outside the context`);
    } else if (offset !== 0) throw new RangeError(`instruction ${at} has an offset`);
    if (!WITH_IMMEDIATE.has(code) && immediate !== 0) throw new RangeError(`instruction ${at} has an immediate`);
    if (code === CODE.rsh32 && immediate > 31) throw new RangeError(`instruction ${at} shifts by ${immediate}`);
  }
}
