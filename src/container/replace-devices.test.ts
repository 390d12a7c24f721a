// Device rules that change, as the kernel keeps them: as root, where a cgroup file system is mounted and libberth is built.

import { existsSync, mkdirSync, readFileSync, rmdirSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ACCESS, type DeviceException } from "../cgroup/device-policy.ts";
import { exceptionsAllow, NODE_NUMBERS, RandomRules } from "../cgroup/device-rules-support.ts";
import type { DeviceRule } from "../config/types.ts";
import { RuntimeError } from "../errors/runtime-error.ts";
import type { Native } from "../host/native.gen.ts";
import { loadNative } from "../host/node.ts";
import { removeCgroups } from "./cgroup-remove.ts";
import { Prober } from "./device-prober-support.ts";
import { replaceDevices } from "./replace-devices.ts";

const LIBRARY = process.env.BERTH_LIBRARY ?? join(import.meta.dirname, "../../dist/libberth.so");
const AT_FDCWD = -100;
const O_DIRECTORY = 0o200000;
const MULTI = 2;
const OVERRIDE = 1;
const CGROUP_SUPER_MAGIC = 0x27e0eb;
const CGROUP2_SUPER_MAGIC = 0x63677270;
const ROUNDS = Number(process.env.DEVICE_ROUNDS ?? 40);

const usable = process.getuid?.() === 0 && existsSync(LIBRARY);
const native = (usable ? loadNative(LIBRARY) : {}) as Native;
const mounted = (path: string, magic: number): boolean => existsSync(path) && statfsSync(path).type === magic;
const v1 = mounted("/sys/fs/cgroup/devices", CGROUP_SUPER_MAGIC) ? "/sys/fs/cgroup/devices" : undefined;
const freezer = mounted("/sys/fs/cgroup/freezer", CGROUP_SUPER_MAGIC) ? "/sys/fs/cgroup/freezer" : undefined;
const v2 = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].find((path) => mounted(path, CGROUP2_SUPER_MAGIC));
const NAME = `berth-replace-${process.pid}`;

const hosts: { kind: "v1" | "v2"; cgroups: string[] }[] = [];
if (v1 !== undefined && freezer !== undefined)
  hosts.push({ kind: "v1", cgroups: [join(freezer, NAME), join(v1, NAME)] });
if (v2 !== undefined) hosts.push({ kind: "v2", cgroups: [join(v2, NAME)] });

const rule = (text: string): DeviceRule => {
  const [type, major, minor, access] = text.slice(1).split(/[ :]/) as ["a" | "b" | "c", string, string, string];
  return {
    allow: text.startsWith("+"),
    type,
    access: access ?? "rwm",
    ...(major === undefined || major === "*" ? {} : { major: Number(major) }),
    ...(minor === undefined || minor === "*" ? {} : { minor: Number(minor) }),
  };
};
const rules = (text: string): DeviceRule[] => (text === "" ? [] : text.split(", ").map(rule));

const requests: DeviceException[] = [];
for (const type of ["b", "c"] as const) {
  for (const major of NODE_NUMBERS) {
    for (const minor of NODE_NUMBERS) {
      if (major === 0 && minor === 0) continue; // no device: the kernel asks nobody
      for (const access of [ACCESS.r, ACCESS.w, ACCESS.r | ACCESS.w]) requests.push({ type, major, minor, access });
    }
  }
}

function problem(work: () => void): string {
  try {
    work();
  } catch (error) {
    if (error instanceof RuntimeError)
      return `${error.facts.pointer}: ${error.facts.message} (${error.facts.errno ?? 0})`;
    throw error;
  }
  return "none";
}

describe.skipIf(!usable).each(hosts)("replaceDevices on $kind (needs root and a build)", ({ kind, cgroups }) => {
  const own = cgroups[cgroups.length - 1] as string;
  let prober: Prober;

  /** [flags, ids] of the cgroup. */
  const programs = (): number[] => {
    const cgroup = native.open(AT_FDCWD, own, O_DIRECTORY, 0);
    const answer = native.bpf_device_programs(cgroup);
    native.close(cgroup);
    return answer as number[];
  };

  beforeAll(async () => {
    removeCgroups(native, cgroups, true);
    for (const path of cgroups) mkdirSync(path);
    prober = new Prober(requests, cgroups);
    await prober.ready();
  });
  afterAll(async () => {
    await prober.end();
    removeCgroups(native, cgroups, true);
  });

  it("puts random rules in force, one after the other: the kernel decides as they say", async () => {
    const random = new RandomRules(31, NODE_NUMBERS);
    for (let round = 0; round < ROUNDS; round++) {
      const { rules } = random.kept();
      replaceDevices(native, rules, cgroups);
      const got = await prober.ask();
      const wrong = requests.find((request, i) => got[i] !== exceptionsAllow(rules, request));
      if (wrong !== undefined) expect.fail(JSON.stringify({ rules, wrong }));
      if (kind === "v2") expect(programs()).toHaveLength(2);
    }
  });

  it.each([
    ["between lists of what is allowed", "+c 9:9 rw, +c 5:5 r, +b 3:3 w", "+c 9:9 rw, +c 5:5 w, +b 3:* w"],
    ["from a wide rule to a narrow one", "+c 9:* rw, +b 3:3 w, +c 5:5 r", "+c 9:9 rw, +b 3:3 w, +c 5:5 w"],
    [
      "between lists of what is allowed and of what is denied",
      "+c 9:9 rw",
      "+a, -c 3:3 rw, -b 9:9 rw, -c 5:5 rw, -b 1:1 w",
    ],
    ["between lists of what is denied", "+a, -c 3:3 rw, -b 9:9 rw", "+a, -c 3:3 rw, -b 1:1 w, -c 136:5 r"],
  ])(
    "refuses at no time what old and new rules allow, allows at no time what both refuse: %s",
    async (_, one, other) => {
      const [first, second] = [rules(one), rules(other)];
      replaceDevices(native, first, cgroups);
      const verdicts = requests.map((request) => [first, second].map((list) => exceptionsAllow(list, request)).join());
      // Few ones, so that each is asked for often: those that the rules name (3:3 is denied by both or none), or other ones.
      const watch = (verdict: string): number[] => {
        const all = [...verdicts.keys()].filter((i) => verdicts[i] === verdict);
        const named = all.filter((i) => [3, 5, 9].includes((requests[i] as DeviceException).major));
        return [
          ...named.filter((i) => (requests[i] as DeviceException).major === (requests[i] as DeviceException).minor),
          ...named,
        ].slice(0, 4);
      };
      const [kept, refused] = [watch("true,true"), watch("false,false")];
      expect(kept.length * refused.length).toBeGreaterThan(0);
      const end = performance.now() + 400;
      await prober.watch([...kept, ...refused]);
      for (let round = 0; round < ROUNDS || (performance.now() < end && round < 10 * ROUNDS); round++) {
        replaceDevices(native, second, cgroups);
        replaceDevices(native, first, cgroups);
        // Lets the prober, and the answer, through.
        if (round % 4 === 0) await new Promise((resolve) => setTimeout(resolve, 3));
      }
      const { rounds, always, ever } = await prober.stop();
      expect(rounds).toBeGreaterThan(100);
      expect(kept.filter((i) => !always[i]).map((i) => `refused: ${JSON.stringify(requests[i])}`)).toEqual([]);
      expect(refused.filter((i) => ever[i]).map((i) => `allowed: ${JSON.stringify(requests[i])}`)).toEqual([]);
    },
    60_000,
  );

  it("refuses rules that cannot be kept and names them below the given base; the old ones stay", async () => {
    replaceDevices(native, rules("+c 9:9 rw"), cgroups);
    const before = await prober.ask();
    const bad = rules("+c 9:* rw, -c 9:9 w");
    expect(problem(() => replaceDevices(native, bad, cgroups, ""))).toContain("/devices/1: cannot punch a hole");
    expect(problem(() => replaceDevices(native, bad, cgroups))).toContain("/linux/resources/devices/1: cannot punch");
    expect(await prober.ask()).toEqual(before);
  });

  it("fails for a container whose cgroups have gone", () => {
    expect(problem(() => replaceDevices(native, [], [`${own}-gone`]))).toContain("has no devices cgroup");
  });

  describe.runIf(kind === "v2")("with programs of others", () => {
    let loadedOnes: number[] = [];
    const load = (): number => {
      const program = native.bpf_load_device(Uint32Array.of(0xb4, 1, 0x95, 0));
      loadedOnes.push(program);
      return program;
    };
    const attach = (flags: number, count: number): void => {
      const cgroup = native.open(AT_FDCWD, own, O_DIRECTORY, 0);
      for (const id of programs().slice(1)) {
        const program = native.bpf_open_program(id);
        expect(native.bpf_detach_device(cgroup, program)).toBe(0);
        native.close(program);
      }
      for (let i = 0; i < count; i++) expect(native.bpf_attach_device(cgroup, load(), flags, -1)).toBe(0);
      native.close(cgroup);
    };
    beforeEach(() => {
      loadedOnes = [];
    });
    afterEach(() => {
      for (const program of loadedOnes) native.close(program);
    });

    it.each([
      ["none", MULTI, 0],
      ["one that lets others be", MULTI, 1],
      ["several", MULTI, 5],
      ["one that wants to be alone", 0, 1],
      ["one that may be overridden", OVERRIDE, 1],
    ])("leaves ours alone: %s", async (_, flags, count) => {
      attach(flags, count);
      const others = programs().slice(1);
      expect(others).toHaveLength(count);
      replaceDevices(native, rules("+c 9:9 r"), cgroups);
      const now = programs();
      expect(now).toHaveLength(2);
      expect(others).not.toContain(now[1]);
      const allowed = await prober.ask();
      expect(allowed[requests.findIndex((one) => one.type === "c" && one.major === 9 && one.minor === 9)]).toBe(true);
      expect(allowed[requests.findIndex((one) => one.type === "b" && one.major === 9 && one.minor === 9)]).toBe(false);
      replaceDevices(native, rules("+c 9:9 rw"), cgroups);
      expect(programs()).toHaveLength(2);
    });
  });

  describe.runIf(kind === "v1")("where the kernel refuses", () => {
    const list = (path: string): string => readFileSync(join(path, "devices.list"), "utf8");

    it("puts the old rules back when the cgroup above has not what is asked for", () => {
      const above = `${own}-above`;
      const below = join(above, "below");
      mkdirSync(above);
      try {
        writeFileSync(join(above, "devices.deny"), "a");
        for (const line of ["c *:* rwm", "b 7:* rm", "b *:* m"]) writeFileSync(join(above, "devices.allow"), line);
        mkdirSync(below);
        replaceDevices(native, rules("+c 9:9 rw, +b 7:7 r"), [below]);
        const before = list(below).split("\n").sort();
        const failed = problem(() => replaceDevices(native, rules("+c 9:8 rw, +c 9:9 m, +b 7:7 rw"), [below]));
        expect(failed).toBe('/linux/resources/devices: cannot write "b 7:7 w" (1)');
        expect(list(below).split("\n").sort()).toEqual(before);
      } finally {
        removeCgroups(native, [below, above], true);
      }
    });

    it("leaves the rules when the default cannot change because cgroups were made below", () => {
      const below = join(own, "below");
      replaceDevices(native, rules("+c 9:9 rw"), cgroups);
      mkdirSync(below);
      try {
        const before = list(own);
        expect(problem(() => replaceDevices(native, rules("+a, -c 3:3 r"), cgroups))).toContain(
          'cannot write "a" (22)',
        );
        expect(list(own)).toBe(before);
        replaceDevices(native, rules("+c 9:8 rw"), cgroups);
        expect(list(own)).toContain("c 9:8 rw\n");
        expect(list(below)).not.toContain("c 9:9");
      } finally {
        rmdirSync(below);
      }
    });

    it("keeps old denials, and adds new ones, where everything else is allowed and cgroups were made below", async () => {
      const below = join(own, "lingering");
      replaceDevices(native, rules("+a, -c 3:3 r"), cgroups);
      mkdirSync(below);
      try {
        replaceDevices(native, rules("+a"), cgroups);
        replaceDevices(native, rules("+a, -c 5:5 r"), cgroups);
        const allowed = await prober.ask();
        const reads = requests.flatMap((one, i) =>
          one.type === "c" && one.access === ACCESS.r && !allowed[i] ? [one] : [],
        );
        expect(reads.map(({ major, minor }) => `${major}:${minor}`)).toEqual(["3:3", "5:5"]);
      } finally {
        rmdirSync(below);
      }
    });

    it("changes nothing that would be all open for a moment when the container cannot be frozen", () => {
      replaceDevices(native, rules("+c 9:9 rw"), cgroups);
      const before = list(own);
      expect(problem(() => replaceDevices(native, rules("+a, -c 3:3 r"), [own]))).toContain("cannot freeze");
      expect(list(own)).toBe(before);
      replaceDevices(native, rules("+a"), [own]);
      expect(list(own)).toBe("a *:* rwm\n");
      replaceDevices(native, [], [own]);
      expect(list(own)).toContain("c 1:3 rwm\n");
    });

    it("leaves a paused container paused, and one that runs running", () => {
      const state = join(cgroups[0] as string, "freezer.state");
      replaceDevices(native, rules("+a, -c 3:3 r"), cgroups);
      expect(readFileSync(state, "utf8")).toBe("THAWED\n");
      writeFileSync(state, "FROZEN");
      replaceDevices(native, [], cgroups);
      expect(readFileSync(state, "utf8")).toBe("FROZEN\n");
      writeFileSync(state, "THAWED");
    });
  });
});
