// An eBPF program in words that a reader of the kernel's verifier log knows.

import { CODE } from "./ebpf.ts";

/** One line an instruction: `12: if w4 != 1 goto 18`. An instruction that the assembler cannot make is shown as hex. */
export function disassemble(program: Uint32Array): string[] {
  const lines: string[] = [];
  for (let i = 0; i < program.length; i += 2) {
    lines.push(`${i / 2}: ${instruction(program[i] as number, program[i + 1] as number, i / 2)}`);
  }
  return lines;
}

function instruction(word: number, immediate: number, index: number): string {
  const dst = `w${(word >>> 8) & 0xf}`;
  const offset = word >> 16;
  const target = index + 1 + offset;
  switch (word & 0xff) {
    case CODE.load32:
      return `${dst} = *(u32 *)(r${(word >>> 12) & 0xf} + ${offset})`;
    case CODE.mov32:
      return `${dst} = ${immediate}`;
    case CODE.and32:
      return `${dst} &= 0x${immediate.toString(16)}`;
    case CODE.rsh32:
      return `${dst} >>= ${immediate}`;
    case CODE.jump:
      return `goto ${target}`;
    case CODE.jeq32:
      return `if ${dst} == ${immediate} goto ${target}`;
    case CODE.jne32:
      return `if ${dst} != ${immediate} goto ${target}`;
    case CODE.jset32:
      return `if ${dst} & 0x${immediate.toString(16)} goto ${target}`;
    case CODE.exit:
      return "exit";
    default:
      return `.word 0x${word.toString(16)} 0x${immediate.toString(16)}`;
  }
}
