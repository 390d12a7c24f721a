// The statistics as runc prints them (types/events.go of runc 1.1 to 1.3): which fields there are, their names and order,
// and which of them are left out when they are zero. go-runc and whoever reads runc's output depend on all of it.

import { BLKIO_TABLES, type BlkioEntry, type MemoryUse, type Pressure, type Stats } from "../cgroup/stats.ts";
import type { Json } from "../json/write.ts";

type JsonObject = { readonly [key: string]: Json };

/** The order of runc's fields. */
const CPUSET_VALUES_BEFORE_MEMS = ["cpu_exclusive"];
const CPUSET_VALUES = [
  "mem_hardwall",
  "mem_exclusive",
  "memory_migrate",
  "memory_spread_page",
  "memory_spread_slab",
  "memory_pressure",
  "sched_load_balance",
  "sched_relax_domain_level",
];

/**
 * The `data` of an event. Always there, for runc: `intel_rdt`, empty for a container without `linux.intelRdt`, and `network_interfaces` null (runc knows of none but those that it made itself, which it does not do for OCI
 * bundles).
 */
export function statsJson(stats: Stats, rdt: JsonObject = {}): JsonObject {
  return {
    cpu: cpu(stats),
    cpuset: cpuset(stats),
    memory: memory(stats),
    pids: { current: unlessZero(stats.pids.current), limit: unlessZero(stats.pids.limit) },
    blkio: blkio(stats),
    hugetlb: new Map(
      [...stats.hugetlb].map(([size, { usage, max, failcnt }]): [string, Json] => [
        size,
        { usage: unlessZero(usage), max: unlessZero(max), failcnt },
      ]),
    ),
    intel_rdt: rdt,
    network_interfaces: null,
  };
}

function cpu({ cpu }: Stats): JsonObject {
  return {
    usage: {
      total: unlessZero(cpu.total),
      percpu: unlessEmpty(cpu.percpu),
      percpu_kernel: unlessEmpty(cpu.percpuKernel),
      percpu_user: unlessEmpty(cpu.percpuUser),
      kernel: cpu.kernel,
      user: cpu.user,
    },
    throttling: {
      periods: unlessZero(cpu.periods),
      throttledPeriods: unlessZero(cpu.throttledPeriods),
      throttledTime: unlessZero(cpu.throttledTime),
    },
    psi: pressure(cpu.psi),
  };
}

function cpuset({ cpuset: { cpus, mems, values } }: Stats): JsonObject {
  const named = (names: readonly string[]): JsonObject =>
    Object.fromEntries(names.map((name): [string, Json] => [name, values.get(name) ?? 0n]));
  return {
    cpus: unlessEmpty(cpus),
    ...named(CPUSET_VALUES_BEFORE_MEMS),
    mems: unlessEmpty(mems),
    ...named(CPUSET_VALUES),
  };
}

function memory({ memory }: Stats): JsonObject {
  return {
    cache: unlessZero(memory.cache),
    usage: memoryUse(memory.usage),
    swap: memoryUse(memory.swap),
    kernel: memoryUse(memory.kernel),
    kernelTCP: memoryUse(memory.kernelTcp),
    raw: memory.raw.size === 0 ? undefined : memory.raw,
    psi: pressure(memory.psi),
  };
}

function memoryUse({ limit, usage, max, failcnt }: MemoryUse): JsonObject {
  return { limit, usage: unlessZero(usage), max: unlessZero(max), failcnt };
}

function blkio({ blkio: { tables, psi } }: Stats): JsonObject {
  const present = BLKIO_TABLES.map((name): [string, Json] => [name, unlessEmpty(tables.get(name) ?? [], blkioEntry)]);
  return { ...Object.fromEntries(present), psi: pressure(psi) };
}

function blkioEntry({ major, minor, op, value }: BlkioEntry): JsonObject {
  return {
    major: unlessZero(major),
    minor: unlessZero(minor),
    op: op === "" ? undefined : op,
    value: unlessZero(value),
  };
}

function pressure(psi: Pressure | undefined): JsonObject | undefined {
  return psi === undefined ? undefined : { some: { ...psi.some }, full: { ...psi.full } };
}

function unlessZero(value: bigint): bigint | undefined {
  return value === 0n ? undefined : value;
}

function unlessEmpty<T>(list: readonly T[], each: (item: T) => Json = (item) => item as Json): Json {
  return list.length === 0 ? undefined : list.map(each);
}
