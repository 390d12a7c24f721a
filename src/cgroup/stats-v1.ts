// Statistics from the v1 controllers. A hierarchy that is not there, or in which the container has no cgroup, adds nothing.

import { type CgroupFiles, emptyStats, type MemoryUse, noMemory, type Stats, UINT64_MAX } from "./stats.ts";
import { readBlkioV1 } from "./stats-blkio.ts";
import {
  gone,
  lines,
  malformed,
  mustReadUint,
  parseUint,
  readCpuList,
  readInt,
  readKeyed,
  readUint,
  readUints,
  words,
} from "./stats-text.ts";

/** cpuacct.stat counts in USER_HZ, which is 100 on every architecture that containers run on. */
const NS_PER_TICK = 10_000_000n;

const CPUSET_FLAGS = [
  "cpu_exclusive",
  "mem_hardwall",
  "mem_exclusive",
  "memory_migrate",
  "memory_spread_page",
  "memory_spread_slab",
  "memory_pressure",
  "sched_load_balance",
];

/** `pageSizes`: of the host's huge pages, as in the names of the controller's files ("2MB"). */
export function statsOfV1(
  cgroupOf: (controller: string) => CgroupFiles | undefined,
  pageSizes: readonly string[],
): Stats {
  const stats = emptyStats();
  const add = (controller: string, read: (files: CgroupFiles, stats: Stats) => void): void => {
    const files = cgroupOf(controller);
    if (files !== undefined) read(files, stats);
  };
  add("cpuset", readCpuset);
  add("memory", readMemory);
  add("cpu", readCpu);
  add("cpuacct", readCpuacct);
  add("pids", readPids);
  add("blkio", readBlkioV1);
  add("hugetlb", (files) => readHugetlb(files, stats, pageSizes));
  return stats;
}

function readCpuset(files: CgroupFiles, { cpuset }: Stats): void {
  cpuset.cpus = readCpuList(files, "cpuset.cpus");
  cpuset.mems = readCpuList(files, "cpuset.mems");
  for (const name of CPUSET_FLAGS) cpuset.values.set(name, readUint(files, `cpuset.${name}`) ?? 0n);
  const level = "sched_relax_domain_level";
  cpuset.values.set(level, readInt(files, `cpuset.${level}`) ?? 0n);
}

function readMemory(files: CgroupFiles, { memory }: Stats): void {
  const raw = readKeyed(files, "memory.stat");
  if (raw === undefined) return;
  memory.raw = raw;
  memory.cache = raw.get("cache") ?? 0n;
  memory.usage = readMemoryUse(files, "memory") ?? gone(files, "memory.usage_in_bytes");
  // What the kernel was built or started without: swap and kernel memory are optional.
  memory.swap = readMemoryUse(files, "memory.memsw") ?? noMemory();
  memory.kernel = readMemoryUse(files, "memory.kmem") ?? noMemory();
  memory.kernelTcp = readMemoryUse(files, "memory.kmem.tcp") ?? noMemory();
}

/** Undefined when the kernel does not account for it. Newer kernels have no limit of kernel memory. */
function readMemoryUse(files: CgroupFiles, prefix: string): MemoryUse | undefined {
  const usage = readUint(files, `${prefix}.usage_in_bytes`);
  if (usage === undefined) return undefined;
  return {
    usage,
    max: mustReadUint(files, `${prefix}.max_usage_in_bytes`),
    failcnt: mustReadUint(files, `${prefix}.failcnt`),
    limit: readUint(files, `${prefix}.limit_in_bytes`) ?? 0n,
  };
}

function readCpu(files: CgroupFiles, { cpu }: Stats): void {
  const values = readKeyed(files, "cpu.stat");
  cpu.periods = values?.get("nr_periods") ?? 0n;
  cpu.throttledPeriods = values?.get("nr_throttled") ?? 0n;
  cpu.throttledTime = values?.get("throttled_time") ?? 0n;
}

function readCpuacct(files: CgroupFiles, { cpu }: Stats): void {
  const ticks = readKeyed(files, "cpuacct.stat") ?? gone(files, "cpuacct.stat");
  cpu.user = (ticks.get("user") ?? 0n) * NS_PER_TICK;
  cpu.kernel = (ticks.get("system") ?? 0n) * NS_PER_TICK;
  cpu.total = mustReadUint(files, "cpuacct.usage");
  cpu.percpu = readUints(files, "cpuacct.usage_percpu");
  readUsageAll(files, cpu);
}

/** A title `cpu user system`, then a line for each CPU in nanoseconds. Linux 4.13 has it first. */
function readUsageAll(files: CgroupFiles, cpu: Stats["cpu"]): void {
  const file = "cpuacct.usage_all";
  const text = files.read(file);
  if (text === undefined) return;
  const [title = "", ...rows] = lines(text);
  if (!title.startsWith("cpu user system")) malformed(files, file, title);
  for (const row of rows) {
    const [, user, kernel] = words(row).map(parseUint);
    if (user === undefined || kernel === undefined) malformed(files, file, row);
    cpu.percpuUser.push(user);
    cpu.percpuKernel.push(kernel);
  }
}

function readPids(files: CgroupFiles, { pids }: Stats): void {
  pids.current = mustReadUint(files, "pids.current");
  const limit = mustReadUint(files, "pids.max");
  pids.limit = limit === UINT64_MAX ? 0n : limit;
}

/** Reservations (.rsvd, Linux 5.7) where there are such: they are what the limits are set for, too. */
function readHugetlb(files: CgroupFiles, { hugetlb }: Stats, pageSizes: readonly string[]): void {
  for (const size of pageSizes) {
    const reserved = files.read(`hugetlb.${size}.rsvd.usage_in_bytes`) !== undefined;
    const prefix = `hugetlb.${size}${reserved ? ".rsvd" : ""}`;
    hugetlb.set(size, {
      usage: mustReadUint(files, `${prefix}.usage_in_bytes`),
      max: mustReadUint(files, `${prefix}.max_usage_in_bytes`),
      failcnt: mustReadUint(files, `${prefix}.failcnt`),
    });
  }
}
