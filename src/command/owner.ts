// User names from the host's /etc/passwd.

import { AT_FDCWD } from "../container/open-flags.ts";
import type { Native } from "../host/native.gen.ts";

const PASSWD_MAX = 4 << 20;

/** Names of uids; `#1000` for one without a name. The file is read when the first name is asked for. */
export function userNames(native: Native): (uid: number) => string {
  let names: Map<number, string> | undefined;
  return (uid) => {
    names ??= readNames(native);
    return names.get(uid) ?? `#${uid}`;
  };
}

function readNames(native: Native): Map<number, string> {
  const text = native.read_file(AT_FDCWD, "/etc/passwd", PASSWD_MAX);
  const names = new Map<number, string>();
  if (typeof text !== "string") return names;
  for (const line of text.split("\n")) {
    const [name, , uid] = line.split(":");
    if (name === undefined || name === "" || uid === undefined || uid === "") continue;
    const number = Number(uid);
    if (Number.isSafeInteger(number) && !names.has(number)) names.set(number, name);
  }
  return names;
}
