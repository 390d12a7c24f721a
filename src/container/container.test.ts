import { describe, expect, it } from "vitest";
import { checkId } from "./id.ts";
import { isAlive, openProcess, parseStat } from "./liveness.ts";
import { MemoryNative, statLine } from "./memory-native.ts";
import { absoluteRoot, clean, defaultRoot, rightsOf } from "./root.ts";
import { startOps } from "./start-ops.ts";
import { formatTime } from "./time.ts";

describe("container ids", () => {
  it.each(["a", "A-Z_0.9+", "...", ".a", "-", "x".repeat(1024)])("may be %s", (id) => {
    expect(() => checkId(id)).not.toThrow();
  });

  it.each(["", ".", "..", "a/b", "a b", "a\n", "é", "a\u{dc80}", "x".repeat(1025)])("may not be %j", (id) => {
    expect(() => checkId(id)).toThrow(/container (id cannot be empty|ID format)/i);
  });
});

describe("RFC 3339 time", () => {
  it.each([
    [0, 0],
    [951782400, 0],
    [1709164799, 999999999],
    [1709251200, 120000000],
    [4102444800, 1],
    [68256000000, 0],
  ])("of %d s and %d ns is what Date prints", (seconds, nanoseconds) => {
    const text = formatTime(seconds, nanoseconds);
    expect(text.slice(0, 19)).toBe(new Date(seconds * 1000).toISOString().slice(0, 19));
    expect(Date.parse(text)).toBe(seconds * 1000 + Math.floor(nanoseconds / 1e6));
  });

  it("agrees with Date on every day of 600 years", () => {
    for (let day = -36525; day < 182625; day++) {
      if (formatTime(day * 86400) !== `${new Date(day * 86400000).toISOString().slice(0, 19)}Z`)
        throw new Error(String(day));
    }
  });

  it("drops trailing zeros of the fraction", () => {
    expect(formatTime(0, 120000000)).toBe("1970-01-01T00:00:00.12Z");
    expect(formatTime(0, 1)).toBe("1970-01-01T00:00:00.000000001Z");
  });
});

describe("liveness", () => {
  it("reads fields behind the last parenthesis, whatever the name holds", () => {
    for (const name of ["sh", "a b", "x) R 1 2 3", ")", "(((", ") Z 9 9 9 9 9 9 9 9 9 9 9 9 9 9 9 9 9 9 9 7"]) {
      expect(parseStat(statLine(5, name, "S", 4242))).toEqual({ state: "S", startTime: 4242 });
    }
  });

  it("takes no garbage for a process", () => {
    for (const text of [
      "",
      "5",
      "5 (sh)",
      "5 (sh) S",
      "5 (sh) S 1 2 3",
      statLine(1, "x", "S", 0).replaceAll("0", "x"),
    ]) {
      expect(parseStat(text)).toBeUndefined();
    }
  });

  it("is pid, start time, and not a zombie", () => {
    const memory = new MemoryNative();
    memory.process(7, 1000);
    memory.process(8, 1000, "Z");
    memory.process(9, 1000, "X");
    const { native } = memory;
    expect([7, 8, 9, 10].map((pid) => isAlive(native, pid, 1000))).toEqual([true, false, false, false]);
    expect(isAlive(native, 7, 1001)).toBe(false);
    expect(openProcess(native, 7, 1001)).toBeUndefined();
    expect(openProcess(native, 7, 1000)).toBeGreaterThan(0);
  });
});

describe("the state root", () => {
  it.each([
    ["/a//b/./c/../d/", "/a/b/d"],
    ["/../..", "/"],
    ["/", "/"],
  ])("%s is cleaned to %s", (path, expected) => {
    expect(clean(path)).toBe(expected);
  });

  it("is made absolute from the current folder and may not be /", () => {
    const { native } = new MemoryNative();
    expect(absoluteRoot(native, "x/../y")).toBe("/srv/y");
    expect(absoluteRoot(native, "")).toBe("/srv");
    for (const root of ["/", "..", "/..", "//", "../.."])
      expect(() => absoluteRoot(native, root)).toThrow(/must not be/);
  });

  it("is /run/berth for root, and below XDG_RUNTIME_DIR for others", () => {
    const memory = new MemoryNative();
    memory.file("/proc/self/uid_map", "         0          0 4294967295\n");
    memory.folder("/run/user/1000");
    memory.environment = ["XDG_RUNTIME_DIR=/run/user/1000"];
    expect(defaultRoot(memory.native)).toBe("/run/berth");
    memory.euid = 1000;
    expect(defaultRoot(memory.native)).toBe("/run/user/1000/berth");
    memory.euid = 0;
    memory.file("/proc/self/uid_map", "0 1000 1\n");
    expect(defaultRoot(memory.native)).toBe("/run/user/1000/berth");
    memory.environment.push("USER=root");
    expect(defaultRoot(memory.native)).toBe("/run/berth");
  });

  it.each([
    [0, "0 0 4294967295", "auto", false, false, false],
    [0, "0 0 4294967295", true, true, false, false],
    [0, "0 1000 1", "auto", true, true, false],
    [0, "0 1000 1", false, false, true, false],
    [1000, "0 0 4294967295", "auto", true, false, true],
    [1000, "0 0 4294967295", false, false, false, true],
  ] as const)(
    "euid %d with the map %j and --rootless %s",
    (euid, map, option, rootless, userNamespace, unprivileged) => {
      const memory = new MemoryNative();
      memory.file("/proc/self/uid_map", `${map}\n`);
      memory.euid = euid;
      expect(rightsOf(memory.native, option)).toEqual({ rootless, userNamespace, unprivileged });
    },
  );
});

describe("the ops that start releases", () => {
  const words = Uint32Array.of(1 | (1 << 16), 0, 28 | (1 << 16), 3, 5, 6 | (2 << 16), 7, 8);
  const origins = [{ pointer: "/a" }, { pointer: "/b" }, { pointer: "/c" }, { pointer: "/d", subject: "s" }];

  it("are those behind the one that waits", () => {
    expect(startOps({ words, strings: [], origins, waitStart: { op: 1, word: 2 } })).toEqual({
      first: 2,
      ops: [
        [5, "/c", ""],
        [6, "/d", "s"],
      ],
    });
  });

  it("are none where nothing waits", () => {
    expect(startOps({ words, strings: [], origins })).toEqual({ first: 4, ops: [] });
  });
});
