// Readers of cgroup files, by the kinds of contents that the kernel's documentation names (cgroup-v2.rst, "Format"; the v1
// controllers' pages). What the kernel never prints is an error: a wrong number would be believed.

import { RuntimeError } from "../errors/runtime-error.ts";
import { type CgroupFiles, type Pressure, type PressureLine, UINT64_MAX } from "./stats.ts";

/** Digits of 2^64 - 1. */
const MAX_DIGITS = 20;
const MAX_CPU = 0xffff;

/** A decimal of 64 bits. A negative one is 0, as in runc: some counters of the memory controller go below it. */
export function parseUint(text: string): bigint | undefined {
  const digits = text.startsWith("-") ? text.slice(1) : text;
  if (digits === "" || digits.length > MAX_DIGITS) return undefined;
  for (let i = 0; i < digits.length; i++) {
    const code = digits.charCodeAt(i);
    if (code < 0x30 || code > 0x39) return undefined;
  }
  if (digits !== text) return 0n;
  const value = BigInt(digits);
  return value > UINT64_MAX ? undefined : value;
}

/** One number, or `max`, which is 2^64 - 1. Undefined without the file. */
export function readUint(files: CgroupFiles, file: string): bigint | undefined {
  const text = files.read(file)?.trim();
  if (text === undefined) return undefined;
  if (text === "max") return UINT64_MAX;
  return parseUint(text) ?? malformed(files, file, text);
}

/** As readUint, for a file that is there as long as the cgroup is. */
export function mustReadUint(files: CgroupFiles, file: string): bigint {
  return readUint(files, file) ?? gone(files, file);
}

/** A signed number; -1 stands for the kernel's own choice in sched_relax_domain_level. */
export function readInt(files: CgroupFiles, file: string): bigint | undefined {
  const text = files.read(file)?.trim();
  if (text === undefined) return undefined;
  if (!text.startsWith("-")) return parseUint(text) ?? malformed(files, file, text);
  return -(parseUint(text.slice(1)) ?? malformed(files, file, text));
}

/** Lines of a key and a number. Undefined without the file. */
export function readKeyed(files: CgroupFiles, file: string): Map<string, bigint> | undefined {
  const text = files.read(file);
  if (text === undefined) return undefined;
  const values = new Map<string, bigint>();
  for (const line of lines(text)) {
    const space = line.indexOf(" ");
    const value = space > 0 ? parseUint(line.slice(space + 1)) : undefined;
    values.set(line.slice(0, space), value ?? malformed(files, file, line));
  }
  return values;
}

/** Numbers between white space. */
export function readUints(files: CgroupFiles, file: string): bigint[] {
  const text = files.read(file) ?? gone(files, file);
  return words(text).map((word) => parseUint(word) ?? malformed(files, file, word));
}

/** A list of CPUs or memory nodes: `0-2,7`. */
export function readCpuList(files: CgroupFiles, file: string): number[] {
  const text = files.read(file)?.trim() ?? "";
  const list: number[] = [];
  if (text === "") return list;
  for (const range of text.split(",")) {
    const [first = "", last = first, ...more] = range.split("-");
    const from = parseUint(first);
    const to = parseUint(last);
    const known = from !== undefined && to !== undefined && more.length === 0;
    if (!known || from > to || to > MAX_CPU) malformed(files, file, text);
    for (let cpu = Number(from); cpu <= Number(to); cpu++) list.push(cpu);
  }
  return list;
}

/**
 * `some avg10=0.00 avg60=0.00 avg300=0.00 total=0`, and the same with `full`. Undefined where the kernel has no such file
 * or pressure is not accounted (cgroup.pressure, psi=).
 */
export function readPressure(files: CgroupFiles, file: string): Pressure | undefined {
  const text = files.read(file);
  if (text === undefined) return undefined;
  const psi: Pressure = { some: noPressure(), full: noPressure() };
  for (const line of lines(text)) {
    const [kind, ...fields] = words(line);
    if (kind !== "some" && kind !== "full") continue;
    for (const field of fields) {
      if (!takePressure(psi[kind], field)) malformed(files, file, line);
    }
  }
  return psi;
}

function noPressure(): PressureLine {
  return { avg10: 0, avg60: 0, avg300: 0, total: 0n };
}

/** False for what is no field; one that is not known is passed over. */
function takePressure(line: PressureLine, field: string): boolean {
  const equals = field.indexOf("=");
  const name = field.slice(0, equals);
  const text = field.slice(equals + 1);
  if (equals <= 0 || text === "") return false;
  if (name === "total") {
    const total = parseUint(text);
    if (total !== undefined) line.total = total;
    return total !== undefined;
  }
  if (name !== "avg10" && name !== "avg60" && name !== "avg300") return true;
  const share = Number(text);
  if (Number.isNaN(share)) return false;
  line[name] = share;
  return true;
}

export function lines(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}

/** What stands between white space. */
export function words(text: string): string[] {
  return text
    .replaceAll("\n", " ")
    .split(" ")
    .filter((word) => word !== "");
}

export function malformed(files: CgroupFiles, file: string, text: string): never {
  throw new RuntimeError({
    message: `unexpected contents of a cgroup file: ${JSON.stringify(text.slice(0, 60))}`,
    path: `${files.path}/${file}`,
  });
}

const ENOENT = 2;

export function gone(files: CgroupFiles, file: string): never {
  throw new RuntimeError({ message: "", operation: "open", path: `${files.path}/${file}`, errno: ENOENT });
}
