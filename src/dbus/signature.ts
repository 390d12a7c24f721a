// Type signatures (D-Bus specification, "Type System").

import { malformed } from "./malformed.ts";

const BASIC = "ybnqiuxtdsog";
const MAX_LENGTH = 255;
/** Of arrays, and of structs and dictionary entries. */
const MAX_DEPTH = 32;

/** Where the complete type that begins at `at` ends. Throws RuntimeError when none begins there. */
export function endOfType(signature: string, at: number): number {
  return scan(signature, at, 0, 0);
}

/** The complete types of a signature. Throws RuntimeError when it is none. */
export function typesOf(signature: string): string[] {
  if (signature.length > MAX_LENGTH) throw malformed("a signature is longer than 255 characters");
  const types: string[] = [];
  for (let at = 0; at < signature.length; ) {
    const end = endOfType(signature, at);
    types.push(signature.slice(at, end));
    at = end;
  }
  return types;
}

/** Whether the signature is exactly one complete type. */
export function isSingleType(signature: string): boolean {
  try {
    return typesOf(signature).length === 1;
  } catch {
    return false;
  }
}

function scan(signature: string, at: number, arrays: number, structs: number): number {
  const code = signature[at];
  if (code === undefined || arrays > MAX_DEPTH || structs > MAX_DEPTH) throw invalid(signature);
  if (BASIC.includes(code) || code === "v") return at + 1;
  if (code === "(") return scanStruct(signature, at, arrays, structs);
  if (code !== "a") throw invalid(signature);
  if (signature[at + 1] !== "{") return scan(signature, at + 1, arrays + 1, structs);
  if (!BASIC.includes(signature[at + 2] ?? " ")) throw invalid(signature);
  const end = scan(signature, at + 3, arrays + 1, structs + 1);
  if (signature[end] !== "}") throw invalid(signature);
  return end + 1;
}

function scanStruct(signature: string, at: number, arrays: number, structs: number): number {
  let end = at + 1;
  while (signature[end] !== ")") end = scan(signature, end, arrays, structs + 1);
  if (end === at + 1) throw invalid(signature);
  return end + 1;
}

function invalid(signature: string): Error {
  return malformed(`${JSON.stringify(signature)} is not a type signature`);
}

/** Alignment of a value whose type begins with that character. */
export function alignmentOf(code: string): number {
  switch (code) {
    case "y":
    case "g":
    case "v":
      return 1;
    case "n":
    case "q":
      return 2;
    case "x":
    case "t":
    case "d":
    case "(":
    case "{":
      return 8;
    default:
      return 4;
  }
}
