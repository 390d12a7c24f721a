import { describe, expect } from "vitest";
import { disassembleCbpf } from "../bpf/cbpf-disassemble.ts";
import { checkCbpf, runCbpf, seccompData } from "../bpf/cbpf-vm.ts";
import { decodeDeviceProgram, deviceProgramLines } from "../cgroup/device-decode.ts";
import { fuzz, type Random, refused } from "../fuzz-support.ts";
import { parseJson } from "../json/parse.ts";
import { architectures } from "./architectures.ts";
import { compileFilter } from "./compile.ts";
import { describeProfile } from "./describe.ts";
import { evaluate } from "./evaluate.ts";
import { readProfile } from "./index.ts";
import { Random as RandomProfiles, randomCallArgs, randomProfile } from "./random-support.ts";
import type { CompileOptions, Seccomp } from "./types.ts";

const PIECES = [
  ...'{}[],:"',
  "null",
  "18446744073709551615",
  "18446744073709551616",
  "-1",
  "1.5",
  "6",
  '"SCMP_ACT_NOTIFY"',
  '"SCMP_ACT_ERRNO","errnoRet":4096',
  '"SCMP_ARCH_PPC64"',
  '"SCMP_CMP_MASKED_EQ"',
  '{"index":0,"value":1,"op":"SCMP_CMP_EQ"},',
  '{"names":["read","read"],"action":"SCMP_ACT_TRAP"},',
];

/** With 64-bit numbers as they are. */
const textOf = (profile: Seccomp): string =>
  JSON.stringify(profile, (_key, value: unknown) => (typeof value === "bigint" ? `@${value}@` : value)).replace(
    /"@(\d+)@"/g,
    "$1",
  );

function decides(profile: Seccomp, options: CompileOptions, filter: Uint32Array, random: Random): void {
  const calls = new RandomProfiles(random.below(1 << 30));
  for (let i = 0; i < 40; i++) {
    const { audit, bigEndian, base } = random.one(architectures());
    const nr = (random.one([0, base]) + random.below(random.one([500, 0x100000000]))) >>> 0;
    const args = randomCallArgs(calls, profile);
    const { value } = runCbpf(filter, seccompData(nr, audit, args, bigEndian));
    expect([audit, nr, args, value]).toEqual([audit, nr, args, evaluate(profile, options, audit, nr, args).value]);
  }
}

describe("whatever a profile says", () => {
  fuzz("it is a filter that the kernel takes and that decides as the rules do, or refused", (random) => {
    const arch = random.one(architectures()).name;
    const text = textOf(randomProfile(new RandomProfiles(random.below(1 << 30)), arch));
    const profile = refused(() => readProfile(parseJson(random.changed(text, PIECES))));
    if (profile === undefined) return;
    const options: CompileOptions = { arch, enosys: random.below(2) === 0 };
    const compiled = refused(() => compileFilter(profile, options));
    if (compiled === undefined) return;
    checkCbpf(compiled.filter);
    decides(profile, options, compiled.filter, random);
    expect(disassembleCbpf(compiled.filter, () => "").length).toBe(compiled.filter.length / 2);
    expect(describeProfile(profile, options).length).toBeGreaterThan(0);
  });

  fuzz("any words are a filter that ends, or none", (random) => {
    const profile = randomProfile(new RandomProfiles(random.below(1 << 30)), "SCMP_ARCH_X86_64");
    const source = refused(() => compileFilter(profile, { arch: "SCMP_ARCH_X86_64" }));
    if (source === undefined) return;
    const words = Uint32Array.from(source.filter);
    for (let i = random.below(8); i >= 0; i--) {
      words[random.below(words.length)] = random.one([0, 6, 0x15, 0xffffffff, random.below(0x100000000)]);
    }
    try {
      checkCbpf(words);
    } catch (error) {
      expect(error).toBeInstanceOf(Error);
      return;
    }
    expect(runCbpf(words, seccompData(1, 2, [])).steps).toBeLessThanOrEqual(words.length / 2);
  });

  fuzz("any words are a device program that is understood, or none", (random) => {
    const words = Uint32Array.from({ length: 2 * random.below(40) }, () =>
      random.one([0x61, 0xb7, 0x95, 0x15, 0x55, 0x05, 0x54, 0x74, random.below(0x100000000)]),
    );
    expect(Array.isArray(deviceProgramLines(words))).toBe(true);
    expect(["object", "undefined"]).toContain(typeof decodeDeviceProgram(words));
  });
});
