import { describe, expect, it } from "vitest";
import { Options } from "../cli/reading.ts";
import { COMMANDS, type Flag } from "../cli/table.ts";
import { MemoryNative } from "../container/memory-native.ts";
import { encodeRecord } from "../container/records.ts";
import type { Context } from "./command.ts";
import { deleteContainer } from "./delete.ts";
import { kill } from "./kill.ts";
import { list } from "./list.ts";
import { start } from "./start.ts";
import { state } from "./state.ts";
import { tableText } from "./table-text.ts";

function context(
  memory: MemoryNative,
  name: string,
  args: string[],
  given: Record<string, string | boolean> = {},
): Context {
  const flags: readonly Flag[] = COMMANDS.find((command) => command.name === name)?.flags ?? [];
  return {
    native: memory.native,
    root: "/run/berth",
    rootGiven: true,
    rootless: "auto",
    systemd: false,
    options: new Options(flags, new Map(Object.entries(given))),
    args,
  };
}

function memoryWith(id: string, more: object = {}): MemoryNative {
  const memory = new MemoryNative();
  memory.file(
    `/run/berth/${id}/state.json`,
    encodeRecord({
      id,
      bundle: `/bundles/${id}`,
      rootfs: `/bundles/${id}/rootfs`,
      ociVersion: "1.3.0",
      annotations: [],
      cgroups: [],
      privatePid: true,
      hooks: { poststart: [], poststop: [] },
      creator: { pid: 100, startTime: 1 },
      uid: 0,
      rootless: false,
      init: { pid: 7, startTime: 99 },
      created: "2026-11-22T03:10:11.705137138Z",
      ...more,
    }),
  );
  memory.process(7, 99);
  memory.file("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\nbad\nuser:x:1000:1000::/:/bin/sh\n");
  return memory;
}

describe("state", () => {
  it("prints runc's fields in runc's order, indented by 2, without a newline at the end", () => {
    expect(state(context(memoryWith("c1"), "state", ["c1"])).stdout).toBe(`{
  "ociVersion": "1.3.0",
  "id": "c1",
  "pid": 7,
  "status": "running",
  "bundle": "/bundles/c1",
  "rootfs": "/bundles/c1/rootfs",
  "created": "2026-11-22T03:10:11.705137138Z",
  "owner": ""
}`);
  });

  it("prints annotations in order of their keys, whatever the keys are", () => {
    const annotations = [
      ["10", "a"],
      ["9", "b"],
      ["__proto__", "c"],
    ];
    const { stdout } = state(context(memoryWith("c1", { annotations }), "state", ["c1"]));
    expect(stdout).toContain('"annotations": {\n    "10": "a",\n    "9": "b",\n    "__proto__": "c"\n  },\n  "owner"');
  });

  it("has pid 0 when init has ended, and Go's zero time while there is no creation time", () => {
    const memory = memoryWith("c1");
    memory.end(7);
    expect(JSON.parse(state(context(memory, "state", ["c1"])).stdout ?? "")).toMatchObject({
      pid: 0,
      status: "stopped",
    });
    const creating = memoryWith("c1", { created: undefined });
    expect(JSON.parse(state(context(creating, "state", ["c1"])).stdout ?? "")).toMatchObject({
      pid: 7,
      status: "creating",
      created: "0001-01-01T00:00:00Z",
    });
  });
});

describe("list", () => {
  it("prints a table with columns of at least 12 and 3 spaces between", () => {
    expect(list(context(memoryWith("q1"), "list", [])).stdout).toBe(
      "ID          PID         STATUS      BUNDLE        CREATED                          OWNER\n" +
        "q1          7           running     /bundles/q1   2026-11-22T03:10:11.705137138Z   root\n",
    );
    expect(tableText([["ID", "B"]])).toBe("ID          B\n");
  });

  it("prints JSON on one line, with the owner's name or number, and null when there is none", () => {
    const memory = memoryWith("q1");
    memory.owner = 1234;
    expect(list(context(memory, "list", [], { format: "json" })).stdout).toBe(
      '[{"ociVersion":"1.3.0","id":"q1","pid":7,"status":"running","bundle":"/bundles/q1","rootfs":"/bundles/q1/rootfs",' +
        '"created":"2026-11-22T03:10:11.705137138Z","owner":"#1234"}]\n',
    );
    const empty = new MemoryNative();
    empty.folder("/run/berth");
    expect(list(context(empty, "list", [], { format: "json" })).stdout).toBe("null\n");
  });

  it("skips folders that are no containers with a line on stderr, and files silently", () => {
    const memory = memoryWith("q1");
    memory.folder("/run/berth/half");
    memory.file("/run/berth/file", "");
    memory.file("/run/berth/bad/state.json", "{\n");
    const outcome = list(context(memory, "list", [], { quiet: true }));
    expect(outcome.stdout).toBe("q1\n");
    expect(outcome.stderr?.split("\n").length).toBe(3);
    expect(outcome.stderr).toMatch(/"bad".*damaged[\s\S]*"half".*does not exist/);
  });

  it("of a root that does not exist is empty, unless that root was asked for", () => {
    const given = context(new MemoryNative(), "list", []);
    expect(() => list(given)).toThrow();
    expect(list({ ...given, rootGiven: false }).stdout).toMatch(/^ID .*\n$/);
  });

  it("knows two formats", () => {
    expect(() => list(context(memoryWith("q1"), "list", [], { format: "xml" }))).toThrow("invalid format option");
  });
});

describe("kill", () => {
  it.each([
    [[], 15],
    [[""], 15],
    [["9"], 9],
    [["kill"], 9],
    [["SIGUSR1"], 10],
    [["0"], 0],
  ])("%j sends signal %d", (words, signal) => {
    const memory = memoryWith("c1");
    kill(context(memory, "kill", ["c1", ...words]));
    expect(memory.sent).toEqual([`7 ${signal}`]);
  });

  it("refuses what is no signal", () => {
    for (const word of ["BADSIG", "5x", " 9"]) {
      expect(() => kill(context(memoryWith("c1"), "kill", ["c1", word]))).toThrow(`unknown signal "${word}"`);
    }
    for (const word of ["99", "-5", "65"]) {
      expect(() => kill(context(memoryWith("c1"), "kill", ["c1", word]))).toThrow("unable to signal init");
    }
  });

  it("never signals somebody else who has init's number; --all makes that no error", () => {
    const memory = memoryWith("c1");
    memory.process(7, 100);
    expect(() => kill(context(memory, "kill", ["c1"]))).toThrow("container not running");
    kill(context(memory, "kill", ["c1", "KILL"], { all: true }));
    expect(memory.sent).toEqual([]);
  });

  it("does not act on a state folder of another user", () => {
    const memory = memoryWith("c1");
    memory.owner = 1000;
    expect(() => kill(context(memory, "kill", ["c1"]))).toThrow(/belongs to uid 1000/);
    expect(() => start(context(memory, "start", ["c1"]))).toThrow(/belongs to uid 1000/);
    expect(() => deleteContainer(context(memory, "delete", ["c1"], { force: true }))).toThrow(/belongs to uid 1000/);
  });
});

describe("start", () => {
  it("refuses a container that is not created, in runc's words", () => {
    const memory = memoryWith("c1");
    expect(() => start(context(memory, "start", ["c1"]))).toThrow("cannot start an already running container");
    memory.end(7);
    expect(() => start(context(memory, "start", ["c1"]))).toThrow("cannot start a container that has stopped");
  });
});

describe("delete", () => {
  it("refuses a running container, and kills it with --force", () => {
    const memory = memoryWith("c1");
    expect(() => deleteContainer(context(memory, "delete", ["c1"]))).toThrow(
      "cannot delete container c1 that is not stopped: running",
    );
    deleteContainer(context(memory, "delete", ["c1"], { force: true }));
    expect(memory.sent).toEqual(["7 9"]);
    expect(memory.tree.has("/run/berth/c1")).toBe(false);
  });

  it("of a stopped or created container needs no --force", () => {
    const stopped = memoryWith("c1");
    stopped.end(7);
    deleteContainer(context(stopped, "delete", ["c1"]));
    expect(stopped.tree.has("/run/berth/c1")).toBe(false);
    const created = memoryWith("c1");
    created.file("/run/berth/c1/exec.fifo", "");
    deleteContainer(context(created, "delete", ["c1"]));
    expect(created.sent).toEqual(["7 9"]);
  });

  it("removes a half-made folder and says that there is no container; with --force that is success", () => {
    const memory = new MemoryNative();
    memory.folder("/run/berth/half");
    expect(() => deleteContainer(context(memory, "delete", ["half"]))).toThrow("container does not exist");
    expect(memory.tree.has("/run/berth/half")).toBe(false);
    expect(deleteContainer(context(memory, "delete", ["half"], { force: true }))).toEqual({});
  });

  it("removes a folder with a damaged state only with --force", () => {
    const memory = new MemoryNative();
    memory.file("/run/berth/bad/state.json", "{\n");
    expect(() => deleteContainer(context(memory, "delete", ["bad"]))).toThrow(/damaged/);
    expect(memory.tree.has("/run/berth/bad")).toBe(true);
    deleteContainer(context(memory, "delete", ["bad"], { force: true }));
    expect(memory.tree.has("/run/berth/bad")).toBe(false);
  });

  it("asks a create that hangs to end, then takes it over: kills its init and removes all", () => {
    const memory = memoryWith("c1", { created: undefined });
    memory.process(100, 1);
    expect(() => deleteContainer(context(memory, "delete", ["c1"]))).toThrow(/not stopped: creating/);
    deleteContainer(context(memory, "delete", ["c1"], { force: true }));
    expect(memory.sent).toEqual(["100 15", "7 9"]);
    expect(memory.tree.has("/run/berth/c1")).toBe(false);
  });
});
