// Words and strings back to operations: what `berth explain` lists, and how an error finds the name of the op that failed.

import { OPS, type OperandType, type OpName } from "./ops.ts";
import type { InitProgram } from "./plan.ts";

export type OperandValue = number | bigint | string | readonly string[] | readonly number[];

export interface DecodedOp {
  op: OpName;
  /** By operand name, in the table's order. u64 is a bigint, everything else as it was given to the encoder. */
  operands: Record<string, OperandValue>;
}

const NAMES = Object.keys(OPS) as OpName[];

/** A program that no encoder has written: a word or a string that the table asks for is missing. */
const broken = (at: number): Error => new RangeError(`the plan is broken at word ${at}`);

class Reader {
  private readonly program: InitProgram;
  private position = 0;
  private end = 0;

  constructor(program: InitProgram) {
    this.program = program;
  }

  get done(): boolean {
    return this.position >= this.program.words.length;
  }

  op(): DecodedOp {
    const at = this.position;
    this.end = this.program.words.length;
    const head = this.word();
    const name = NAMES[(head & 0xffff) - 1];
    this.end = this.position + (head >>> 16);
    if (name === undefined || this.end > this.program.words.length) throw broken(at);
    const operands: Record<string, OperandValue> = {};
    for (const [operand, type] of Object.entries(OPS[name].operands)) operands[operand] = this.operand(type);
    if (this.position !== this.end) throw broken(at);
    return { op: name, operands };
  }

  private operand(type: OperandType): OperandValue {
    switch (type) {
      case "u32":
      case "slot":
      case "out":
        return this.word();
      case "u64":
        return BigInt(this.word()) | (BigInt(this.word()) << 32n);
      case "string":
      case "data":
        return this.string(this.word());
      case "strings": {
        const first = this.word();
        return Array.from({ length: this.word() }, (_, i) => this.string(first + i));
      }
      case "words":
        return Array.from({ length: this.word() }, () => this.word());
    }
  }

  private word(): number {
    const value = this.program.words[this.position];
    if (value === undefined || this.position >= this.end) throw broken(this.position);
    this.position += 1;
    return value;
  }

  private string(index: number): string {
    const value = this.program.strings[index];
    if (value === undefined) throw broken(this.position);
    return value;
  }
}

/** Every op of the program in order. Throws RangeError when the program is broken. */
export function decode(program: InitProgram): DecodedOp[] {
  const reader = new Reader(program);
  const ops: DecodedOp[] = [];
  while (!reader.done) ops.push(reader.op());
  return ops;
}
