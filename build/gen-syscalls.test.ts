import { describe, expect, it } from "vitest";
import { mergeTables, nameList, parseHeader, writeRuns } from "./gen-syscalls.ts";

describe("gen-syscalls", () => {
  it("reads plain numbers, numbers above a base, second names and arm's private calls, and no counts", () => {
    const text = [
      "#define __NR_read 0",
      "#define __NR_write (__NR_Linux + 4)",
      "#define __NR_put\t\t__NR_write",
      "#define __ARM_NR_cacheflush\t\t(__ARM_NR_BASE+2)",
      "#define __NR_syscalls 470",
      "#define __NR_SYSCALL_BASE 0x900000",
    ].join("\n");
    expect([...parseHeader(text)]).toEqual([
      ["read", 0],
      ["write", 4],
      ["put", 4],
      ["cacheflush", 0x0f0002],
    ]);
  });

  it("merges kernels, and finds a number that has changed", () => {
    const many = new Map(Array.from({ length: 250 }, (_, i) => [`call${i}`, i]));
    expect(mergeTables("x", [many, new Map([["new", 300]])]).size).toBe(251);
    expect(() => mergeTables("x", [many, new Map([["call1", 2]])])).toThrow("call1 has two numbers");
    expect(() => mergeTables("x", [new Map()])).toThrow("only 0 system calls");
  });

  it("writes runs in the order of the names", () => {
    const tables = new Map([
      [
        "x86_64",
        new Map([
          ["b", 0],
          ["a", 1],
          ["d", 5],
        ]),
      ],
      [
        "other",
        new Map([
          ["a", 7],
          ["c", 8],
        ]),
      ],
    ] as const);
    const names = nameList(tables);
    expect(names).toEqual(["b", "a", "d", "c"]);
    expect([...tables.values()].map((table) => writeRuns(names, table))).toEqual(["0+2 5", "-1 7 -1 8"]);
  });
});
