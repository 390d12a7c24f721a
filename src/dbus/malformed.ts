import { RuntimeError } from "../errors/runtime-error.ts";

/** The error for bytes or values that the D-Bus specification does not allow, sent or received. */
export function malformed(what: string): RuntimeError {
  return new RuntimeError({ message: `malformed D-Bus message: ${what}` });
}
