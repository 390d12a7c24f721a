// berth seccomp compile|disasm|explain|simulate: what a profile means, without loading it; whatever the profile and the call are.

import { expect } from "vitest";
import { engineProfiles, resolveProfile } from "../src/seccomp/oracle-support.ts";
import type { Sandbox } from "./support/sandbox.ts";
import { suite } from "./support/suite.ts";

const OURS = { only: ["berth"] } as const;
const AS_NOBODY = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];
const PROFILE = {
  defaultAction: "SCMP_ACT_ERRNO",
  architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"],
  syscalls: [
    { names: ["read", "write"], action: "SCMP_ACT_ALLOW" },
    { names: ["socket"], action: "SCMP_ACT_KILL", args: [{ index: 0, value: 16, op: "SCMP_CMP_EQ" }] },
  ],
};

function on(t: Sandbox, profile: unknown): (...words: string[]) => ReturnType<typeof t.runtime.call> {
  const path = t.write("profile.json", typeof profile === "string" ? profile : JSON.stringify(profile));
  return (...words) => t.runtime.call(["seccomp", "--profile", path, ...words]);
}

suite("berth seccomp", (rule) => {
  rule(
    "says what a call gets, by the rules and by the filter",
    async (t) => {
      const ask = on(t, PROFILE);
      expect((await ask("explain", "socket", "16")).stdout).toContain("X86_64 socket(41): KILL_THREAD, by /syscalls/1");
      expect((await ask("explain", "socket", "0x10")).stdout).toContain("KILL_THREAD");
      expect((await ask("explain", "mkdir")).stdout).toContain("X86_64 mkdir(83): ERRNO(38)");
      expect((await ask("explain", "39")).stdout).toContain("X86_64 getpid(39): ERRNO(1), by /defaultAction");
      expect((await ask("simulate", "socket", "16")).stdout).toMatch(
        /X86_64 socket\(41\): KILL_THREAD after \d+ of \d+/,
      );
      expect((await ask("simulate", "socket", "17")).stdout).toMatch(/X86_64 socket\(41\): ERRNO\(1\) after/);
      expect((await ask("explain")).stdout).toContain("ALLOW: read write");
      expect((await ask("disasm")).stdout).toMatch(/A == 0xc000003e .*SCMP_ARCH_X86_64\n/);
      const { instructions, filter } = JSON.parse((await ask("compile", "--format", "json")).stdout);
      expect(filter.length).toBe(instructions);
    },
    OURS,
  );

  rule(
    "refuses calls and arguments that the kernel could not get",
    async (t) => {
      const ask = on(t, PROFILE);
      for (const call of ["4294967296", "-1", "0x", "1x", "99999999999999999999999", "no_such_call", ""]) {
        for (const action of ["explain", "simulate"]) {
          if (call === "" && action === "explain") continue;
          const { code, stderr } = await ask(action, ...(call.startsWith("-") ? ["--"] : []), call);
          expect([action, call, code, stderr]).toEqual([
            action,
            call,
            1,
            expect.stringMatching(/number|no system call/),
          ]);
        }
      }
      for (const value of ["18446744073709551616", "x", "1.5"]) {
        expect((await ask("simulate", "read", value)).stderr).toContain("must be an unsigned 64-bit number");
      }
    },
    OURS,
  );

  rule(
    "names the place of what is wrong in a hostile profile, at once, and never more than that",
    async (t) => {
      const deep = "[".repeat(100_000);
      const rules = Array.from({ length: 1600 }, (_, i) => ({
        names: [["read", "write", "open", "close", "stat", "fstat", "poll", "lseek"][i % 8]],
        action: "SCMP_ACT_ERRNO",
        errnoRet: i,
        args: [{ index: 0, value: i * 7919, op: "SCMP_CMP_EQ" }],
      }));
      const HOSTILE: readonly [unknown, RegExp][] = [
        ["", /invalid JSON/],
        [deep, /nesting deeper/],
        ["\0\xff{", /invalid JSON/],
        ["[]", /must be an object/],
        ["null", /no seccomp profile/],
        ['{"linux":5}', /no seccomp profile/],
        ['{"linux":{"seccomp":[]}}', /\/linux\/seccomp/],
        [{ ...PROFILE, defaultAction: "ALLOW" }, /\/defaultAction/],
        [{ ...PROFILE, architectures: ["SCMP_ARCH_MIPS64"] }, /byte order.*\/architectures\/0/],
        [
          { ...PROFILE, syscalls: [{ names: ["read"], action: "SCMP_ACT_ERRNO", errnoRet: -1 }] },
          /\/syscalls\/0\/errnoRet/,
        ],
        [{ ...PROFILE, syscalls: [{ names: [5], action: "SCMP_ACT_ALLOW" }] }, /\/syscalls\/0\/names\/0/],
        [{ defaultAction: "SCMP_ACT_ALLOW", syscalls: rules }, /too long|instructions/],
      ];
      for (const [profile, said] of HOSTILE) {
        const ask = on(t, profile);
        for (const words of [["compile"], ["simulate", "read", "5"]]) {
          const { code, stderr, stdout, timedOut } = await ask(...words);
          expect([profile, words, code, stdout, timedOut]).toEqual([profile, words, 1, "", false]);
          expect(stderr).toMatch(said);
        }
      }
    },
    { ...OURS, timeout: 120_000 },
  );

  rule(
    "needs no privilege, and takes a bundle's profile as an engine writes it",
    async (t) => {
      for (const [, profile] of engineProfiles()) {
        const bundle = t.bundle("true", (config) => {
          config.linux.seccomp = resolveProfile(profile, "SCMP_ARCH_X86_64", []) as typeof config.linux.seccomp;
        });
        const { code, stdout } = await t.runtime.call(["seccomp", "--bundle", bundle, "explain", "socket", "2"], {
          prefix: AS_NOBODY,
        });
        expect([code, stdout]).toEqual([
          0,
          expect.stringContaining("X86_64 socket(41): ALLOW, by /linux/seccomp/syscalls/"),
        ]);
        expect((await t.runtime.call(["explain", bundle])).stdout).toMatch(/X86_64: default ERRNO\(\d+\)/);
        expect((await t.runtime.call(["validate", bundle])).stderr).toBe("");
      }
    },
    OURS,
  );
});
