import { RuntimeError } from "../errors/runtime-error.ts";
import type { Context, Outcome } from "./command.ts";

export function ps(_context: Context): Outcome {
  throw new RuntimeError({ message: "is not supported yet" });
}
