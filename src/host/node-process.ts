// What Node does to its process at start, undone as far as it can be: argv as bytes, RLIMIT_NOFILE.

import { readFileSync } from "node:fs";
import type { Native } from "./native.gen.ts";
import { decodeText } from "./node-text.ts";

const RLIMIT_NOFILE = 7;

/** The arguments after the script, losslessly: process.argv has U+FFFD for what is not UTF-8. */
export function commandLine(): string[] {
  const all = decodeText(readFileSync("/proc/self/cmdline")).split("\0").slice(0, -1);
  const count = process.argv.length - 2;
  return count === 0 ? [] : all.slice(-count);
}

/**
 * Puts the soft RLIMIT_NOFILE back to what it was before Node raised it, so that containers and hooks inherit that.
 *
 * The kernel does not keep the old value. The nearest there is to it is the parent's limit: a child starts with it. It is
 * taken only when the parent has the same hard limit, because a caller that set limits between fork and exec (`ulimit -n`
 * sets both) leaves a different one; then, or when the parent is gone, the limit stays as Node left it: the hard limit.
 * What this cannot see is a caller that changed the soft limit alone for this one process.
 */
export function restoreOpenFilesLimit(native: Native): void {
  const parent = openFilesLimit(`/proc/${process.ppid}/limits`);
  const own = openFilesLimit("/proc/self/limits");
  if (parent === undefined || own === undefined || parent.hard !== own.hard || parent.soft >= own.soft) return;
  native.prlimit(0, RLIMIT_NOFILE, ...halves(parent.soft), ...halves(own.hard));
}

const halves = (value: bigint): [low: number, high: number] => [Number(value & 0xffffffffn), Number(value >> 32n)];

function openFilesLimit(path: string): { soft: bigint; hard: bigint } | undefined {
  const match = /^Max open files +(\d+|unlimited) +(\d+|unlimited)/m.exec(read(path));
  return match ? { soft: limit(match[1]), hard: limit(match[2]) } : undefined;
}

const limit = (text: string | undefined): bigint => (text === "unlimited" ? 2n ** 64n - 1n : BigInt(text ?? 0));

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // the parent may be gone or hidden
  }
}
