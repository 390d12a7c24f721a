// Builds init's program: ops with the place in config.json that each comes from, and slots by number.

import { OpWriter } from "./ops.gen.ts";
import type { Inherited, InitProgram, Origin } from "./plan.ts";
import { SLOTS } from "./protocol.ts";

export class PlanBuilder extends OpWriter {
  /** What init inherits, by slot. */
  readonly inherited: Inherited[] = [{ what: "sync" }, { what: "plan" }];
  private readonly origins: Origin[] = [];
  private count = 0;
  private waitStart = { op: 0, word: 0 };
  private origin: Origin = { pointer: "" };
  private readonly used = new Uint8Array(SLOTS).fill(1, 0, 2);

  /** Sets where the ops that follow come from: a JSON pointer or a word, and the path or name they are about. */
  at(pointer: string, subject?: string): this {
    this.origin = subject === undefined ? { pointer } : { pointer, subject };
    return this;
  }

  /** The lowest slot that is free. Throws when all are in use: a bundle that needs so many at once is refused. */
  slot(): number {
    const slot = this.used.indexOf(0);
    if (slot < 0) throw new RangeError(`a plan has only ${SLOTS} descriptor slots`);
    this.used[slot] = 1;
    return slot;
  }

  /** Gives a slot back that no op has filled. `close` frees the slot by itself. */
  free(slot: number): void {
    this.used[slot] = 0;
  }

  /** Appends a descriptor that init inherits; its slot. Before the first call of slot(), which gives the slots after it. */
  inherit(item: Inherited): number {
    const slot = this.inherited.length;
    if (this.used[slot] !== 0) throw new RangeError("inherited descriptors come before all other slots");
    this.used[slot] = 1;
    this.inherited.push(item);
    return slot;
  }

  override close(fd: number): void {
    super.close(fd);
    this.used[fd] = 0;
  }

  override wait_start(pipe: number): void {
    this.waitStart = { op: this.count, word: this.length };
    super.wait_start(pipe);
  }

  override filter_and_wait(...operands: Parameters<OpWriter["filter_and_wait"]>): void {
    this.waitStart = { op: this.count, word: this.length };
    super.filter_and_wait(...operands);
  }

  /** The program. The builder is not used any more after it: the words are not copied. */
  finish(): InitProgram {
    const { words, length, strings, origins, waitStart } = this;
    return { words: words.subarray(0, length), strings, origins, waitStart };
  }

  /** Every op passes here: the usual case without a call of the writer's own. */
  protected override begin(code: number, operands: number): number {
    this.origins[this.count++] = this.origin;
    const p = this.length;
    const end = p + 1 + operands;
    if (operands > 0xffff || end > this.capacity) return super.begin(code, operands);
    this.words[p] = code | (operands << 16);
    this.length = end;
    return p;
  }
}
