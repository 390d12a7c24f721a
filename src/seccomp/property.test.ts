// Random profiles × random calls: what the rules say, read one by one, is what the filter does.

import { describe, expect, it } from "vitest";
import { checkCbpf, runCbpf, seccompData } from "../bpf/cbpf-vm.ts";
import { RuntimeError } from "../errors/runtime-error.ts";
import { architectures, X32_BIT } from "./architectures.ts";
import { compileFilter } from "./compile.ts";
import { evaluate } from "./evaluate.ts";
import { CALLS, Random, randomCallArgs, randomProfile } from "./random-support.ts";
import { syscallIndexes, syscallNumbers } from "./syscalls.ts";
import type { CompileOptions, Seccomp } from "./types.ts";

const PROFILES = 25;

/** Numbers at every edge: of the calls that the profiles name, of tables and ABIs. */
function numbersOf(table: string, base: number): number[] {
  const numbers = syscallNumbers(table);
  const named = CALLS.map((name) => numbers[syscallIndexes().get(name) ?? -1] ?? -1).filter((number) => number >= 0);
  const edges = [
    0,
    1,
    1023,
    1024,
    983041,
    983046,
    983047,
    X32_BIT - 1,
    X32_BIT,
    X32_BIT + 1,
    2 * X32_BIT,
    3 * X32_BIT,
    0xfffffffe,
    0xffffffff,
  ];
  return [
    ...new Set([...edges, ...named.flatMap((number) => [number - 1, number, number + 1].map((n) => (n + base) >>> 0))]),
  ];
}

/** Compares one profile for all architectures of the machine's byte order; the number of calls that were compared. */
function compare(random: Random, profile: Seccomp, options: CompileOptions): number {
  const { filter } = compileFilter(profile, options);
  checkCbpf(filter);
  let compared = 0;
  for (const { audit, table, base, bigEndian } of architectures()) {
    const covered = [options.arch, ...profile.architectures].some(
      (name) => architectures().find((known) => known.name === name)?.audit === audit,
    );
    if (!covered && random.chance(90)) continue;
    for (const nr of numbersOf(table, base)) {
      for (let i = 0; i < 4; i++) {
        const args = i === 0 ? [] : randomCallArgs(random, profile);
        const expected = evaluate(profile, options, audit, nr, args);
        const { value } = runCbpf(filter, seccompData(nr, audit, args, bigEndian));
        if (value !== expected.value) {
          throw new Error(`${options.arch} ${table} ${nr} ${args}: ${value} for ${JSON.stringify(expected)}`);
        }
        compared++;
      }
    }
  }
  return compared;
}

describe("a compiled filter", () => {
  it.each(architectures().map(({ name }) => name))(
    "decides as the rules do, on %s",
    (arch) => {
      let compared = 0;
      let refused = 0;
      for (let seed = 1; seed <= PROFILES; seed++) {
        const random = new Random(seed * 7919 + arch.length);
        const profile = randomProfile(random, arch);
        const options: CompileOptions = { arch, enosys: random.chance(70) };
        try {
          compared += compare(random, profile, options);
        } catch (error) {
          if (!(error instanceof RuntimeError)) throw new Error(`seed ${seed}`, { cause: error });
          expect(error.message).toContain("another action under the same conditions");
          refused++;
        }
      }
      expect(compared).toBeGreaterThan(1000);
      expect(refused).toBeLessThan(PROFILES / 2);
    },
    60_000,
  );
});
