// A classic BPF assembler for seccomp filters: linux/bpf_common.h, linux/filter.h. It writes a program from its end to its
// start, since a jump only goes forward: what it jumps to is there already, and its place, counted from the end, never
// changes. An instruction is two words, as struct sock_filter lies in the memory of a little-endian machine:
//
//   word 0   code | jt << 16 | jf << 24        word 1   k

export const CODE = {
  /** A = the 32-bit word of the data at k */
  load: 0x20,
  /** A &= k */
  and: 0x54,
  /** goto next + k */
  jump: 0x05,
  /** if (A == k) */
  jeq: 0x15,
  /** if (A > k), unsigned */
  jgt: 0x25,
  /** if (A >= k), unsigned */
  jge: 0x35,
  /** if (A & k) */
  jset: 0x45,
  /** return k */
  ret: 0x06,
} as const;

/** BPF_MAXINSNS: the kernel takes no longer program. */
export const MAX_INSTRUCTIONS = 4096;

/** jt and jf are bytes. */
const REACH = 255;

/** The place of an instruction: how many come after it. */
export type Place = number;

export class Assembler {
  /** From the last instruction to the first. */
  readonly #first: number[] = [];
  readonly #k: number[] = [];
  /** The nearest `ret` of a value, and the nearest `ja` to a place that is out of reach. */
  readonly #returns = new Map<number, Place>();
  readonly #bridges = new Map<Place, Place>();

  get length(): number {
    return this.#k.length;
  }

  #put(first: number, k: number): Place {
    this.#first.push(first);
    return this.#k.push(k) - 1;
  }

  /** `return value`; one that is in reach already is used again. */
  ret(value: number): Place {
    const known = this.#returns.get(value);
    if (known !== undefined && this.#reaches(known)) return known;
    const place = this.#put(CODE.ret, value);
    this.#returns.set(value, place);
    return place;
  }

  /** A = word at `offset`; goes on with the instruction that was put last. */
  load(offset: number): Place {
    return this.#put(CODE.load, offset);
  }

  /** A &= mask; goes on with the instruction that was put last. */
  and(mask: number): Place {
    return this.#put(CODE.and, mask);
  }

  /** A conditional jump. */
  branch(code: number, k: number, yes: Place, no: Place): Place {
    const jt = this.#near(yes);
    const jf = this.#near(no);
    const place = this.#k.length;
    return this.#put(code | ((place - jt - 1) << 16) | ((place - jf - 1) << 24), k);
  }

  /** Whether the branch after next can jump there, as two bridges may come first. */
  #reaches(place: Place): boolean {
    return this.#k.length + 2 - place - 1 <= REACH;
  }

  /** A place in reach that leads there: a copy of a `ret`, a `ja` otherwise. */
  #near(place: Place): Place {
    if (this.#reaches(place)) return place;
    if (this.#first[place] === CODE.ret) return this.ret(this.#k[place] as number);
    const known = this.#bridges.get(place);
    if (known !== undefined && this.#reaches(known)) return known;
    const bridge = this.#put(CODE.jump, this.#k.length - place - 1);
    this.#bridges.set(place, bridge);
    return bridge;
  }

  /** The program from its first instruction on: the one that was put last. */
  finish(): Uint32Array {
    const count = this.#k.length;
    const words = new Uint32Array(2 * count);
    for (let i = 0, from = count - 1; from >= 0; from--) {
      words[i++] = this.#first[from] as number;
      words[i++] = this.#k[from] as number;
    }
    return words;
  }
}
