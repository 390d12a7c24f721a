// System call numbers by architecture. The names are one list; a table has the numbers in the order of that list, packed
// (build/gen-syscalls.ts). Tables are loaded when an architecture is asked for.

import { loaded } from "../lazy.ts";
import { NAMES } from "../tables/syscalls.gen.ts";

const LOADERS: Readonly<Record<string, () => { readonly NUMBERS: string }>> = {
  x86_64: () => loaded(import("../tables/syscalls-x86_64.gen.ts")),
  x86: () => loaded(import("../tables/syscalls-x86.gen.ts")),
  x32: () => loaded(import("../tables/syscalls-x32.gen.ts")),
  arm: () => loaded(import("../tables/syscalls-arm.gen.ts")),
  aarch64: () => loaded(import("../tables/syscalls-aarch64.gen.ts")),
  mips: () => loaded(import("../tables/syscalls-mips.gen.ts")),
  mips64: () => loaded(import("../tables/syscalls-mips64.gen.ts")),
  mips64n32: () => loaded(import("../tables/syscalls-mips64n32.gen.ts")),
  ppc: () => loaded(import("../tables/syscalls-ppc.gen.ts")),
  ppc64: () => loaded(import("../tables/syscalls-ppc64.gen.ts")),
  s390: () => loaded(import("../tables/syscalls-s390.gen.ts")),
  s390x: () => loaded(import("../tables/syscalls-s390x.gen.ts")),
  parisc: () => loaded(import("../tables/syscalls-parisc.gen.ts")),
  parisc64: () => loaded(import("../tables/syscalls-parisc64.gen.ts")),
  riscv64: () => loaded(import("../tables/syscalls-riscv64.gen.ts")),
  loongarch64: () => loaded(import("../tables/syscalls-loongarch64.gen.ts")),
  m68k: () => loaded(import("../tables/syscalls-m68k.gen.ts")),
  sh: () => loaded(import("../tables/syscalls-sh.gen.ts")),
};

let names: string[] | undefined;
let indexes: Map<string, number> | undefined;
const tables = new Map<string, Int32Array>();

/** Every call of any architecture, by index. */
export function syscallNames(): readonly string[] {
  names ??= NAMES.split(" ");
  return names;
}

/** name → index. */
export function syscallIndexes(): ReadonlyMap<string, number> {
  if (indexes !== undefined) return indexes;
  const list = syscallNames();
  indexes = new Map();
  for (let i = 0; i < list.length; i++) indexes.set(list[i] as string, i);
  return indexes;
}

/** The numbers of a table by index, without the base of the ABI; -1 where it has no such call. */
export function syscallNumbers(table: string): Int32Array {
  const known = tables.get(table);
  if (known !== undefined) return known;
  const numbers = unpack((LOADERS[table] as () => { readonly NUMBERS: string })().NUMBERS, syscallNames().length);
  tables.set(table, numbers);
  return numbers;
}

/** Runs such as `0+335 57 -12`: 335 numbers from 0 on, then 57, then twelve calls that are not there. */
function unpack(text: string, count: number): Int32Array {
  const numbers = new Int32Array(count).fill(-1);
  const runs = text.split(" ");
  let index = 0;
  for (let i = 0; i < runs.length; i++) {
    const run = runs[i] as string;
    const plus = run.indexOf("+");
    if (plus < 0) {
      const number = +run;
      if (number < 0) index -= number;
      else numbers[index++] = number;
      continue;
    }
    let number = +run.slice(0, plus);
    for (const end = number + +run.slice(plus + 1); number < end; ) numbers[index++] = number++;
  }
  return numbers;
}

/** What the profiles of engines need on X86_64: made when the executable is built, and in its heap image. */
for (const table of ["x86_64", "x86", "x32"]) syscallNumbers(table);
syscallIndexes();

/** socketcall(2): call number in its first argument, by name (linux/net.h). */
const SOCKETCALLS =
  "socket bind connect listen accept getsockname getpeername socketpair send recv sendto recvfrom shutdown setsockopt " +
  "getsockopt sendmsg recvmsg accept4 recvmmsg sendmmsg";

/** ipc(2): call number in its first argument (linux/ipc.h). */
const IPCALLS: readonly (readonly [string, number])[] = [
  ["semop", 1],
  ["semget", 2],
  ["semctl", 3],
  ["semtimedop", 4],
  ["msgsnd", 11],
  ["msgrcv", 12],
  ["msgget", 13],
  ["msgctl", 14],
  ["shmat", 21],
  ["shmdt", 22],
  ["shmget", 23],
  ["shmctl", 24],
];

export interface Multiplexed {
  /** Index of the call by its own name, and of the one that it can also be reached by: socketcall or ipc. */
  call: number;
  through: number;
  /** The first argument of `through`. */
  number: number;
}

let multiplexed: Multiplexed[] | undefined;

/** The calls that some architectures also have behind socketcall(2) and ipc(2). */
export function multiplexedCalls(): readonly Multiplexed[] {
  if (multiplexed !== undefined) return multiplexed;
  const index = syscallIndexes();
  const entry = (name: string, through: string, number: number): Multiplexed => ({
    call: index.get(name) as number,
    through: index.get(through) as number,
    number,
  });
  const sockets = SOCKETCALLS.split(" ");
  multiplexed = [];
  for (let i = 0; i < sockets.length; i++) multiplexed.push(entry(sockets[i] as string, "socketcall", i + 1));
  for (let i = 0; i < IPCALLS.length; i++) {
    const [name, number] = IPCALLS[i] as readonly [string, number];
    multiplexed.push(entry(name, "ipc", number));
  }
  return multiplexed;
}

/** The number that has two names on arm: arm_sync_file_range and sync_file_range2; -1 elsewhere. */
export function sharedNumber(numbers: Int32Array): number {
  const index = syscallIndexes();
  const number = numbers[index.get("arm_sync_file_range") as number] as number;
  return number === numbers[index.get("sync_file_range2") as number] ? number : -1;
}
