// The start of a connection (D-Bus specification, "Authentication Protocol"): EXTERNAL without an identity, so that the
// other side takes the one that the kernel tells it (SO_PEERCRED). A uid named by us would be the wrong one inside a user
// namespace. As sd-bus does it.

import { RuntimeError } from "../errors/runtime-error.ts";

/** The first bytes of a connection: the NUL that once carried credentials, then the first command. */
export const AUTH_START = "\0AUTH EXTERNAL\r\n";
/** The answer to an empty challenge. */
export const AUTH_DATA = "DATA\r\n";
/** Messages follow. */
export const AUTH_BEGIN = "BEGIN\r\n";

const CR = 13;
const LF = 10;
/** The specification's limit is 16 KiB; what we are told fits many times into this. */
const MAX_LINE = 1024;

/** The line that begins the bytes, without its end, and where the next begins; undefined while it is not complete. */
export function authLine(bytes: Uint8Array): { line: string; next: number } | undefined {
  const end = bytes.indexOf(LF);
  if (end < 0 && bytes.length < MAX_LINE) return undefined;
  if (end < 1 || end > MAX_LINE || bytes[end - 1] !== CR) throw refused("the answer is no line of text");
  let line = "";
  for (const byte of bytes.subarray(0, end - 1)) {
    if (byte < 0x20 || byte > 0x7e) throw refused("the answer is no line of text");
    line += String.fromCharCode(byte);
  }
  return { line, next: end + 1 };
}

/** What to do after a line: "data" asks for AUTH_DATA, "ok" for AUTH_BEGIN. Throws RuntimeError when we are refused. */
export function authAnswer(line: string): "data" | "ok" {
  if (line === "DATA" || line.startsWith("DATA ")) return "data";
  if (line.startsWith("OK ")) return "ok";
  throw refused(line);
}

function refused(line: string): RuntimeError {
  return new RuntimeError({ message: `D-Bus refused the connection: ${JSON.stringify(line)}` });
}
