// Native results: a negative number is -errno. `must` turns that into a RuntimeError with the facts of the call.

import { type ErrorFacts, RuntimeError } from "../errors/runtime-error.ts";

type CallFacts = Omit<ErrorFacts, "message" | "errno"> & { message?: string };

/** The error for a native call that answered -errno. */
export function nativeError(result: number, facts: CallFacts): RuntimeError {
  return new RuntimeError({ message: "", ...facts, errno: -result });
}

/** The result when it is one, else the RuntimeError with errno. */
export function must<T>(result: T | number, facts: CallFacts): T {
  if (typeof result === "number" && result < 0) throw nativeError(result, facts);
  return result as T;
}
