// Random signatures and values for the tests, the same ones every time.

import type { Value } from "./value.ts";

/** Mulberry32: numbers from 0 to below 1. */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 0x100000000;
  };
}

export class Random {
  readonly #next: () => number;

  constructor(seed: number) {
    this.#next = randomNumbers(seed);
  }

  /** From 0 to below `bound`. */
  below(bound: number): number {
    return Math.floor(this.#next() * bound);
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.below(256));
  }

  /** One complete type. */
  type(depth = 0): string {
    const basic = "ybnqiuxtdsog"[this.below(12)] as string;
    switch (depth > 3 ? 0 : this.below(8)) {
      case 4:
        return "v";
      case 5:
        return `a${this.type(depth + 1)}`;
      case 6:
        return `(${Array.from({ length: 1 + this.below(3) }, () => this.type(depth + 1)).join("")})`;
      case 7:
        return `a{${basic}${this.type(depth + 1)}}`;
      default:
        return basic;
    }
  }

  /** A value of the type. */
  value(type: string): Value {
    const list = (item: () => Value): Value[] => Array.from({ length: this.below(4) }, item);
    switch (type[0]) {
      case "y":
        return this.below(256);
      case "b":
        return this.below(2) === 1;
      case "n":
        return this.below(0x10000) - 0x8000;
      case "q":
        return this.below(0x10000);
      case "i":
        return this.below(0x100000000) - 0x80000000;
      case "u":
        return this.below(0x100000000);
      case "x":
        return BigInt.asIntN(64, this.#long());
      case "t":
        return this.#long();
      case "d":
        return this.below(1 << 30) / 1024;
      case "s":
        return ["", "a", "üß", "𝄞", "line\nfeed"][this.below(5)] as string;
      case "o":
        return ["/", "/a", "/org/freedesktop/systemd1"][this.below(3)] as string;
      case "g":
        return ["", "a{sv}", "(ii)"][this.below(3)] as string;
      case "v": {
        const signature = this.type(3);
        return { signature, value: this.value(signature) };
      }
      case "a":
        return list(() => this.value(type.slice(1)));
      default:
        return membersOf(type.slice(1, -1)).map((member) => this.value(member));
    }
  }

  #long(): bigint {
    return (BigInt(this.below(0x100000000)) << 32n) | BigInt(this.below(0x100000000));
  }
}

/** The complete types of a valid signature, taken apart independently of signature.ts. */
function membersOf(signature: string): string[] {
  const members: string[] = [];
  let open = 0;
  let start = 0;
  for (let i = 0; i < signature.length; i++) {
    const c = signature[i] as string;
    if (c === "(" || c === "{") open++;
    if (c === ")" || c === "}") open--;
    if (c === "a" || open > 0) continue;
    members.push(signature.slice(start, i + 1));
    start = i + 1;
  }
  return members;
}
