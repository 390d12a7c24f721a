// Statistics from a v2 cgroup. The files of a controller that is not enabled there are missing, which is no error.

import { type CgroupFiles, emptyStats, type MemoryUse, noMemory, type Stats, UINT64_MAX } from "./stats.ts";
import { readIoStat } from "./stats-blkio.ts";
import { gone, lines, mustReadUint, readKeyed, readPressure, readUint } from "./stats-text.ts";

const NS_PER_US = 1000n;

/** `pageSizes`: of the host's huge pages, as in the names of the controller's files ("2MB"). */
export function statsOfV2(files: CgroupFiles, pageSizes: readonly string[]): Stats {
  const stats = emptyStats();
  readPids(files, stats);
  readMemory(files, stats);
  readIoStat(files, stats);
  readCpu(files, stats);
  readHugetlb(files, stats, pageSizes);
  takePressures(files, stats);
  return stats;
}

/** Without the controller: the number of processes, or of threads where there are only such. */
function readPids(files: CgroupFiles, { pids }: Stats): void {
  const current = readUint(files, "pids.current");
  if (current === undefined) {
    const list = files.read("cgroup.procs") ?? files.read("cgroup.threads") ?? gone(files, "cgroup.procs");
    pids.current = BigInt(lines(list).length);
    return;
  }
  pids.current = current;
  const limit = mustReadUint(files, "pids.max");
  pids.limit = limit === UINT64_MAX ? 0n : limit;
}

function readMemory(files: CgroupFiles, { memory }: Stats): void {
  const raw = readKeyed(files, "memory.stat");
  if (raw === undefined) return;
  memory.raw = raw;
  memory.cache = raw.get("file") ?? 0n;
  const usage = readMemoryUse(files, "memory");
  if (usage === undefined) return;
  memory.usage = usage;
  memory.swap = withSwap(usage, readMemoryUse(files, "memory.swap") ?? noMemory());
}

/** As v1 has it, memory and swap together. Of their peaks there is no sum. */
function withSwap(memory: MemoryUse, swap: MemoryUse): MemoryUse {
  const unlimited = memory.limit === UINT64_MAX || swap.limit === UINT64_MAX;
  const limit = unlimited ? UINT64_MAX : memory.limit + swap.limit;
  return { limit, usage: memory.usage + swap.usage, max: 0n, failcnt: 0n };
}

/** Undefined when the kernel does not account for it. memory.peak is there from Linux 5.19 on, memory.swap.peak 6.5. */
function readMemoryUse(files: CgroupFiles, prefix: string): MemoryUse | undefined {
  const usage = readUint(files, `${prefix}.current`);
  if (usage === undefined) return undefined;
  return {
    usage,
    limit: mustReadUint(files, `${prefix}.max`),
    max: readUint(files, `${prefix}.peak`) ?? 0n,
    failcnt: 0n,
  };
}

/** Times are there without the controller, too. */
function readCpu(files: CgroupFiles, { cpu }: Stats): void {
  const values = readKeyed(files, "cpu.stat");
  const time = (name: string): bigint => (values?.get(name) ?? 0n) * NS_PER_US;
  cpu.total = time("usage_usec");
  cpu.user = time("user_usec");
  cpu.kernel = time("system_usec");
  cpu.periods = values?.get("nr_periods") ?? 0n;
  cpu.throttledPeriods = values?.get("nr_throttled") ?? 0n;
  cpu.throttledTime = time("throttled_usec");
}

function readHugetlb(files: CgroupFiles, { hugetlb }: Stats, pageSizes: readonly string[]): void {
  for (const size of pageSizes) {
    const prefix = `hugetlb.${size}`;
    const usage = readUint(files, `${prefix}.rsvd.current`) ?? readUint(files, `${prefix}.current`);
    const events = readKeyed(files, `${prefix}.events`);
    if (usage === undefined || events === undefined) return;
    hugetlb.set(size, { usage, max: 0n, failcnt: events.get("max") ?? 0n });
  }
}

function takePressures(files: CgroupFiles, { cpu, memory, blkio }: Stats): void {
  for (const [file, target] of [
    ["memory.pressure", memory],
    ["io.pressure", blkio],
    ["cpu.pressure", cpu],
  ] as const) {
    const psi = readPressure(files, file);
    if (psi !== undefined) target.psi = psi;
  }
}
