// A small eBPF assembler: the instructions that cgroup programs need, with labels instead of counted jumps. Every
// comparison and calculation is 32 bits wide (BPF_JMP32, BPF_ALU), as all values of struct bpf_cgroup_dev_ctx are, so
// that no number is sign-extended on the way. Numbers: linux/bpf.h and linux/bpf_common.h.
//
//   word 0   code | dst << 8 | src << 12 | offset << 16        word 1   immediate

export const CODE = {
  /** dst = *(u32 *)(src + offset) */
  load32: 0x61,
  /** dst = imm */
  mov32: 0xb4,
  /** dst &= imm */
  and32: 0x54,
  /** dst >>= imm */
  rsh32: 0x74,
  /** goto */
  jump: 0x05,
  /** if (dst == imm) goto */
  jeq32: 0x16,
  /** if (dst != imm) goto */
  jne32: 0x56,
  /** if (dst & imm) goto */
  jset32: 0x46,
  /** return r0 */
  exit: 0x95,
} as const;

/** The kernel's BPF_MAXINSNS for unprivileged programs; our programs stay far below the million of privileged ones. */
const MAX_OFFSET = 0x7fff;

/** A place in the program: made by `label`, put by `place`, named by any number of jumps before that. */
export interface Label {
  position: number;
}

export class Assembler {
  readonly #words: number[] = [];
  readonly #jumps: { at: number; to: Label }[] = [];

  label(): Label {
    return { position: -1 };
  }

  /** The next instruction is where jumps to the label go. */
  place(label: Label): void {
    label.position = this.#words.length;
  }

  load32(dst: number, src: number, offset: number): void {
    this.#words.push(CODE.load32 | (dst << 8) | (src << 12) | (offset << 16), 0);
  }

  mov32(dst: number, value: number): void {
    this.#words.push(CODE.mov32 | (dst << 8), value);
  }

  and32(dst: number, value: number): void {
    this.#words.push(CODE.and32 | (dst << 8), value);
  }

  rsh32(dst: number, value: number): void {
    this.#words.push(CODE.rsh32 | (dst << 8), value);
  }

  jump(to: Label): void {
    this.#jump(CODE.jump, 0, 0, to);
  }

  jeq32(dst: number, value: number, to: Label): void {
    this.#jump(CODE.jeq32, dst, value, to);
  }

  jne32(dst: number, value: number, to: Label): void {
    this.#jump(CODE.jne32, dst, value, to);
  }

  jset32(dst: number, value: number, to: Label): void {
    this.#jump(CODE.jset32, dst, value, to);
  }

  exit(): void {
    this.#words.push(CODE.exit, 0);
  }

  /** Two words an instruction. Throws RangeError when a label was never placed, lies behind or is out of reach. */
  assemble(): Uint32Array {
    const words = Uint32Array.from(this.#words);
    for (const { at, to } of this.#jumps) {
      const offset = (to.position - at) / 2 - 1;
      if (to.position < 0 || offset < 0 || offset > MAX_OFFSET) throw new RangeError(`jump of ${offset} instructions`);
      words[at] = (words[at] as number) | (offset << 16);
    }
    return words;
  }

  #jump(code: number, dst: number, value: number, to: Label): void {
    this.#jumps.push({ at: this.#words.length, to });
    this.#words.push(code | (dst << 8), value);
  }
}
