import { describe, expect, it } from "vitest";
import { Assembler } from "./ebpf.ts";
import { disassemble } from "./ebpf-disassemble.ts";
import { runProgram } from "./ebpf-vm.ts";

describe("the assembler", () => {
  it("writes each instruction as linux/bpf.h lays it out", () => {
    const program = new Assembler();
    program.load32(2, 1, 8); // BPF_LDX_MEM(BPF_W, R2, R1, 8)
    program.and32(2, 0xffff); // BPF_ALU32_IMM(BPF_AND, R2, 0xffff)
    program.rsh32(2, 16);
    program.mov32(0, 1);
    program.exit();
    expect([...program.assemble()]).toEqual([0x81261, 0, 0x254, 0xffff, 0x274, 16, 0xb4, 1, 0x95, 0]);
  });

  it("counts a jump from the instruction after it", () => {
    const program = new Assembler();
    const end = program.label();
    program.mov32(2, 7);
    program.jeq32(2, 7, end);
    program.mov32(2, 8);
    program.place(end);
    program.exit();
    expect(disassemble(program.assemble())[1]).toBe("1: if w2 == 7 goto 3");
  });

  it("refuses a label that was never placed and one that lies behind", () => {
    const lost = new Assembler();
    lost.jump(lost.label());
    expect(() => lost.assemble()).toThrow(RangeError);
    const loop = new Assembler();
    const start = loop.label();
    loop.place(start);
    loop.jump(start);
    expect(() => loop.assemble()).toThrow(RangeError);
  });
});

describe("the disassembler", () => {
  it("names every instruction the assembler can make, and shows others as they are", () => {
    const program = new Assembler();
    const end = program.label();
    program.load32(3, 1, 4);
    program.and32(3, 0xff);
    program.rsh32(3, 4);
    program.jne32(3, 0xffffffff, end);
    program.jset32(3, 0xfffffff8, end);
    program.jump(end);
    program.place(end);
    program.mov32(0, 1);
    program.exit();
    expect(disassemble(Uint32Array.of(...program.assemble(), 0x85, 1))).toEqual([
      "0: w3 = *(u32 *)(r1 + 4)",
      "1: w3 &= 0xff",
      "2: w3 >>= 4",
      "3: if w3 != 4294967295 goto 6",
      "4: if w3 & 0xfffffff8 goto 6",
      "5: goto 6",
      "6: w0 = 1",
      "7: exit",
      "8: .word 0x85 0x1",
    ]);
  });
});

describe("the interpreter", () => {
  const run = (write: (program: Assembler) => void, ...context: number[]): number => {
    const program = new Assembler();
    write(program);
    return runProgram(program.assemble(), Uint32Array.from(context));
  };

  it("takes every number as unsigned and 32 bits wide", () => {
    const high = (program: Assembler): void => {
      const same = program.label();
      program.load32(2, 1, 0);
      program.mov32(0, 0);
      program.jne32(2, 0xfffffffe, same);
      program.mov32(0, 1);
      program.place(same);
      program.exit();
    };
    expect(run(high, 0xfffffffe)).toBe(1);
    expect(run(high, 0x7ffffffe)).toBe(0);
  });

  it("refuses what the verifier refuses on its way", () => {
    expect(() => run((program) => program.exit())).toThrow(/without a result/);
    expect(() => run((program) => program.mov32(0, 0))).toThrow(/off its end/);
    expect(() => run((program) => program.and32(2, 1))).toThrow(/never set/);
    expect(() => run((program) => program.load32(2, 1, 4), 1)).toThrow(/outside the context/);
    const lost = (program: Assembler): void => {
      program.mov32(1, 0);
      program.load32(2, 1, 0);
    };
    expect(() => run(lost, 1)).toThrow(/through a number/);
  });

  it.each([
    ["an instruction that the assembler cannot make (call)", [0x85, 1], /unknown/],
    ["64-bit arithmetic", [0xb7, 1], /unknown/],
    ["comparing registers", [0x1e, 0], /unknown/],
    ["half an instruction", [0x95], /half/],
    ["nothing", [], /half/],
    ["a register that cannot be written", [0xab4, 1], /no such register/],
    ["a register of `exit`", [0x195, 0], /no such register/],
    ["a source where there is none", [0x10b4, 1], /source/],
    ["a read through another register than r1", [0x2361, 0], /outside the context/],
    ["a read between two words", [0x20000 | 0x1361, 0], /outside the context/],
    ["a read in front of the context", [(0xfffc0000 | 0x1361) >>> 0, 0], /outside the context/],
    ["a jump backwards", [0xb4, 1, (0xfffe0000 | 0x05) >>> 0, 0], /backwards/],
    ["a jump off the end", [0x10005, 0, 0x95, 0], /off the end/],
    ["an offset where there is none", [0x100b4, 1], /has an offset/],
    ["an immediate where there is none", [0x95, 1], /has an immediate/],
    ["a shift by the whole width", [0x274, 32], /shifts/],
  ])("refuses %s, also where no way leads to", (_, words, message) => {
    const unreached = Uint32Array.of(0xb4, 1, 0x95, 0, ...words);
    const program = words.length === 0 ? new Uint32Array(0) : unreached;
    expect(() => runProgram(program, Uint32Array.of(0, 0, 0))).toThrow(message);
  });
});
