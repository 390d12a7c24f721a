import { describe, expect, it } from "vitest";
import { RuntimeError } from "../../errors/runtime-error.ts";
import type { Native } from "../../host/native.gen.ts";
import type { RuntimeStep } from "../../plan/plan.ts";
import { enableControllers, writeCgroupFile } from "./cgroups.ts";
import type { Step } from "./creation.ts";

const ENOENT = -2;
const EBUSY = -16;
const EINVAL = -22;

type Write = Step<"write cgroup file">;
type Options = Partial<Omit<Write, "step" | "path" | "file" | "data" | "origin">>;

const write = (file: string, data: string, options: Options = {}): Write => ({
  step: "write cgroup file",
  path: "/c",
  file,
  data,
  ...options,
  origin: { pointer: `/${file}` },
});

/** Files that are there, with what they hold; `refuse` answers a write with -errno. */
function fake(files: Record<string, string>, refuse: (file: string, data: string) => number = () => 0) {
  const log: string[] = [];
  const open: string[] = [];
  const names: string[] = [];
  const set = (path: string, data: string): number => {
    if (files[path] === undefined) return ENOENT;
    const refused = refuse(path, data);
    log.push(`${path}=${data}${refused < 0 ? " refused" : ""}`);
    return refused;
  };
  const at = (dir: number, path: string): string => (dir >= 0 ? `${names[dir]}/${path}` : path);
  const native = {
    open: (dir: number, path: string) => {
      const name = at(dir, path);
      if (files[name] === undefined) return ENOENT;
      open.push(name);
      return names.push(name) - 1;
    },
    close: (fd: number) => {
      open.splice(open.indexOf(names[fd] as string), 1);
      return 0;
    },
    write: (fd: number, data: string) => set(names[fd] as string, data),
    read: (fd: number) => files[names[fd] as string] ?? ENOENT,
    read_file: (dir: number, path: string) => files[at(dir, path)] ?? ENOENT,
    write_file: (_dir: number, path: string, _flags: number, _mode: number, data: string) => set(path, data),
  };
  return { native: native as unknown as Native, log, open };
}

/** Every write in turn, as runSteps does. */
function run(native: Native, steps: readonly RuntimeStep[]): void {
  for (let i = 0; i < steps.length; i++) i = writeCgroupFile(native, steps, i);
}

function failure(call: () => void): string {
  try {
    call();
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    const { message, errno, path, pointer } = error.facts;
    return [message, errno, path, pointer].filter((fact) => fact !== undefined).join(" | ");
  }
  throw new Error("it did not fail");
}

describe("writeCgroupFile", () => {
  it("opens a file once for the writes that follow each other", () => {
    const { native, log, open } = fake({ "/c/a": "", "/c/b": "" });
    const steps = [write("a", "1"), write("a", "2"), write("b", "3")];
    expect(writeCgroupFile(native, steps, 0)).toBe(1);
    expect(writeCgroupFile(native, steps, 2)).toBe(2);
    expect(log).toEqual(["/c/a=1", "/c/a=2", "/c/b=3"]);
    expect(open).toEqual([]);
  });

  it("takes the other file, with its own values, when the first is not there", () => {
    const { native, log, open } = fake({ "/c/io.weight": "" });
    run(native, [
      write("io.bfq.weight", "500", { otherwise: { file: "io.weight", data: "4950" } }),
      write("io.bfq.weight", "8:0 10", { otherwise: { file: "io.weight", data: "8:0 1" } }),
    ]);
    expect(log).toEqual(["/c/io.weight=4950", "/c/io.weight=8:0 1"]);
    expect(open).toEqual([]);
  });

  it("does without an optional file, and not without another", () => {
    const { native, log } = fake({ "/c/a": "" });
    run(native, [write("gone", "1", { optional: true }), write("a", "2")]);
    expect(log).toEqual(["/c/a=2"]);
    expect(failure(() => run(native, [write("gone", "1")]))).toBe('cannot write "1" | 2 | /c/gone | /gone');
    const otherwise = { file: "io.weight", data: "1" };
    expect(failure(() => run(native, [write("io.bfq.weight", "1", { otherwise })]))).toBe(
      "the kernel has neither io.bfq.weight nor io.weight | /c | /io.bfq.weight",
    );
  });

  it("comes back to values that were refused before the one that they must fit", () => {
    let fits = false;
    const { native, log, open } = fake({ "/c/period": "", "/c/burst": "", "/c/quota": "", "/c/next": "" }, (file) => {
      if (file === "/c/quota") fits = true;
      return fits ? 0 : EINVAL;
    });
    const steps = [
      write("period", "1", { retry: true }),
      write("burst", "2", { retry: true }),
      write("quota", "3"),
      write("next", "4"),
    ];
    expect(writeCgroupFile(native, steps, 0)).toBe(2);
    expect(log).toEqual(["/c/period=1 refused", "/c/burst=2 refused", "/c/quota=3", "/c/burst=2", "/c/period=1"]);
    expect(open).toEqual([]);
  });

  it("gives up on a value that is refused again, and on one that fails otherwise", () => {
    const steps = [write("burst", "2", { retry: true }), write("quota", "3")];
    const never = fake({ "/c/burst": "", "/c/quota": "" }, (file) => (file === "/c/burst" ? EINVAL : 0));
    expect(failure(() => run(never.native, steps))).toBe('cannot write "2" | 22 | /c/burst | /burst');
    expect(never.log).toEqual(["/c/burst=2 refused", "/c/quota=3", "/c/burst=2 refused"]);
    const busy = fake({ "/c/burst": "", "/c/quota": "" }, () => EBUSY);
    expect(failure(() => run(busy.native, steps))).toBe('cannot write "2" | 16 | /c/burst | /burst');
    expect(busy.open).toEqual([]);
  });

  it("waits for the share of a removed cgroup, not for ever, and for nothing else", () => {
    const times = (refusals: number, errno = EINVAL) => {
      const waits: number[] = [];
      const { native, log, open } = fake({ "/c/rt": "" }, () => (log.length < refusals ? errno : 0));
      native.poll = (_fds, _events, ms) => waits.push(ms);
      const said =
        refusals < 9 && errno === EINVAL ? "" : failure(() => run(native, [write("rt", "1", { patient: true })]));
      if (said === "") run(native, [write("rt", "1", { patient: true })]);
      expect(open).toEqual([]);
      return { said, waits, writes: log.length };
    };
    expect(times(0)).toEqual({ said: "", waits: [], writes: 1 });
    expect(times(3)).toEqual({ said: "", waits: [1, 2, 4], writes: 4 });
    const never = times(100);
    expect(never).toMatchObject({ said: 'cannot write "1" | 22 | /c/rt | /rt', writes: 10 });
    expect(never.waits.reduce((sum, ms) => sum + ms)).toBe(511);
    expect(times(100, EBUSY)).toMatchObject({ said: 'cannot write "1" | 16 | /c/rt | /rt', waits: [], writes: 1 });
  });

  it.each([
    ["5000\n", true],
    ["4999\n", false],
    ["max\n", false],
    [undefined, false],
  ])("above: %j in use and a limit of 5000", (current, refused) => {
    const files: Record<string, string> = { "/c/memory.max": "", ...(current ? { "/c/memory.current": current } : {}) };
    const { native, log } = fake(files);
    const steps = [write("memory.max", "5000", { above: { file: "memory.current", value: "5000" } })];
    if (!refused) run(native, steps);
    else {
      expect(failure(() => run(native, steps))).toBe(
        "the limit of 5000 bytes is not above the 5000 that are in use | /c/memory.current | /memory.max",
      );
    }
    expect(log).toHaveLength(refused ? 0 : 1);
  });

  it("names the controller that a v2 cgroup lacks, and what is in use of a v1 one", () => {
    const v2 = fake({ "/c/cgroup.controllers": "cpu memory\n" });
    expect(failure(() => run(v2.native, [write("pids.max", "1")]))).toBe(
      'the cgroup controller "pids" is not available | /c | /pids.max',
    );
    expect(failure(() => run(v2.native, [write("memory.nosuch", "1")]))).toContain('cannot write "1" | 2');
    const usage = { "/c/memory.usage_in_bytes": "7\n", "/c/memory.max_usage_in_bytes": "9\n" };
    const v1 = fake({ "/c/memory.limit_in_bytes": "", ...usage }, () => EBUSY);
    expect(failure(() => run(v1.native, [write("memory.limit_in_bytes", "1")]))).toBe(
      'cannot write "1" (in use: 7, at most so far: 9) | 16 | /c/memory.limit_in_bytes | /memory.limit_in_bytes',
    );
  });
});

describe("enableControllers", () => {
  const step: Step<"enable controllers"> = {
    step: "enable controllers",
    path: "/u/a/b",
    mountpoint: "/u",
    controllers: ["pids", "nosuch"],
    pointers: ["/pids", "/nosuch"],
    others: true,
    origin: { pointer: "/" },
  };
  const tree = (leaf: string, a: string): Record<string, string> => ({
    "/u/cgroup.controllers": "cpu io pids\n",
    "/u/cgroup.subtree_control": `${a}\n`,
    "/u/a/cgroup.controllers": `${a}\n`,
    "/u/a/cgroup.subtree_control": `${leaf}\n`,
    "/u/a/b": "",
    "/u/a/b/cgroup.controllers": `${leaf}\n`,
  });
  const enable = (native: Native, changes: Partial<typeof step> = {}): void =>
    enableControllers(native, { old: new Set(), made: [] }, { ...step, ...changes });

  it("writes nothing when the cgroup has all that the top has", () => {
    const { native, log } = fake(tree("cpu io pids", "cpu io pids"));
    enable(native, { controllers: ["pids"] });
    expect(log).toEqual([]);
  });

  it("writes only what is missing, once a folder", () => {
    const { native, log } = fake(tree("cpu", "cpu io pids"));
    enable(native, { controllers: [] });
    expect(log).toEqual(["/u/a/cgroup.subtree_control=+io +pids"]);
  });

  it("asks for what is needed alone where the others are not wanted", () => {
    const { native, log } = fake(tree("cpu", "cpu io pids"));
    expect(failure(() => enable(native, { others: false, controllers: ["pids"] }))).toContain(
      '"pids" is not available',
    );
    expect(log).toEqual(["/u/a/cgroup.subtree_control=+pids"]);
  });

  it("tries one by one what is refused together; only what is needed must be there in the end", () => {
    const { native, log } = fake(tree("pids", "cpu io pids"), (_, data) => (data.includes("+io") ? EBUSY : 0));
    enable(native, { controllers: ["pids"] });
    const file = "/u/a/cgroup.subtree_control";
    expect(log).toEqual([`${file}=+cpu +io refused`, `${file}=+cpu`, `${file}=+io refused`]);
    const needed = fake(tree("cpu", "cpu io pids"), () => EBUSY);
    expect(failure(() => enable(needed.native, { controllers: ["pids"], pointers: ["/pids"] }))).toBe(
      'cannot enable the cgroup controller "pids" | 16 | /u/a/cgroup.subtree_control | /pids',
    );
  });

  it("names the field that needs a controller which the top lacks", () => {
    const { native } = fake(tree("cpu io pids", "cpu io pids"));
    expect(failure(() => enable(native))).toBe('the cgroup controller "nosuch" is not available | /u/a/b | /nosuch');
  });
});
