// Profiles that are far too large: what they cost is counted in steps, not in seconds.

import { describe, expect, it } from "vitest";
import { RuntimeError } from "../errors/runtime-error.ts";
import { findArchitecture } from "./architectures.ts";
import { argumentsDecision } from "./arguments.ts";
import { compileFilter } from "./compile.ts";
import { Decisions, MAX_WORK } from "./decisions.ts";
import { inOrder } from "./precedence.ts";
import { type Alternative, MAX_ALTERNATIVES } from "./rules.ts";
import type { ActionName, ArchitectureName, OperatorName, Seccomp, SeccompArg } from "./types.ts";

const ALL: ArchitectureName[] = ["SCMP_ARCH_X86", "SCMP_ARCH_X32", "SCMP_ARCH_AARCH64", "SCMP_ARCH_RISCV64"];
const OPERATORS: readonly OperatorName[] = [
  "SCMP_CMP_EQ",
  "SCMP_CMP_NE",
  "SCMP_CMP_LT",
  "SCMP_CMP_LE",
  "SCMP_CMP_GT",
  "SCMP_CMP_GE",
  "SCMP_CMP_MASKED_EQ",
];

/** Different values, in the low half or in both. */
const arg = (index: number, number: number, op: OperatorName): SeccompArg => {
  const value = BigInt(number) * (number % 2 === 0 ? 0x100000001n : 1n);
  return { index, op, value, valueTwo: value };
};

/** As many rules about one call, each with conditions on as many arguments. */
function profileOf(rules: number, conditions: number, operator: (number: number) => OperatorName): Seccomp {
  const actions: readonly ActionName[] = ["SCMP_ACT_ALLOW", "SCMP_ACT_TRAP"];
  return {
    defaultAction: "SCMP_ACT_ERRNO",
    architectures: ALL,
    syscalls: Array.from({ length: rules }, (_, r) => ({
      names: ["ioctl"],
      action: actions[r % 2] as ActionName,
      args: Array.from({ length: conditions }, (__, i) => arg(i % 6, r * 7 + i, operator(r + i))),
    })),
  };
}

function refusal(profile: Seccomp): string {
  try {
    compileFilter(profile, { arch: "SCMP_ARCH_X86_64" });
  } catch (error) {
    if (error instanceof RuntimeError) return `${error.facts.pointer}: ${error.message}`;
    throw error;
  }
  return "accepted";
}

/** Alternatives whose conditions count how often they are looked at. */
function counted(count: number, op: OperatorName): { list: Alternative[]; looks: () => number } {
  let looks = 0;
  const list = Array.from({ length: count }, (_, i) => {
    const watched = new Proxy(arg(0, (i * 7919) % count, op), {
      get: (target, key) => {
        looks++;
        return Reflect.get(target, key);
      },
    });
    return { args: [watched], verdict: i % 2, rule: i };
  });
  return { list, looks: () => looks };
}

describe("a profile that is far too large", () => {
  it.each([
    [300, 6],
    [3000, 1],
    [3000, 2],
    [4000, 6],
  ])("of %d rules with %d conditions each is refused at its place, whatever they ask for", (rules, conditions) => {
    for (const operator of [...OPERATORS.map((op) => () => op), (n: number) => OPERATORS[n % 7] as OperatorName]) {
      // One comparison each and all of one argument are ranges, few where neighbours agree.
      const said = refusal(profileOf(rules, conditions, operator));
      if (conditions > 1) expect(said).toMatch(/^\/linux\/seccomp(\/syscalls\/\d+)?: .*(too long|instructions)/);
    }
  });

  it("is refused before names × conditions fill the memory", () => {
    const profile = profileOf(1, 20_000, () => "SCMP_CMP_EQ");
    for (const rule of profile.syscalls) rule.names = ["ioctl", "read", "write", "openat", "close"];
    expect(5 * 20_000).toBeGreaterThan(MAX_ALTERNATIVES);
    expect(refusal(profile)).toMatch(/^\/linux\/seccomp\/syscalls\/0: .*too long/);
  });

  it("may say the same a hundred thousand times", () => {
    const profile = profileOf(1, 1, () => "SCMP_CMP_EQ");
    for (const rule of profile.syscalls) rule.names = new Array(100_000).fill("ioctl");
    const once = compileFilter(
      profileOf(1, 1, () => "SCMP_CMP_EQ"),
      { arch: "SCMP_ARCH_X86_64" },
    );
    const often = compileFilter(profile, { arch: "SCMP_ARCH_X86_64" });
    expect(often.filter).toEqual(once.filter);
    expect(often.work).toBe(once.work);
  });

  it("costs twice as much with twice as many rules, not four times", () => {
    for (const op of OPERATORS) {
      const looks = [1000, 2000].map((count) => {
        const { list, looks: read } = counted(count, op);
        inOrder(list, true, "");
        return read();
      });
      expect((looks[1] as number) / (looks[0] as number), op).toBeLessThan(3);
      const steps = [1000, 2000].map((count) => {
        const { list, looks: read } = counted(count, op);
        const graph = new Decisions();
        const machine = findArchitecture("SCMP_ARCH_X86_64");
        if (machine === undefined) throw new Error("no such architecture");
        argumentsDecision(graph, list, machine, graph.verdict(9), "");
        return read() + graph.work;
      });
      expect((steps[1] as number) / (steps[0] as number), op).toBeLessThan(3);
    }
  });

  it("ends where the limit is, and what fits the kernel stays far below it", () => {
    const graph = new Decisions("/here");
    expect(() => graph.spend(MAX_WORK + 1)).toThrow(RuntimeError);
    expect(graph.work).toBe(MAX_WORK + 1);
    for (const [rules, conditions, op] of [
      [100, 1, "SCMP_CMP_EQ"],
      [30, 2, "SCMP_CMP_GT"],
      [12, 6, "SCMP_CMP_NE"],
      [1000, 1, "SCMP_CMP_MASKED_EQ"],
    ] as const) {
      const { filter, work } = compileFilter(
        profileOf(rules, conditions, () => op),
        { arch: "SCMP_ARCH_X86_64" },
      );
      expect(filter.length / 2).toBeLessThanOrEqual(4096);
      expect(work, `${rules} ${conditions} ${op}`).toBeLessThan(MAX_WORK / 8);
    }
  });
});
