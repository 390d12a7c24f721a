import { describe, expect, it } from "vitest";
import type { CgroupFacts } from "../host/facts.ts";
import type { Native } from "../host/native.gen.ts";
import { type Leaves, openLeaves } from "./cgroup-leaves.ts";
import { watchOom } from "./oom.ts";

const ENOENT = 2;
const EAGAIN = 11;
const EISDIR = 21;
const CGROUP_SUPER_MAGIC = 0x27e0eb;
const LEAF = "/sys/fs/cgroup/memory/c1";
const V1: CgroupFacts = {
  mode: "v1",
  hierarchies: [{ name: "memory", mountpoint: "/sys/fs/cgroup/memory", own: "/" }],
};
const V2: CgroupFacts = {
  mode: "v2",
  hierarchies: [],
  unified: { mountpoint: "/sys/fs/cgroup/memory", own: "/" },
};

/** One cgroup with these files, and an eventfd that gives these counts, one a read. */
class Kernel {
  readonly files = new Map<string, string>();
  counts: (number | undefined)[] = [];
  removed = false;
  written = "";
  #open = new Map<number, string>();
  #next = 3;

  get native(): Native {
    const calls: Partial<Native> = {
      open_in_root: () => this.#opened("/"),
      statfs_type: () => CGROUP_SUPER_MAGIC,
      open: (_dir, path) => (path === "c1" || (!this.removed && this.files.has(path)) ? this.#opened(path) : -ENOENT),
      close: (fd) => (this.#open.delete(fd) ? 0 : -9),
      stat: () => (this.removed ? -ENOENT : []),
      read_file: (_dir, path) => (this.removed ? -ENOENT : (this.files.get(path) ?? -ENOENT)),
      eventfd: () => this.#opened("eventfd"),
      write_file: (_dir, path, _flags, _mode, data) => {
        this.written = `${path}: ${data}`;
        return 0;
      },
      read: () => {
        const count = this.counts.shift();
        return count === undefined ? -EAGAIN : `${String.fromCharCode(count)}${"\0".repeat(7)}`;
      },
      poll: () => [0],
    };
    return calls as Native;
  }

  get descriptors(): number {
    return this.#open.size;
  }

  leaves(facts: CgroupFacts): Leaves {
    return openLeaves(this.native, [LEAF], facts);
  }

  #opened(path: string): number {
    this.#open.set(this.#next, path);
    return this.#next++;
  }
}

describe("v1", () => {
  const watching = (): [Kernel, ReturnType<typeof watchOom>] => {
    const kernel = new Kernel();
    kernel.files.set("memory.oom_control", "");
    return [kernel, watchOom(kernel.native, kernel.leaves(V1))];
  };

  it("registers the eventfd and the file", () => {
    const [kernel, watch] = watching();
    expect(kernel.written).toMatch(new RegExp(`^cgroup.event_control: ${watch.fd} \\d+$`));
  });

  it("a signal is an OOM", () => {
    const [kernel, watch] = watching();
    expect(watch.happened()).toBe(false);
    kernel.counts = [1];
    expect(watch.happened()).toBe(true);
    expect(watch.happened()).toBe(false);
  });

  it("the signal of the removal alone is none", () => {
    const [kernel, watch] = watching();
    kernel.removed = true;
    kernel.counts = [1];
    expect(watch.happened()).toBe(false);
    expect(watch.isOver()).toBe(true);
  });

  it.each([[[2]], [[1, 1]]])("a signal beside that of the removal is one: %j", (counts) => {
    const [kernel, watch] = watching();
    kernel.removed = true;
    kernel.counts = counts;
    expect(watch.happened()).toBe(true);
  });
});

describe("v2", () => {
  const watching = (): [Kernel, ReturnType<typeof watchOom>] => {
    const kernel = new Kernel();
    kernel.files.set("memory.events", "max 9\noom 3\noom_kill 2\n");
    return [kernel, watchOom(kernel.native, kernel.leaves(V2))];
  };

  it("kills from before do not count, later ones do, other changes do not", () => {
    const [kernel, watch] = watching();
    expect(watch.happened()).toBe(false);
    kernel.files.set("memory.events", "max 99\noom 4\noom_kill 2\n");
    expect(watch.happened()).toBe(false);
    kernel.files.set("memory.events", "max 99\noom 5\noom_kill 4\n");
    expect(watch.happened()).toBe(true);
    expect(watch.happened()).toBe(false);
  });

  it("keeps no descriptor from before", () => {
    const [kernel, watch] = watching();
    const before = kernel.descriptors;
    for (let i = 0; i < 10; i++) watch.happened();
    expect(kernel.descriptors).toBe(before);
  });

  it("a cgroup that is gone tells nothing", () => {
    const [kernel, watch] = watching();
    kernel.removed = true;
    expect(watch.happened()).toBe(false);
    expect(watch.isOver()).toBe(true);
  });
});

describe("without a memory controller", () => {
  it("there is nothing to watch", () => {
    const kernel = new Kernel();
    expect(() => watchOom(kernel.native, kernel.leaves(V2))).toThrow("memory controller missing");
  });

  it("a folder that the container has made in place of a file is no file", () => {
    const kernel = new Kernel();
    const native = { ...kernel.native, read_file: () => -EISDIR } as Native;
    expect(() => watchOom(native, openLeaves(native, [LEAF], V2))).toThrow("memory controller missing");
  });
});
