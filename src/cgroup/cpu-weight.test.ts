import { describe, expect, it } from "vitest";
import { cpuWeight } from "./cpu-weight.ts";

describe("cpuWeight", () => {
  // Computed with 40 decimal digits.
  it.each<[shares: bigint, weight: number]>([
    [0n, 1],
    [1n, 1],
    [2n, 1],
    [3n, 2],
    [100n, 17],
    [512n, 59],
    [1023n, 100],
    [1024n, 100],
    [1025n, 101],
    [2048n, 174],
    [102400n, 4429],
    [262143n, 10000],
    [262144n, 10000],
    [1n << 63n, 10000],
  ])("%d shares", (shares, weight) => {
    expect(cpuWeight(shares)).toBe(weight);
  });

  it("does not depend on the mathematical library: no power but 100 is near an integer", () => {
    let nearest = 1;
    let last = 1;
    for (let shares = 3; shares < 262144; shares++) {
      const weight = cpuWeight(BigInt(shares));
      if (weight < last) throw new Error(`${shares}: ${weight} after ${last}`);
      last = weight;
      if (shares === 1024) continue;
      const l = Math.log2(shares);
      const power = 10 ** ((l * l + 125 * l) / 612 - 7 / 34);
      nearest = Math.min(nearest, Math.abs(power - Math.round(power)) / power);
    }
    expect(nearest).toBeGreaterThan(4e-10);
  });
});
