import { describe, expect, it } from "vitest";
import { RuntimeError } from "../errors/runtime-error.ts";
import { MemoryNative } from "./memory-native.ts";
import { decodeRecords, encodeRecord } from "./records.ts";
import type { StateInput } from "./state.ts";
import { statusOf } from "./status.ts";
import { claimRemoval, type Loaded, openFolder, openState, reserveState, type StateHandle } from "./store.ts";

const INPUT: StateInput = {
  id: "c1",
  bundle: "/b",
  rootfs: "/b/rootfs",
  ociVersion: "1.3.0",
  annotations: new Map([
    ["b", "2"],
    ["__proto__", "x"],
    ["10", "\u{dc80}"],
  ]),
  cgroups: [],
  privatePid: true,
  hooks: { poststart: [], poststop: [] },
  rootless: false,
};

function memoryWithCreator(): MemoryNative {
  const memory = new MemoryNative();
  memory.file("/proc/self/stat", `100 (berth) S ${"0 ".repeat(18)}55 0\n`);
  memory.process(100, 55);
  return memory;
}

const stateFile = "/run/berth/c1/state.json";

/** A whole first record. */
const FIRST = { ...INPUT, annotations: [["a", "b"]], creator: { pid: 5, startTime: 3 }, uid: 0 };

describe("records", () => {
  it("are merged in order; a last line without newline is not there", () => {
    const first = encodeRecord(FIRST);
    const whole = first + encodeRecord({ init: { pid: 7, startTime: 1 } });
    expect(decodeRecords(`${whole}{"created":"t"}`)).toEqual({ ...FIRST, init: { pid: 7, startTime: 1 } });
    expect(decodeRecords(`${whole}{"created":"t"}\n`)).toMatchObject({ created: "t" });
    for (let cut = 0; cut < whole.length; cut++) {
      const seen = decodeRecords(whole.slice(0, cut));
      expect(seen === undefined).toBe(cut < first.length);
    }
  });

  it("that lack something, or have it of another type, are damage", () => {
    const wrong = { creator: { pid: "../..", startTime: 1 }, init: { pid: 7 }, cgroups: [5], annotations: [5] };
    for (const [name, value] of Object.entries({ ...wrong, hooks: { poststart: [] }, bundle: null })) {
      expect(() => decodeRecords(encodeRecord({ ...FIRST, [name]: value })), name).toThrow(/damaged/);
    }
    for (const name of ["id", "bundle", "rootfs", "ociVersion", "annotations", "cgroups", "hooks", "creator"]) {
      expect(() => decodeRecords(encodeRecord({ ...FIRST, [name]: undefined })), name).toThrow(/damaged/);
    }
  });

  it("that are complete and no object are damage", () => {
    for (const text of ["x\n", "[]\n", "null\n", "{}\n", '{"id":1}\n', '{"id":"x"}\n\n', '{"id":"x"}\n{"a":\n']) {
      expect(() => decodeRecords(text)).toThrow(/damaged/);
    }
  });
});

function begun(memory: MemoryNative, input: StateInput = INPUT): StateHandle {
  const handle = reserveState(memory.native, "/run/berth", "c1");
  handle.begin(input);
  return handle;
}

describe("the state folder", () => {
  it("holds what was given, in files that read back without loss", () => {
    const memory = memoryWithCreator();
    const handle = begun(memory);
    handle.appendInit(7, 99);
    handle.appendCreated({ created: "2026-01-01T00:00:00Z" });
    const { state } = openState(memory.native, "/run/berth", "c1");
    expect(state).toMatchObject({
      id: "c1",
      bundle: "/b",
      creator: { pid: 100, startTime: 55 },
      uid: 0,
      init: { pid: 7, startTime: 99 },
      created: "2026-01-01T00:00:00Z",
    });
    expect(state.annotations).toEqual([
      ["10", "\u{dc80}"],
      ["__proto__", "x"],
      ["b", "2"],
    ]);
    expect((memory.tree.get(stateFile) as string).split("\n").length).toBe(4);
  });

  it("gets no record that could not be read again", () => {
    const memory = memoryWithCreator();
    const annotations = new Map([["a", "\u{dcff}".repeat(3 << 20)]]);
    expect(() => begun(memory, { ...INPUT, annotations })).toThrow(RuntimeError);
    expect(memory.tree.has(stateFile)).toBe(false);
  });

  it("is reserved once, and an id in use is left as it is", () => {
    const memory = memoryWithCreator();
    begun(memory);
    const before = memory.tree.get(stateFile);
    expect(() => begun(memory)).toThrow("container with given ID already exists");
    expect(memory.tree.get(stateFile)).toBe(before);
  });

  it("that a delete has taken away makes the next append fail, and is not made again", () => {
    const memory = memoryWithCreator();
    const handle = begun(memory);
    const folder = openFolder(memory.native, "/run/berth", "c1") as Loaded;
    expect(claimRemoval(memory.native, folder)).toBe(true);
    expect(claimRemoval(memory.native, folder)).toBe(false);
    expect(() => handle.appendInit(7, 1)).toThrow(/deleted while/);
    expect(memory.tree.has(stateFile)).toBe(false);
  });

  it("that a delete has taken away before anything was recorded gets no record", () => {
    const memory = memoryWithCreator();
    const handle = reserveState(memory.native, "/run/berth", "c1");
    memory.tree.delete("/run/berth/c1");
    expect(() => handle.begin(INPUT)).toThrow(/deleted while/);
    expect(memory.tree.has(stateFile)).toBe(false);
    expect(() => handle.record).toThrow(RangeError);
  });

  it("is removed with everything in it, and removing it again is fine", () => {
    const memory = memoryWithCreator();
    const handle = begun(memory);
    memory.file("/run/berth/c1/exec.fifo", "");
    memory.file("/run/berth/c1/notify/sock", "");
    handle.remove();
    handle.remove();
    expect([...memory.tree.keys()].filter((path) => path.includes("c1"))).toEqual([]);
  });

  it("that does not exist, is empty, or has a torn first record is no container", () => {
    const memory = new MemoryNative();
    memory.folder("/run/berth/empty");
    memory.file("/run/berth/torn/state.json", '{"id":"torn"');
    for (const id of ["none", "empty", "torn"]) {
      expect(() => openState(memory.native, "/run/berth", id)).toThrow("container does not exist");
    }
    expect(openFolder(memory.native, "/run/berth", "none")).toBeUndefined();
    expect(openFolder(memory.native, "/run/berth", "torn")).toMatchObject({ path: "/run/berth/torn" });
    expect(() => openState(memory.native, "/run/berth", "..")).toThrow(/invalid container ID/);
  });
});

describe("the status", () => {
  it("follows records, processes, fifo and freezer", () => {
    const memory = memoryWithCreator();
    const handle = begun(memory, { ...INPUT, cgroups: ["/sys/fs/cgroup/freezer/c1"] });
    const status = () => {
      const { dir, state } = openState(memory.native, "/run/berth", "c1");
      return statusOf(memory.native, dir, state);
    };
    expect(status()).toBe("creating");
    handle.appendInit(7, 99);
    memory.process(7, 99);
    expect(status()).toBe("creating");
    memory.end(100);
    expect(status()).toBe("creating"); // init has not learned yet that the creator died
    memory.file("/run/berth/c1/exec.fifo", "");
    handle.appendCreated({ created: "2026-01-01T00:00:00Z" });
    expect(status()).toBe("created");
    memory.tree.delete("/run/berth/c1/exec.fifo");
    expect(status()).toBe("running");
    memory.process(7, 100);
    expect(status()).toBe("stopped"); // somebody else has the pid now
    memory.process(7, 99, "Z");
    expect(status()).toBe("stopped");
  });

  it("of a create that was killed is stopped", () => {
    const memory = memoryWithCreator();
    begun(memory);
    memory.end(100);
    const { dir, state } = openState(memory.native, "/run/berth", "c1");
    expect(statusOf(memory.native, dir, state)).toBe("stopped");
  });
});
