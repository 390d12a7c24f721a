// What the compilers of one set of limits share: the cgroup they write to, and the steps so far.

import { RuntimeError } from "../errors/runtime-error.ts";
import type { RuntimeStep } from "../plan/plan.ts";

type WriteStep = Extract<RuntimeStep, { step: "write cgroup file" }>;
export type WriteOptions = Pick<WriteStep, "otherwise" | "optional" | "retry" | "above">;

export class LimitWriter {
  readonly steps: RuntimeStep[] = [];
  readonly #base: string;
  /** The cgroup that the next writes go to. */
  folder = "";

  constructor(base: string) {
    this.#base = base;
  }

  pointer(field: string): string {
    return this.#base + field;
  }

  /** `field` is the JSON pointer below the resources: "/memory/limit". */
  write(file: string, data: bigint | number | string, field: string, options: WriteOptions = {}): void {
    const origin = { pointer: this.pointer(field) };
    this.steps.push({ step: "write cgroup file", path: this.folder, file, data: String(data), ...options, origin });
  }

  /** Throws: the field cannot be honoured. The runtime-spec asks for an error where a v1 setting has no v2 equivalent. */
  refuse(field: string, message: string): never {
    throw new RuntimeError({ message, pointer: this.pointer(field) });
  }
}
