// The device rules as the kernel keeps them: as root, where a cgroup file system is mounted and libberth has been built.

import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DeviceRule } from "../config/types.ts";
import { removeCgroups } from "../container/cgroup-remove.ts";
import type { CgroupFacts } from "../host/facts.ts";
import type { Native } from "../host/native.gen.ts";
import { loadNative } from "../host/node.ts";
import { DeviceCgroup } from "./devcgroup-support.ts";
import { devicePolicy } from "./device-policy.ts";
import { deviceProgram } from "./device-program.ts";
import { NODE_NUMBERS, RandomRules } from "./device-rules-support.ts";
import { deviceSteps } from "./devices.ts";
import type { CgroupPaths } from "./path.ts";

const LIBRARY = process.env.BERTH_LIBRARY ?? join(import.meta.dirname, "../../dist/libberth.so");
const AT_FDCWD = -100;
const O_WRONLY = 1;
const EPERM = 1;
const O_DIRECTORY = 0o200000;
const CGROUP_SUPER_MAGIC = 0x27e0eb;
const CGROUP2_SUPER_MAGIC = 0x63677270;
const NAME = `berth-devices-${process.pid}`;

const usable = process.getuid?.() === 0 && existsSync(LIBRARY);
const native = (usable ? loadNative(LIBRARY) : {}) as Native;
const mounted = (path: string, magic: number): boolean => existsSync(path) && statfsSync(path).type === magic;
const v1 = mounted("/sys/fs/cgroup/devices", CGROUP_SUPER_MAGIC) ? "/sys/fs/cgroup/devices" : undefined;
const v2 = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].find((path) => mounted(path, CGROUP2_SUPER_MAGIC));
const FACTS: CgroupFacts = { mode: "v2", hierarchies: [] };

/** Those that are open to root without any hardware. */
const NODES = ["c 1 3", "c 1 5", "c 1 11", "c 5 0"];

/** Runs deviceSteps for a cgroup of our own, then `script` inside it. */
function inside(mountpoint: string, rules: readonly DeviceRule[], script: string): string {
  const path = join(mountpoint, NAME);
  removeCgroups(native, [path], true);
  mkdirSync(path);
  try {
    const paths: CgroupPaths =
      mountpoint === v1 ? { v1: [{ name: "devices", mountpoint, path }] } : { v1: [], unified: { mountpoint, path } };
    for (const step of deviceSteps(rules, paths, FACTS)) {
      if (step.step === "write cgroup file") {
        expect(native.write_file(AT_FDCWD, `${step.path}/${step.file}`, O_WRONLY, 0, step.data)).toBe(0);
      } else if (step.step === "attach device program") {
        attach(step.path, step.program);
      } else {
        expect.fail(step.step);
      }
    }
    if (script === "") return readFileSync(join(path, "devices.list"), "utf8");
    const run = spawnSync("sh", ["-c", `echo $$ > ${path}/cgroup.procs; ${script}`], { encoding: "utf8" });
    return run.stdout.trim();
  } finally {
    removeCgroups(native, [path], true);
  }
}

function attach(path: string, words: Uint32Array): void {
  const program = native.bpf_load_device(words);
  expect(program, native.detail() as string).toBeGreaterThan(0);
  const cgroup = native.open(AT_FDCWD, path, O_DIRECTORY, 0);
  expect(native.bpf_attach_device(cgroup, program, 2, -1)).toBe(0);
  native.close(cgroup);
  native.close(program);
}

let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "berth-devices-"));
  for (const node of NODES) execFileSync("mknod", [join(folder, node.replaceAll(" ", "-")), ...node.split(" ")]);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A word for each attempt: `1:3r` when it was allowed. EPERM is the cgroup's answer, anything else is the device's. */
function attempts(): string {
  const open = (node: string, how: string, letters: string): string => {
    const [, major, minor] = node.split(" ");
    const path = join(folder, node.replaceAll(" ", "-"));
    return `(exec 3${how}${path}) 2>&1 | grep -q 'not permitted' || echo -n '${major}:${minor}${letters} '`;
  };
  const lines = NODES.flatMap((node) => [open(node, "<", "r"), open(node, ">", "w"), open(node, "<>", "rw")]);
  const made = join(folder, "made");
  lines.push(`mknod ${made} c 1 1 2>/dev/null && rm ${made} && echo -n 'c-m '`);
  lines.push(`mknod ${made} b 7 9 2>/dev/null && rm ${made} && echo -n 'b-m '`);
  return lines.join("\n");
}

const DEFAULT = "1:3r 1:3w 1:3rw 1:5r 1:5w 1:5rw 5:0r 5:0w 5:0rw c-m b-m";
const cases: { title: string; rules: DeviceRule[]; allowed: string }[] = [
  { title: "no rules", rules: [], allowed: DEFAULT },
  { title: "what runc spec writes", rules: [{ allow: false, type: "a", access: "rwm" }], allowed: DEFAULT },
  {
    title: "one device more, to read",
    rules: [{ allow: true, type: "c", major: 1, minor: 11, access: "r" }],
    allowed: DEFAULT.replace(" 5:0r", " 1:11r 5:0r"),
  },
  {
    title: "everything but writing to one device",
    rules: [
      { allow: true, type: "a", access: "rwm" },
      { allow: false, type: "c", major: 1, minor: 11, access: "w" },
    ],
    allowed: DEFAULT.replace(" 5:0r", " 1:11r 5:0r"),
  },
  {
    title: "everything but making block devices and one character device",
    rules: [
      { allow: true, type: "a", access: "rwm" },
      { allow: false, type: "b", major: 7, minor: 9, access: "m" },
      { allow: false, type: "c", major: 1, minor: 1, access: "m" },
    ],
    allowed: DEFAULT.replace(" 5:0r", " 1:11r 1:11w 1:11rw 5:0r").replace(" c-m b-m", ""),
  },
];

const hosts = [v1 ?? [], v2 ?? []].flat();

describe.skipIf(!usable).each(hosts)("device rules below %s (needs root and a build)", (mountpoint) => {
  it.each(cases)("allow exactly what they say: $title", ({ rules, allowed }) => {
    expect(inside(mountpoint, rules, attempts())).toBe(allowed);
  });
});

describe.skipIf(!usable || v1 === undefined)(
  "the model of the v1 controller (needs root, a build and the v1 controller of devices)",
  () => {
    it("answers and lists as the kernel does, for random writes to a cgroup and the one above", () => {
      const above = join(v1 as string, `${NAME}-above`);
      const random = new RandomRules(1816, NODE_NUMBERS);
      let refused = 0;
      for (let round = 0; round < 30; round++) {
        const below = join(above, `below-${round}`); // what is removed lingers, and the default above could not change
        removeCgroups(native, [below, above], true);
        mkdirSync(above);
        const parent = new DeviceCgroup(new DeviceCgroup());
        const write = (path: string, model: DeviceCgroup): void => {
          const { allow, type, access, major, minor } = random.rule();
          const file = allow ? "devices.allow" : "devices.deny";
          const data = type === "a" ? "a" : `${type} ${major ?? "*"}:${minor ?? "*"} ${access}`;
          const accepted = model.write(file, data);
          const answer = native.write_file(AT_FDCWD, `${path}/${file}`, O_WRONLY, 0, data);
          expect(answer, `${data} to ${path}/${file}`).toBe(accepted ? 0 : -EPERM);
          expect(readFileSync(join(path, "devices.list"), "utf8").split("\n").sort()).toEqual(
            model.list().split("\n").sort(),
          );
          if (!accepted) refused++;
        };
        try {
          for (let i = 0; i < 8; i++) write(above, parent);
          mkdirSync(below);
          const child = new DeviceCgroup(parent);
          for (let i = 0; i < 12; i++) write(below, child);
        } finally {
          removeCgroups(native, [below, above], true);
        }
      }
      expect(refused).toBeGreaterThan(10);
    });
  },
);

describe.skipIf(!usable || v1 === undefined)(
  "the v1 controller (needs root, a build and the v1 controller of devices)",
  () => {
    it("lists the default devices after the default rules", () => {
      expect(
        inside(v1 as string, [], "")
          .trim()
          .split("\n"),
      ).toEqual([
        "c *:* m",
        "b *:* m",
        "c 1:3 rwm",
        "c 1:8 rwm",
        "c 1:7 rwm",
        "c 5:0 rwm",
        "c 1:5 rwm",
        "c 1:9 rwm",
        "c 136:* rwm",
        "c 5:2 rwm",
        "c 10:200 rwm",
      ]);
    });
  },
);

describe.skipIf(!usable || v2 === undefined)("the kernel's verifier (needs root, a build and cgroup v2)", () => {
  const rule = (allow: boolean, type: "a" | "b" | "c", access: string, ...numbers: number[]): DeviceRule => {
    const [major, minor] = numbers;
    return {
      allow,
      type,
      access,
      ...(major === undefined ? {} : { major }),
      ...(minor === undefined ? {} : { minor }),
    };
  };

  it.each([
    ["no exception at all", [rule(true, "a", "rwm")]],
    ["a single denial", [rule(true, "a", "rwm"), rule(false, "b", "w")]],
    ["wildcards over numbers", [rule(true, "c", "rwm"), rule(true, "c", "rwm", 9), rule(true, "c", "rwm", 9, 9)]],
    ["every mask", [1, 2, 3].map((n) => rule(true, "c", ["r", "rw", "rm"][n - 1] as string, n, n))],
    ["the highest numbers", [rule(true, "b", "rwm", 0xffffffff, 0xffffffff)]],
    ["600 rules", Array.from({ length: 600 }, (_, n) => rule(true, "c", "rw", n % 40, n))],
  ])("takes the program for %s", (_, rules) => {
    const program = native.bpf_load_device(deviceProgram(devicePolicy(rules, [])));
    expect(program, native.detail() as string).toBeGreaterThan(0);
    native.close(program);
  });
});
