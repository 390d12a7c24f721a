// A classic BPF program in words, as seccomp's filters use it.

import { CODE } from "./cbpf.ts";

/** struct seccomp_data by offset; arguments are two words of their own. */
function place(offset: number): string {
  if (offset === 0) return "nr";
  if (offset === 4) return "arch";
  if (offset === 8 || offset === 12) return `instruction_pointer+${offset - 8}`;
  if (offset >= 16 && offset < 64 && offset % 4 === 0) return `args[${(offset - 16) >> 3}]+${(offset - 16) & 7}`;
  return `data+${offset}`;
}

const hex = (value: number): string => `0x${(value >>> 0).toString(16)}`;

const CONDITIONS: ReadonlyMap<number, string> = new Map([
  [CODE.jeq, "=="],
  [CODE.jgt, ">"],
  [CODE.jge, ">="],
  [CODE.jset, "&"],
]);

/**
 * One line an instruction: `12: if A == 0x3b goto 18 else 13`.
 *
 * @param comment what to say of the instruction at an index, for callers that know more: names of system calls.
 */
export function disassembleCbpf(program: Uint32Array, comment?: (code: number, k: number) => string): string[] {
  const lines: string[] = [];
  for (let i = 0; i < program.length; i += 2) {
    const first = program[i] as number;
    const k = program[i + 1] as number;
    const note = comment?.(first & 0xffff, k) ?? "";
    lines.push(`${i / 2}: ${instruction(first, k, i / 2)}${note === "" ? "" : `  ; ${note}`}`);
  }
  return lines;
}

function instruction(first: number, k: number, index: number): string {
  const code = first & 0xffff;
  const condition = CONDITIONS.get(code);
  if (condition !== undefined) {
    const yes = index + 1 + ((first >>> 16) & 0xff);
    const no = index + 1 + (first >>> 24);
    return `if A ${condition} ${hex(k)} goto ${yes} else ${no}`;
  }
  switch (code) {
    case CODE.load:
      return `A = ${place(k)}`;
    case CODE.and:
      return `A &= ${hex(k)}`;
    case CODE.jump:
      return `goto ${index + 1 + k}`;
    case CODE.ret:
      return `return ${hex(k)}`;
    default:
      return `.word ${hex(first)} ${hex(k)}`;
  }
}
