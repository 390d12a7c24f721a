// Contents of the files are as kernels have printed them.

import { describe, expect, it } from "vitest";
import type { CgroupFiles } from "./stats.ts";
import { pageSizesOf } from "./stats-page-sizes.ts";
import { parseUint, readCpuList, readInt, readKeyed, readPressure, readUint } from "./stats-text.ts";
import { statsOfV1 } from "./stats-v1.ts";
import { statsOfV2 } from "./stats-v2.ts";

function filesOf(contents: Record<string, string>): CgroupFiles {
  return { path: "/sys/fs/cgroup/x", read: (file) => contents[file] };
}

const one = (text: string): CgroupFiles => filesOf({ f: text });

describe("numbers", () => {
  it("keep all 64 bits", () => {
    expect(parseUint("18446744073709551615")).toBe(18446744073709551615n);
    expect(readUint(one("9223372036854771712\n"), "f")).toBe(9223372036854771712n);
  });

  it("below zero are zero", () => {
    expect(parseUint("-4096")).toBe(0n);
  });

  it("`max` is the largest", () => {
    expect(readUint(one("max\n"), "f")).toBe(18446744073709551615n);
  });

  it.each(["18446744073709551616", "", "-", "1x", "0x10", "1 2", "+1", "1e3", "999999999999999999999999"])(
    "%j is none",
    (text) => {
      expect(parseUint(text)).toBe(undefined);
    },
  );

  it("that the kernel cannot have printed are an error with the file", () => {
    expect(() => readUint(one("many\n"), "f")).toThrow(/unexpected contents of a cgroup file: "many"/);
  });

  it("of a file that is missing are undefined", () => {
    expect(readUint(one(""), "g")).toBe(undefined);
    expect(readKeyed(one(""), "g")).toBe(undefined);
  });

  it("with a sign are read where there are such", () => {
    expect(readInt(one("-1\n"), "f")).toBe(-1n);
    expect(readInt(one("3\n"), "f")).toBe(3n);
  });
});

describe("keyed lines", () => {
  it("keep their names, whatever they are", () => {
    const values = readKeyed(one("cache 0\n__proto__ 1\nhierarchical_memory_limit 18446744073709551615\n"), "f");
    expect([...(values ?? [])]).toEqual([
      ["cache", 0n],
      ["__proto__", 1n],
      ["hierarchical_memory_limit", 18446744073709551615n],
    ]);
  });

  it.each(["cache\n", " 1\n", "cache one\n", "cache 1 2\n"])("%j is an error", (text) => {
    expect(() => readKeyed(one(text), "f")).toThrow(/unexpected contents/);
  });
});

describe("lists of CPUs", () => {
  it.each([
    ["0\n", [0]],
    ["0-3,7\n", [0, 1, 2, 3, 7]],
    ["\n", []],
  ])("%j", (text, list) => {
    expect(readCpuList(one(text), "f")).toEqual(list);
  });

  it.each(["3-1\n", "0-99999999\n", "a\n", "1-\n", "1-2-3\n", "0,,1\n"])("%j is an error", (text) => {
    expect(() => readCpuList(one(text), "f")).toThrow(/unexpected contents/);
  });
});

describe("pressure", () => {
  const SOME = "some avg10=1.50 avg60=0.03 avg300=0.00 total=18446744073709551615\n";

  it("has both lines, the second zero where the kernel prints one", () => {
    expect(readPressure(one(SOME), "f")).toEqual({
      some: { avg10: 1.5, avg60: 0.03, avg300: 0, total: 18446744073709551615n },
      full: { avg10: 0, avg60: 0, avg300: 0, total: 0n },
    });
    expect(readPressure(one(`${SOME}full avg10=100.00 avg60=0.00 avg300=0.00 total=7\n`), "f")?.full).toEqual({
      avg10: 100,
      avg60: 0,
      avg300: 0,
      total: 7n,
    });
  });

  it("passes over what is not known", () => {
    expect(readPressure(one("some avg10=0.10 avg900=1 total=1\nnone avg10=9\n"), "f")?.some.avg10).toBe(0.1);
  });

  it.each(["some avg10\n", "some avg10=x\n", "some total=1.5\n", "some avg10=\n"])("%j is an error", (text) => {
    expect(() => readPressure(one(text), "f")).toThrow(/unexpected contents/);
  });
});

describe("sizes of huge pages", () => {
  it("are spelled as in the controller's files", () => {
    const names = ["hugepages-64kB", "hugepages-2048kB", "hugepages-1048576kB", "hugepages-16777216kB", "x", ""];
    expect(pageSizesOf([...names, "hugepages-kB", "hugepages-1MB"])).toEqual(["64KB", "2MB", "1GB", "16GB"]);
  });
});

const MEMORY_V1 = {
  "memory.stat": "cache 4096\nrss 8192\nhierarchical_memory_limit 9223372036854771712\n",
  "memory.usage_in_bytes": "507904\n",
  "memory.max_usage_in_bytes": "507905\n",
  "memory.failcnt": "3\n",
  "memory.limit_in_bytes": "9223372036854771712\n",
};
const USE = { usage: 507904n, max: 507905n, failcnt: 3n, limit: 9223372036854771712n };
const NONE = { usage: 0n, max: 0n, failcnt: 0n, limit: 0n };

const v1 = (controller: string, contents: Record<string, string>, pageSizes: string[] = []) =>
  statsOfV1((name) => (name === controller ? filesOf(contents) : undefined), pageSizes);

describe("v1", () => {
  it("memory: swap and kernel memory are zero where the kernel does not account for them", () => {
    const { memory } = v1("memory", MEMORY_V1);
    expect(memory).toMatchObject({ cache: 4096n, usage: USE, swap: NONE, kernel: NONE, kernelTcp: NONE });
    expect(memory.raw.get("rss")).toBe(8192n);
  });

  it("memory: kernel memory has no limit on newer kernels", () => {
    const { memory } = v1("memory", {
      ...MEMORY_V1,
      "memory.kmem.usage_in_bytes": "1\n",
      "memory.kmem.max_usage_in_bytes": "2\n",
      "memory.kmem.failcnt": "0\n",
    });
    expect(memory.kernel).toEqual({ usage: 1n, max: 2n, failcnt: 0n, limit: 0n });
  });

  it("memory: a cgroup that goes while it is read is an error, not zero", () => {
    expect(() => v1("memory", { "memory.stat": "cache 0\n" })).toThrow(/^$/);
  });

  it("cpu and cpuacct: nanoseconds, in total and by CPU", () => {
    expect(v1("cpu", { "cpu.stat": "nr_periods 5\nnr_throttled 2\nthrottled_time 123\n" }).cpu).toMatchObject({
      periods: 5n,
      throttledPeriods: 2n,
      throttledTime: 123n,
    });
    expect(
      v1("cpuacct", {
        "cpuacct.stat": "user 3\nsystem 5\n",
        "cpuacct.usage": "2722143\n",
        "cpuacct.usage_percpu": "809876 1912267 \n",
        "cpuacct.usage_all": "cpu user system\n0 1 2\n1 3 4\n",
      }).cpu,
    ).toMatchObject({
      user: 30_000_000n,
      kernel: 50_000_000n,
      total: 2722143n,
      percpu: [809876n, 1912267n],
      percpuUser: [1n, 3n],
      percpuKernel: [2n, 4n],
    });
  });

  it("cpuset: lists, flags, and a level of -1", () => {
    const { cpuset } = v1("cpuset", {
      "cpuset.cpus": "0-1\n",
      "cpuset.mems": "0\n",
      "cpuset.sched_load_balance": "1\n",
      "cpuset.sched_relax_domain_level": "-1\n",
    });
    expect(cpuset.cpus).toEqual([0, 1]);
    expect(cpuset.values.get("sched_load_balance")).toBe(1n);
    expect(cpuset.values.get("sched_relax_domain_level")).toBe(-1n);
    expect(cpuset.values.get("mem_hardwall")).toBe(0n);
  });

  it("pids: no limit is 0", () => {
    expect(v1("pids", { "pids.current": "7\n", "pids.max": "max\n" }).pids).toEqual({ current: 7n, limit: 0n });
    expect(v1("pids", { "pids.current": "7\n", "pids.max": "64\n" }).pids.limit).toBe(64n);
  });

  it("hugetlb: reservations where the kernel counts them", () => {
    const files = (rsvd: string): Record<string, string> => ({
      [`hugetlb.2MB${rsvd}.usage_in_bytes`]: "2097152\n",
      [`hugetlb.2MB${rsvd}.max_usage_in_bytes`]: "4194304\n",
      [`hugetlb.2MB${rsvd}.failcnt`]: "1\n",
    });
    const wanted = new Map([["2MB", { usage: 2097152n, max: 4194304n, failcnt: 1n }]]);
    expect(v1("hugetlb", files(".rsvd"), ["2MB"]).hugetlb).toEqual(wanted);
    expect(v1("hugetlb", files(""), ["2MB"]).hugetlb).toEqual(wanted);
  });

  const BYTES = "8:0 Read 1282048\n8:0 Write 0\n8:0 Total 1282048\nTotal 1282048\n";
  const bytes = (op: string, value: bigint) => ({ major: 8n, minor: 0n, op, value });

  it("blkio: the first generation of files that has entries", () => {
    const { tables } = v1("blkio", {
      "blkio.bfq.io_serviced_recursive": "Total 0\n",
      "blkio.throttle.io_serviced_recursive": "8:0 Read 5\nTotal 5\n",
      "blkio.throttle.io_service_bytes_recursive": BYTES,
      "blkio.throttle.io_serviced": "8:0 Read 1\nTotal 1\n",
    }).blkio;
    expect([...tables]).toEqual([
      ["ioServicedRecursive", [bytes("Read", 5n)]],
      ["ioServiceBytesRecursive", [bytes("Read", 1282048n), bytes("Write", 0n), bytes("Total", 1282048n)]],
    ]);
  });

  it("blkio: every file of a scheduler that accounts for everything", () => {
    const files: Record<string, string> = {
      "blkio.bfq.sectors_recursive": "8:0 6792\n",
      "blkio.bfq.io_service_time_recursive": BYTES,
      "blkio.bfq.io_wait_time_recursive": BYTES,
      "blkio.bfq.io_merged_recursive": BYTES,
      "blkio.bfq.io_queued_recursive": BYTES,
      "blkio.bfq.time_recursive": "8:0 3\n",
      "blkio.bfq.io_serviced_recursive": BYTES,
      "blkio.bfq.io_service_bytes_recursive": BYTES,
    };
    const { tables } = v1("blkio", files).blkio;
    expect(tables.size).toBe(8);
    expect(tables.get("sectorsRecursive")).toEqual([bytes("", 6792n)]);
    expect(tables.get("ioTimeRecursive")).toEqual([bytes("", 3n)]);
  });

  it.each(["8:0\n", "8 Read 1\n", "8:0 Read x\n", "8:0 Read 1 2\n"])("blkio: %j is an error", (text) => {
    expect(() => v1("blkio", { "blkio.throttle.io_serviced": text })).toThrow(/unexpected contents/);
  });
});

const V2 = { "cgroup.procs": "1\n2\n" };

describe("v2", () => {
  it("without controllers: processes are counted, nothing else is there", () => {
    const stats = statsOfV2(filesOf(V2), ["2MB"]);
    expect(stats.pids).toEqual({ current: 2n, limit: 0n });
    expect(stats.hugetlb.size + stats.memory.raw.size + stats.blkio.tables.size).toBe(0);
    expect(stats.cpu.psi).toBe(undefined);
  });

  it("a threaded cgroup has threads", () => {
    expect(statsOfV2(filesOf({ "cgroup.threads": "1\n2\n3\n" }), []).pids.current).toBe(3n);
  });

  it("a cgroup that is gone is an error", () => {
    expect(() => statsOfV2(filesOf({}), [])).toThrow();
  });

  it("pids: no limit is 0", () => {
    expect(statsOfV2(filesOf({ "pids.current": "1\n", "pids.max": "max\n" }), []).pids).toEqual({
      current: 1n,
      limit: 0n,
    });
  });

  const MEMORY = {
    ...V2,
    "memory.stat": "anon 4096\nfile 8192\n",
    "memory.current": "507904\n",
    "memory.max": "1048576\n",
    "memory.peak": "600000\n",
  };

  it("memory: swap is reported with memory, as v1 has it", () => {
    const swap = { "memory.swap.current": "96\n", "memory.swap.max": "1000\n", "memory.swap.peak": "100\n" };
    const { memory } = statsOfV2(filesOf({ ...MEMORY, ...swap }), []);
    expect(memory.cache).toBe(8192n);
    expect(memory.usage).toEqual({ usage: 507904n, limit: 1048576n, max: 600000n, failcnt: 0n });
    expect(memory.swap).toEqual({ usage: 508000n, limit: 1049576n, max: 0n, failcnt: 0n });
  });

  it("memory: no limit on either is none on the sum", () => {
    const unlimited = 18446744073709551615n;
    const swap = { "memory.swap.current": "0\n", "memory.swap.max": "max\n" };
    expect(statsOfV2(filesOf({ ...MEMORY, ...swap }), []).memory.swap.limit).toBe(unlimited);
    const limited = { ...MEMORY, ...swap, "memory.max": "max\n", "memory.swap.max": "4096\n" };
    expect(statsOfV2(filesOf(limited), []).memory.swap.limit).toBe(unlimited);
  });

  it("memory: neither swap accounting nor a peak (before Linux 5.19)", () => {
    const { "memory.peak": _, ...older } = MEMORY;
    const { memory } = statsOfV2(filesOf(older), []);
    expect(memory.usage.max).toBe(0n);
    expect(memory.swap).toEqual({ usage: 507904n, limit: 1048576n, max: 0n, failcnt: 0n });
  });

  it("cpu: microseconds become nanoseconds", () => {
    const text =
      "usage_usec 12\nuser_usec 7\nsystem_usec 5\nnice_usec 0\nnr_periods 3\nnr_throttled 2\nthrottled_usec 9\n";
    expect(statsOfV2(filesOf({ ...V2, "cpu.stat": text }), []).cpu).toMatchObject({
      total: 12_000n,
      user: 7000n,
      kernel: 5000n,
      periods: 3n,
      throttledPeriods: 2n,
      throttledTime: 9000n,
    });
  });

  it("io: v1's tables, a device without counters, and two of them on one line", () => {
    const text = `254:0
7:0 8:16 rbytes=90112 wbytes=299008000 rios=6 wios=14592 dbytes=0 dios=0
8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6 cost.usage=7
`;
    const { tables } = statsOfV2(filesOf({ ...V2, "io.stat": text }), []).blkio;
    const entry = (minor: bigint, op: string, value: bigint) => ({ major: 8n, minor, op, value });
    expect([...tables]).toEqual([
      [
        "ioServiceBytesRecursive",
        [entry(16n, "Read", 90112n), entry(16n, "Write", 299008000n), entry(0n, "Read", 1n), entry(0n, "Write", 2n)],
      ],
      [
        "ioServicedRecursive",
        [entry(16n, "Read", 6n), entry(16n, "Write", 14592n), entry(0n, "Read", 3n), entry(0n, "Write", 4n)],
      ],
    ]);
  });

  it("hugetlb: reservations where the kernel counts them, and how often the limit was hit", () => {
    const events = { "hugetlb.2MB.events": "max 4\n" };
    const current = { ...V2, ...events, "hugetlb.2MB.current": "2097152\n" };
    const wanted = { usage: 2097152n, max: 0n, failcnt: 4n };
    expect(statsOfV2(filesOf(current), ["2MB"]).hugetlb).toEqual(new Map([["2MB", wanted]]));
    const reserved = { ...current, "hugetlb.2MB.rsvd.current": "0\n" };
    expect(statsOfV2(filesOf(reserved), ["2MB"]).hugetlb.get("2MB")?.usage).toBe(0n);
  });

  it("pressure of memory, I/O and CPU", () => {
    const line = (total: number) => `some avg10=0.00 avg60=0.00 avg300=0.00 total=${total}\n`;
    const files = { ...V2, "memory.pressure": line(1), "io.pressure": line(2), "cpu.pressure": line(3) };
    const { memory, blkio, cpu } = statsOfV2(filesOf(files), []);
    expect([memory, blkio, cpu].map(({ psi }) => psi?.some.total)).toEqual([1n, 2n, 3n]);
  });
});
