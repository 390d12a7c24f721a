// What the compilers of one set of limits share: the cgroup they write to, and the steps so far.

import { RuntimeError } from "../errors/runtime-error.ts";
import type { RuntimeStep } from "../plan/plan.ts";

type WriteStep = Extract<RuntimeStep, { step: "write cgroup file" }>;
export type WriteOptions = Pick<WriteStep, "otherwise" | "optional" | "retry" | "patient" | "above">;

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

  /** For what cgroup v2 has not and runc says nothing about: the user is told. */
  ignore(field: string, reason: string): void {
    this.steps.push({ step: "ignore field", reason, origin: { pointer: this.pointer(field) } });
  }

  /** Throws: without it the container would not be as held back, or as marked, as was asked. */
  refuse(field: string, message: string): never {
    throw new RuntimeError({ message, pointer: this.pointer(field) });
  }
}
