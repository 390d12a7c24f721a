// What `events` tells of a cgroup, in the units that runc prints: bytes, nanoseconds, counts. Integers are 64-bit unsigned,
// as the kernel prints them.

/** 2^64 - 1: what `max` in a cgroup file stands for. */
export const UINT64_MAX = 0xffffffffffffffffn;

/** The tables of block I/O, in the order of runc's output. */
export const BLKIO_TABLES = [
  "ioServiceBytesRecursive",
  "ioServicedRecursive",
  "ioQueueRecursive",
  "ioServiceTimeRecursive",
  "ioWaitTimeRecursive",
  "ioMergedRecursive",
  "ioTimeRecursive",
  "sectorsRecursive",
] as const;

export type BlkioTable = (typeof BLKIO_TABLES)[number];

export interface BlkioEntry {
  major: bigint;
  minor: bigint;
  /** "Read", "Write", ...; "" where the file has one value a device. */
  op: string;
  value: bigint;
}

/** Pressure stall information: shares of time in percent, the total in microseconds. */
export interface Pressure {
  some: PressureLine;
  full: PressureLine;
}

export interface PressureLine {
  avg10: number;
  avg60: number;
  avg300: number;
  total: bigint;
}

export interface MemoryUse {
  limit: bigint;
  usage: bigint;
  max: bigint;
  failcnt: bigint;
}

export interface Stats {
  cpu: {
    total: bigint;
    percpu: bigint[];
    percpuKernel: bigint[];
    percpuUser: bigint[];
    kernel: bigint;
    user: bigint;
    periods: bigint;
    throttledPeriods: bigint;
    throttledTime: bigint;
    psi?: Pressure;
  };
  /** v1 alone; the flags and numbers by the name of their file, without `cpuset.`. */
  cpuset: { cpus: number[]; mems: number[]; values: Map<string, bigint> };
  memory: {
    cache: bigint;
    usage: MemoryUse;
    /** Memory and swap together, on v2 too. */
    swap: MemoryUse;
    kernel: MemoryUse;
    kernelTcp: MemoryUse;
    /** memory.stat as it is. */
    raw: Map<string, bigint>;
    psi?: Pressure;
  };
  /** A limit of 0 is none. */
  pids: { current: bigint; limit: bigint };
  blkio: { tables: Map<BlkioTable, BlkioEntry[]>; psi?: Pressure };
  /** By page size: "2MB". */
  hugetlb: Map<string, { usage: bigint; max: bigint; failcnt: bigint }>;
}

/** The files of one cgroup. */
export interface CgroupFiles {
  /** Absolute, for messages. */
  readonly path: string;
  /** The contents; undefined when there is no such file, or the kernel has it switched off. Throws for anything else. */
  read(file: string): string | undefined;
}

export function noMemory(): MemoryUse {
  return { limit: 0n, usage: 0n, max: 0n, failcnt: 0n };
}

/** What is reported when nothing can be read. */
export function emptyStats(): Stats {
  return {
    cpu: {
      total: 0n,
      percpu: [],
      percpuKernel: [],
      percpuUser: [],
      kernel: 0n,
      user: 0n,
      periods: 0n,
      throttledPeriods: 0n,
      throttledTime: 0n,
    },
    cpuset: { cpus: [], mems: [], values: new Map() },
    memory: {
      cache: 0n,
      usage: noMemory(),
      swap: noMemory(),
      kernel: noMemory(),
      kernelTcp: noMemory(),
      raw: new Map(),
    },
    pids: { current: 0n, limit: 0n },
    blkio: { tables: new Map() },
    hugetlb: new Map(),
  };
}
