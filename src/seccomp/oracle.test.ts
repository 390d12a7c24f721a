// libseccomp's verdicts, which are runc's and crun's, for default profiles of container engines and for random ones.
//
// BERTH_LIBSECCOMP: a folder with another libseccomp.so.2 than the machine's.

import process from "node:process";
import { describe, expect, it } from "vitest";
import { checkCbpf, runCbpf, seccompData } from "../bpf/cbpf-vm.ts";
import { RuntimeError } from "../errors/runtime-error.ts";
import { type Architecture, architectures, X32_BIT } from "./architectures.ts";
import { compileFilter } from "./compile.ts";
import { MAX_WORK } from "./decisions.ts";
import { readProfile } from "./index.ts";
import {
  askOracle,
  engineProfiles,
  oracleFilter,
  oracleNumbers,
  oracleProgram,
  resolveProfile,
} from "./oracle-support.ts";
import { CALLS, Random, randomCallArgs, randomProfile } from "./random-support.ts";
import { syscallNames, syscallNumbers } from "./syscalls.ts";
import type { ArchitectureName, Seccomp, SeccompArg } from "./types.ts";

const LIBRARY = process.env.BERTH_LIBSECCOMP;
const hasOracle = oracleProgram() !== undefined;
const profiles = hasOracle ? engineProfiles() : new Map();
const version = hasOracle ? askOracle("version\n", LIBRARY).trim() : "no libseccomp";

const find = (name: ArchitectureName): Architecture =>
  architectures().find((known) => known.name === name) as Architecture;

/** Architectures that this libseccomp has. */
const supported = hasOracle
  ? architectures().filter(({ name }) => {
      const profile: Seccomp = { defaultAction: "SCMP_ACT_ALLOW", architectures: [], syscalls: [] };
      return oracleFilter(profile, name, 1, LIBRARY).error === undefined;
    })
  : [];

const unlike = new Map<string, Set<number>>();

/** Numbers of calls that this libseccomp does not know, or by another number: they are not compared. */
function excluded({ name, table, base }: Architecture): Set<number> {
  const known = unlike.get(name);
  if (known !== undefined) return known;
  const ours = syscallNumbers(table);
  const theirs = oracleNumbers(name, syscallNames(), LIBRARY);
  const numbers = new Set<number>();
  syscallNames().forEach((call, i) => {
    const number = theirs.get(call) ?? -1;
    const own = (ours[i] as number) < 0 ? -1 : (ours[i] as number) + base;
    // Negative ones stand for calls that go through socketcall or ipc, too; they are compared.
    const multiplexed = number <= -100 && number > -300;
    if (multiplexed || number === own || (number < 0 && own < 0)) return;
    for (const differing of [number, own]) if (differing >= 0) numbers.add(differing);
  });
  unlike.set(name, numbers);
  return numbers;
}

interface Comparison {
  compared: number;
  differences: string[];
  slower: number;
  steps: number;
  theirSteps: number;
}

/** Every number of every architecture that the filter covers, and the numbers between them. */
function compare(
  profile: Seccomp,
  native: ArchitectureName,
  ours: Uint32Array,
  theirs: Uint32Array,
  probes: bigint[][],
): Comparison {
  const result: Comparison = { compared: 0, differences: [], slower: 0, steps: 0, theirSteps: 0 };
  const { bigEndian } = find(native);
  const covered = [...new Set([native, ...profile.architectures])].map(find);
  for (const architecture of covered) {
    const skipped = new Set(
      [...covered].filter(({ audit }) => audit === architecture.audit).flatMap((a) => [...excluded(a)]),
    );
    for (const nr of [...Array.from({ length: 600 }, (_, i) => i + architecture.base), ...EDGES]) {
      if (skipped.has(nr)) continue;
      for (const args of probes) {
        const data = seccompData(nr, architecture.audit, args, bigEndian);
        const own = runCbpf(ours, data);
        const their = runCbpf(theirs, data);
        result.compared++;
        result.steps += own.steps;
        result.theirSteps += their.steps;
        if (own.steps > their.steps) result.slower++;
        if (own.value !== their.value && result.differences.length < 5) {
          const what = `${architecture.name} ${nr}(${args}): ${own.value.toString(16)} instead of ${their.value.toString(16)}`;
          result.differences.push(what);
        }
      }
    }
  }
  return result;
}

const EDGES = [
  1023,
  1024,
  983041,
  983046,
  983047,
  X32_BIT - 1,
  X32_BIT,
  0x7fffffff,
  0x80000000,
  0xfffffffe,
  0xffffffff,
];

/** Arguments that make a difference to a profile: its own values and their neighbours, two at a time. */
function probesOf(profile: Seccomp): bigint[][] {
  const random = new Random(1);
  return [[], ...Array.from({ length: 24 }, () => randomCallArgs(random, profile))];
}

/**
 * libseccomp (2.5.4 and 2.6.0) goes on with a wrong word in the accumulator where a rule with several arguments does not
 * hold and another one about the same call follows: such rules are kept only where they are alone.
 */
function withoutMixtures(profile: Seccomp): Seccomp {
  const count = new Map<string, number>();
  for (const { names } of profile.syscalls) for (const name of names) count.set(name, (count.get(name) ?? 0) + 1);
  const syscalls = profile.syscalls.map((rule) => ({
    ...rule,
    names:
      rule.args.length < 2 ? rule.names : rule.names.filter((name) => count.get(name) === 1 && !MULTIPLEXED.has(name)),
  }));
  return { ...profile, syscalls };
}

const MULTIPLEXED = new Set([
  "socket",
  "connect",
  "accept4",
  "sendmsg",
  "socketcall",
  "ipc",
  "semop",
  "shmat",
  "msgctl",
]);

/** Likewise, it loses 64-bit upper and lower bounds that overlap. */
function withoutFaults(profile: Seccomp, native: ArchitectureName): Seccomp {
  const bounds = ["SCMP_CMP_LT", "SCMP_CMP_LE", "SCMP_CMP_GT", "SCMP_CMP_GE"];
  const syscalls = profile.syscalls
    .map((rule) => ({ ...rule, args: rule.args.slice(0, 1) }))
    .filter(({ args }) => args.length > 0 && !(find(native).wide && bounds.includes((args[0] as SeccompArg).op)));
  return { ...profile, architectures: [], syscalls };
}

describe.skipIf(!hasOracle)(`beside libseccomp (${version})`, () => {
  it("the default profiles of engines are there", () => {
    expect([...profiles.keys()].some((name) => name.startsWith("containers-common"))).toBe(true);
    expect([...profiles.keys()].some((name) => name.startsWith("moby"))).toBe(true);
  });

  for (const [name, profile] of profiles) {
    for (const caps of [[], ["CAP_SYS_ADMIN", "CAP_AUDIT_WRITE", "CAP_SYS_CHROOT"]]) {
      it(`${name} with ${caps.length} capabilities: no difference on any architecture`, { timeout: 300_000 }, () => {
        let compared = 0;
        let left = 0;
        const lines: string[] = [];
        for (const { name: native } of supported) {
          const seccomp = readProfile(resolveProfile(profile, native, caps)) as Seccomp;
          const { filter: theirs } = oracleFilter(seccomp, native, 2, LIBRARY);
          const { filter: ours, work } = compileFilter(seccomp, { arch: native, enosys: false });
          checkCbpf(ours);
          expect(work).toBeLessThan(MAX_WORK / 100);
          const result = compare(seccomp, native, ours, theirs as Uint32Array, probesOf(seccomp));
          expect(result.differences).toEqual([]);
          compared += result.compared;
          left += excluded(find(native)).size;
          const average = (steps: number): string => (steps / result.compared).toFixed(2);
          lines.push(
            `${native.slice(10)} ${ours.length / 2}/${(theirs?.length ?? 0) / 2} instructions, ` +
              `${average(result.steps)}/${average(result.theirSteps)} executed, ${result.slower} of ${result.compared} slower`,
          );
          expect(ours.length).toBeLessThan((theirs as Uint32Array).length);
          expect(result.steps).toBeLessThan(result.theirSteps);
          // The tree of libseccomp is uneven: a few calls lie one test nearer to its root than any even tree can have them.
          expect(result.slower / result.compared).toBeLessThan(native === "SCMP_ARCH_X86_64" ? 0.000_001 : 0.02);
        }
        console.log(
          `${name}: ${compared} calls compared, ${left} numbers left out that ${version} does not know\n${lines.join("\n")}`,
        );
      });
    }
  }

  /** Differences for random profiles; what libseccomp itself compiles wrongly is left out by `keep`. */
  function differencesOf(native: ArchitectureName, make: (random: Random) => Seccomp): string[] {
    const differences: string[] = [];
    for (let seed = 1; seed <= 12; seed++) {
      const random = new Random(seed * 104729);
      const profile = make(random);
      profile.architectures = profile.architectures.filter((name) => supported.some((known) => known.name === name));
      const { filter: theirs, error } = oracleFilter(profile, native, 2, LIBRARY);
      if (error !== undefined) {
        expect(error.errno, `seed ${seed}`).toBe(17);
        expect(() => compileFilter(profile, { arch: native, enosys: false }), `seed ${seed}`).toThrow(RuntimeError);
        continue;
      }
      const { filter: ours } = compileFilter(profile, { arch: native, enosys: false });
      const probes = Array.from({ length: 6 }, () => randomCallArgs(random, profile));
      const result = compare(profile, native, ours, theirs as Uint32Array, probes);
      differences.push(...result.differences.map((line) => `seed ${seed}: ${line}`));
    }
    return differences;
  }

  it.each(supported.map(({ name }) => name))(
    "random profiles of one action: no difference on %s",
    { timeout: 120_000 },
    (native) => {
      const make = (random: Random): Seccomp => {
        const action = random.one(["SCMP_ACT_ALLOW", "SCMP_ACT_TRAP"] as const);
        return withoutMixtures(randomProfile(random, native, CALLS, [action]));
      };
      expect(differencesOf(native, make)).toEqual([]);
    },
  );

  it.each(supported.map(({ name }) => name))(
    "rules that overlap and ask for different actions are taken in libseccomp's order on %s",
    { timeout: 120_000 },
    (native) => {
      const make = (random: Random): Seccomp => withoutFaults(randomProfile(random, native, ["read", "bpf"]), native);
      expect(differencesOf(native, make)).toEqual([]);
    },
  );

  it("refuses what libseccomp refuses: two actions under the same conditions", () => {
    const arg = { index: 0, op: "SCMP_CMP_EQ", value: 5n, valueTwo: 0n } as const;
    const profile: Seccomp = {
      defaultAction: "SCMP_ACT_ALLOW",
      architectures: [],
      syscalls: [
        { names: ["read"], action: "SCMP_ACT_TRAP", args: [arg] },
        { names: ["read"], action: "SCMP_ACT_ERRNO", args: [arg] },
      ],
    };
    expect(oracleFilter(profile, "SCMP_ARCH_X86_64", 2, LIBRARY).error?.errno).toBe(17);
    expect(() => compileFilter(profile, { arch: "SCMP_ARCH_X86_64" })).toThrow(RuntimeError);
  });
});
