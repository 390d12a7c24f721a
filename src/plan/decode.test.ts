import { describe, expect, it } from "vitest";
import { PlanBuilder } from "./builder.ts";
import { decode, type OperandValue } from "./decode.ts";
import { OPS, type OperandType } from "./ops.ts";
import { NONE } from "./protocol.ts";

const SAMPLES: Record<OperandType, readonly OperandValue[]> = {
  u32: [0, 1, 0xffffffff],
  u64: [0n, 0xffffffffffffffffn, 0x123456789abcdef0n],
  slot: [0, 95, NONE],
  out: [2, 3, 95],
  string: ["", "/proc", "\udc80"],
  data: ["a\0b", "", "x"],
  strings: [[], ["a"], ["a=b", "", "c"]],
  words: [[], [7], [1, 0xffffffff, 3]],
};

describe("decode", () => {
  it("gives back every op and operand that the encoder wrote", () => {
    const b = new PlanBuilder();
    const expected: unknown[] = [];
    for (let round = 0; round < 3; round++) {
      for (const [op, { operands }] of Object.entries(OPS)) {
        const entries = Object.entries(operands).map(([name, type]) => [name, SAMPLES[type][round]] as const);
        (b[op as keyof typeof OPS] as (...args: unknown[]) => void)(...entries.map(([, value]) => value));
        expected.push({ op, operands: Object.fromEntries(entries) });
      }
    }
    expect(decode(b.finish())).toEqual(expected);
  });

  it("reads u64 operands that were plain numbers", () => {
    const b = new PlanBuilder();
    b.rlimit(7, 2 ** 40 + 5, -1);
    expect(decode(b.finish())[0]?.operands).toEqual({ resource: 7, soft: 2n ** 40n + 5n, hard: 2n ** 64n - 1n });
  });

  it("refuses words that no encoder writes", () => {
    const programs = [[0], [0xffff], [1], [1 | (2 << 16), 0, 0], [1 | (9 << 16), 0], [8 | (1 << 16), 3]];
    for (const words of programs) {
      expect(() => decode({ words: Uint32Array.from(words), strings: [], origins: [] })).toThrow(RangeError);
    }
    expect(() => decode({ words: Uint32Array.from([4 | (1 << 16), 0]), strings: [], origins: [] })).toThrow(RangeError);
  });
});
