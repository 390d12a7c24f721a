// The architectures of a profile: what the kernel calls them (AUDIT_ARCH_ of linux/audit.h), how wide their arguments
// are compared, and which table has their system calls.

import type { ArchitectureName } from "./types.ts";

export interface Architecture {
  name: ArchitectureName;
  /** `arch` of struct seccomp_data. */
  audit: number;
  /** Arguments are compared as 64 bits; else only their low halves, as libseccomp does. */
  wide: boolean;
  bigEndian: boolean;
  /** src/tables/syscalls-<table>.gen.ts */
  table: string;
  /** What is added to the numbers of the table: the ABI's base. */
  base: number;
}

const WIDE = 0x80000000;
const LITTLE = 0x40000000;
const N32 = 0x20000000;

/** Set in the numbers of x32, which is X86_64 for the kernel otherwise. */
export const X32_BIT = 0x40000000;

const arch = (
  name: ArchitectureName,
  table: string,
  machine: number,
  bits: number,
  wide: boolean,
  base = 0,
): Architecture => ({ name, audit: (machine | bits) >>> 0, wide, bigEndian: (bits & LITTLE) === 0, table, base });

/** Machine numbers: EM_ of linux/elf-em.h. */
const ARCHITECTURES: readonly Architecture[] = [
  arch("SCMP_ARCH_X86_64", "x86_64", 62, WIDE | LITTLE, true),
  arch("SCMP_ARCH_X86", "x86", 3, LITTLE, false),
  arch("SCMP_ARCH_X32", "x32", 62, WIDE | LITTLE, false, X32_BIT),
  arch("SCMP_ARCH_AARCH64", "aarch64", 183, WIDE | LITTLE, true),
  arch("SCMP_ARCH_ARM", "arm", 40, LITTLE, false),
  arch("SCMP_ARCH_MIPS", "mips", 8, 0, false, 4000),
  arch("SCMP_ARCH_MIPSEL", "mips", 8, LITTLE, false, 4000),
  arch("SCMP_ARCH_MIPS64", "mips64", 8, WIDE, true, 5000),
  arch("SCMP_ARCH_MIPSEL64", "mips64", 8, WIDE | LITTLE, true, 5000),
  arch("SCMP_ARCH_MIPS64N32", "mips64n32", 8, WIDE | N32, false, 6000),
  arch("SCMP_ARCH_MIPSEL64N32", "mips64n32", 8, WIDE | N32 | LITTLE, false, 6000),
  arch("SCMP_ARCH_PPC", "ppc", 20, 0, false),
  arch("SCMP_ARCH_PPC64", "ppc64", 21, WIDE, true),
  arch("SCMP_ARCH_PPC64LE", "ppc64", 21, WIDE | LITTLE, true),
  arch("SCMP_ARCH_S390", "s390", 22, 0, false),
  arch("SCMP_ARCH_S390X", "s390x", 22, WIDE, true),
  arch("SCMP_ARCH_PARISC", "parisc", 15, 0, false),
  arch("SCMP_ARCH_PARISC64", "parisc64", 15, WIDE, true),
  arch("SCMP_ARCH_RISCV64", "riscv64", 243, WIDE | LITTLE, true),
  arch("SCMP_ARCH_LOONGARCH64", "loongarch64", 258, WIDE | LITTLE, true),
  arch("SCMP_ARCH_M68K", "m68k", 4, 0, false),
  arch("SCMP_ARCH_SH", "sh", 42, LITTLE, false),
  arch("SCMP_ARCH_SHEB", "sh", 42, 0, false),
];

/** Every architecture, the usual ones first. */
export const architectures = (): readonly Architecture[] => ARCHITECTURES;

export function findArchitecture(name: string): Architecture | undefined {
  for (let i = 0; i < ARCHITECTURES.length; i++) if (ARCHITECTURES[i]?.name === name) return ARCHITECTURES[i];
  return undefined;
}
