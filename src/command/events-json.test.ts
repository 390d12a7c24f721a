import { describe, expect, it } from "vitest";
import { emptyStats, noMemory } from "../cgroup/stats.ts";
import { writeJson } from "../json/write.ts";
import { statsJson } from "./events-json.ts";

const ZERO_MEMORY = '{"limit":0,"failcnt":0}';

describe("statsJson", () => {
  it("of nothing has runc's fields that are never left out, in runc's order", () => {
    expect(writeJson(statsJson(emptyStats()))).toBe(
      `{"cpu":{"usage":{"kernel":0,"user":0},"throttling":{}},` +
        `"cpuset":{"cpu_exclusive":0,"mem_hardwall":0,"mem_exclusive":0,"memory_migrate":0,"memory_spread_page":0,` +
        `"memory_spread_slab":0,"memory_pressure":0,"sched_load_balance":0,"sched_relax_domain_level":0},` +
        `"memory":{"usage":${ZERO_MEMORY},"swap":${ZERO_MEMORY},"kernel":${ZERO_MEMORY},"kernelTCP":${ZERO_MEMORY}},` +
        `"pids":{},"blkio":{},"hugetlb":{},"intel_rdt":{},"network_interfaces":null}`,
    );
  });

  it("has all 64 bits of every number", () => {
    const stats = emptyStats();
    stats.memory.usage = { ...noMemory(), limit: 18446744073709551615n, usage: 9223372036854771712n };
    stats.memory.raw = new Map([["hierarchical_memory_limit", 9007199254740993n]]);
    const text = writeJson(statsJson(stats));
    expect(text).toContain('"usage":{"limit":18446744073709551615,"usage":9223372036854771712,"failcnt":0}');
    expect(text).toContain('"raw":{"hierarchical_memory_limit":9007199254740993}');
  });

  it("sorts raw memory statistics and page sizes by name", () => {
    const stats = emptyStats();
    stats.memory.raw = new Map([
      ["b", 1n],
      ["__proto__", 2n],
      ["a", 0n],
    ]);
    stats.hugetlb = new Map([
      ["2MB", { usage: 0n, max: 0n, failcnt: 0n }],
      ["1GB", { usage: 1n, max: 2n, failcnt: 3n }],
    ]);
    const text = writeJson(statsJson(stats));
    expect(text).toContain('"raw":{"__proto__":2,"a":0,"b":1}');
    expect(text).toContain('"hugetlb":{"1GB":{"usage":1,"max":2,"failcnt":3},"2MB":{"failcnt":0}}');
  });

  it("leaves out zeros of a block I/O entry, and tables without entries", () => {
    const stats = emptyStats();
    stats.blkio.tables.set("sectorsRecursive", [{ major: 8n, minor: 0n, op: "", value: 0n }]);
    stats.blkio.tables.set("ioServicedRecursive", [{ major: 0n, minor: 1n, op: "Read", value: 5n }]);
    expect(writeJson(statsJson(stats))).toContain(
      '"blkio":{"ioServicedRecursive":[{"minor":1,"op":"Read","value":5}],"sectorsRecursive":[{"major":8}]}',
    );
  });

  it("has pressure behind everything else, zeros included", () => {
    const stats = emptyStats();
    const line = { avg10: 0.1, avg60: 1, avg300: 12.34, total: 18446744073709551615n };
    stats.cpu.psi = { some: line, full: { avg10: 0, avg60: 0, avg300: 0, total: 0n } };
    expect(writeJson(statsJson(stats))).toContain(
      '"throttling":{},"psi":{"some":{"avg10":0.1,"avg60":1,"avg300":12.34,"total":18446744073709551615},' +
        '"full":{"avg10":0,"avg60":0,"avg300":0,"total":0}}}',
    );
  });
});
