// Random profiles and calls for tests, from a seed.

import { architectures } from "./architectures.ts";
import type { ActionName, ArchitectureName, OperatorName, Seccomp, SeccompArg, SeccompRule } from "./types.ts";

export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** 0..max - 1; mulberry32. */
  below(max: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * max);
  }

  chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  one<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }
}

/** Calls that are special somewhere: multiplexed, absent, with a second name, old, new, and the multiplexers. */
export const CALLS = (
  "read write open openat clone clone3 personality ptrace bpf mount socket connect accept4 sendmsg socketcall ipc semop " +
  "shmat msgctl setup cacheflush arm_sync_file_range sync_file_range2 close_range futex_waitv io_uring_setup kill " +
  "arch_prctl s390_runtime_instr rt_sigreturn _llseek statx faccessat2"
).split(" ");

const ACTIONS: readonly ActionName[] = [
  "SCMP_ACT_ALLOW",
  "SCMP_ACT_ERRNO",
  "SCMP_ACT_KILL_PROCESS",
  "SCMP_ACT_KILL",
  "SCMP_ACT_TRAP",
  "SCMP_ACT_TRACE",
  "SCMP_ACT_LOG",
];

const OPERATORS: readonly OperatorName[] = [
  "SCMP_CMP_NE",
  "SCMP_CMP_LT",
  "SCMP_CMP_LE",
  "SCMP_CMP_EQ",
  "SCMP_CMP_GE",
  "SCMP_CMP_GT",
  "SCMP_CMP_MASKED_EQ",
];

/** Where the halves meet and end. */
const VALUES = [
  0n,
  1n,
  2n,
  8n,
  0x7fffffffn,
  0x80000000n,
  0xfffffffen,
  0xffffffffn,
  0x100000000n,
  0x100000001n,
  0x1ffffffffn,
  0x200000000n,
  0x7e02000000000000n,
  0x7fffffffffffffffn,
  0xffffffff00000000n,
  0xffffffffffffffffn,
];

export const value = (random: Random): bigint =>
  random.chance(80) ? random.one(VALUES) : (BigInt(random.below(2 ** 32)) << 32n) | BigInt(random.below(2 ** 32));

function randomArgs(random: Random, repeat: boolean): SeccompArg[] {
  const args: SeccompArg[] = [];
  const count = random.one([0, 0, 0, 1, 1, 1, 2, 3]);
  for (let i = 0; i < count; i++) {
    const index = random.below(4);
    if (!repeat && args.some((arg) => arg.index === index)) continue;
    args.push({ index, op: random.one(OPERATORS), value: value(random), valueTwo: value(random) });
  }
  return args;
}

function randomRule(random: Random, calls: readonly string[], actions: readonly ActionName[]): SeccompRule {
  const names = Array.from({ length: 1 + random.below(6) }, () => random.one(calls));
  const action = random.one(actions);
  const rule: SeccompRule = { names, action, args: randomArgs(random, random.chance(5)) };
  if ((action === "SCMP_ACT_ERRNO" || action === "SCMP_ACT_TRACE") && random.chance(50))
    rule.errnoRet = random.below(40);
  return rule;
}

/** Profiles for that machine; `actions` limits what its rules may say. */
export function randomProfile(
  random: Random,
  native: ArchitectureName,
  calls: readonly string[] = CALLS,
  actions: readonly ActionName[] = ACTIONS,
): Seccomp {
  const isBig = architectures().find(({ name }) => name === native)?.bigEndian;
  const others = architectures().filter(({ bigEndian, name }) => bigEndian === isBig && name !== native);
  const defaultAction = random.one(ACTIONS);
  const profile: Seccomp = {
    defaultAction,
    architectures: random.chance(40) ? [] : others.filter(() => random.chance(25)).map(({ name }) => name),
    syscalls: Array.from({ length: random.below(14) }, () => randomRule(random, calls, actions)),
  };
  if (random.chance(70)) profile.architectures.unshift(native);
  if (defaultAction === "SCMP_ACT_ERRNO" && random.chance(50)) profile.defaultErrnoRet = random.one([1, 38]);
  return profile;
}

/** Arguments around what the rules ask for. */
export function randomCallArgs(random: Random, profile: Seccomp): bigint[] {
  const known = profile.syscalls.flatMap(({ args }) => args.flatMap((arg) => [arg.value, arg.valueTwo]));
  return Array.from({ length: 6 }, () => {
    const near = known.length > 0 && random.chance(70) ? random.one(known) : value(random);
    return BigInt.asUintN(64, near + BigInt(random.one([0, 0, 0, 1, -1])));
  });
}
