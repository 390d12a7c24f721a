// cpu.shares of v1 (2 to 262144, 1024 by default) as cpu.weight of v2 (1 to 10000, 100 by default).

/**
 * The formula that runc and crun use since 2025: a parabola through minimum, default and maximum,
 *
 *   weight = ceil(10 ^ ((l^2 + 125 l) / 612 - 7 / 34)), l = log2(shares)
 *
 * Doubles do: for all shares but 1024, where it is 100 exactly, the power is at least 4e-10 (relative) away from an integer,
 * ten thousand times what any mathematical library is wrong by (cpu-weight.test.ts).
 */
export function cpuWeight(shares: bigint): number {
  if (shares <= 2n) return 1;
  if (shares >= 262144n) return 10000;
  if (shares === 1024n) return 100;
  const l = Math.log2(Number(shares));
  return Math.ceil(10 ** ((l * l + 125 * l) / 612 - 7 / 34));
}
