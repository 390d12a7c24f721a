// A list of CPUs or memory nodes, "0-3,8", as the bytes that systemd takes: bit n of byte n / 8.

import { RuntimeError } from "../errors/runtime-error.ts";

/** systemd's own limit of a CPU's number. */
const MAX = 8191;

/** Throws RuntimeError for what is no list, and for an empty one. */
export function bitsOf(list: string, pointer: string): number[] {
  const bytes: number[] = [];
  for (const part of list.split(",")) {
    const range = part.trim();
    if (range === "") continue;
    const dash = range.indexOf("-");
    const first = numberOf(dash < 0 ? range : range.slice(0, dash));
    const last = dash < 0 ? first : numberOf(range.slice(dash + 1));
    if (first < 0 || last < first) throw wrong(list, pointer);
    while (bytes.length <= last >> 3) bytes.push(0);
    for (let bit = first; bit <= last; bit++) bytes[bit >> 3] = (bytes[bit >> 3] as number) | (1 << (bit & 7));
  }
  if (bytes.length === 0) throw wrong(list, pointer);
  return bytes;
}

/** -1 when it is none. */
function numberOf(digits: string): number {
  if (digits === "") return -1;
  for (const digit of digits) if (digit < "0" || digit > "9") return -1;
  const value = Number(digits);
  return value <= MAX ? value : -1;
}

function wrong(list: string, pointer: string): RuntimeError {
  return new RuntimeError({ message: `must be a list such as "0-3,8", got ${JSON.stringify(list)}`, pointer });
}
