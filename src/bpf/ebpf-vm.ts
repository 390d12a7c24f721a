// An interpreter for what the assembler makes, so that every program can be tested without a kernel.

import { CODE } from "./ebpf.ts";

const EXIT_REGISTER = 0;
const CONTEXT_REGISTER = 1;

/**
 * Runs the program on a context of 32-bit words and returns w0. Throws RangeError on what the kernel's verifier would
 * refuse: an unknown instruction, a register that was never set, a read outside the context, running off the end.
 */
export function runProgram(program: Uint32Array, context: Uint32Array): number {
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
        if (((word >>> 12) & 0xf) !== CONTEXT_REGISTER || value === undefined) {
          throw new RangeError(`instruction ${at} reads outside the context`);
        }
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
      case CODE.exit: {
        const value = registers[EXIT_REGISTER];
        if (value === undefined) throw new RangeError("the program ends without a result");
        return value;
      }
      default:
        throw new RangeError(`instruction ${at} is unknown`);
    }
  }
  throw new RangeError("the program runs off its end");
}
