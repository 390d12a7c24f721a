// Container ids: they name a folder, so they are checked before anything is looked up.

import { MESSAGE } from "../errors/messages.ts";
import { RuntimeError } from "../errors/runtime-error.ts";

const LONGEST = 1024;
/** runc's characters beside letters and digits. */
const MARKS = "_+-.";

/** Throws unless the id is 1 to 1024 of A-Z a-z 0-9 _ + - . and neither `.` nor `..`. */
export function checkId(id: string): void {
  if (id === "") throw new RuntimeError({ message: MESSAGE.emptyId });
  if (id.length > LONGEST) {
    throw new RuntimeError({ message: `${MESSAGE.invalidId}: longer than ${LONGEST} characters` });
  }
  if (id === "." || id === ".." || !idCharacters(id)) {
    throw new RuntimeError({ message: MESSAGE.invalidId, path: id });
  }
}

function idCharacters(id: string): boolean {
  for (let i = 0; i < id.length; i++) {
    const c = id.charCodeAt(i);
    const letter = (c >= 0x41 && c <= 0x5a) || (c >= 0x61 && c <= 0x7a);
    const digit = c >= 0x30 && c <= 0x39;
    if (!letter && !digit && !MARKS.includes(id[i] as string)) return false;
  }
  return true;
}
