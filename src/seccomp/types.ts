// linux.seccomp of config.json, decoded (config-linux.md, "Seccomp"), and what it is compiled to.

export type ActionName =
  | "SCMP_ACT_KILL"
  | "SCMP_ACT_KILL_THREAD"
  | "SCMP_ACT_KILL_PROCESS"
  | "SCMP_ACT_TRAP"
  | "SCMP_ACT_ERRNO"
  | "SCMP_ACT_TRACE"
  | "SCMP_ACT_LOG"
  | "SCMP_ACT_NOTIFY"
  | "SCMP_ACT_ALLOW";

export type OperatorName =
  | "SCMP_CMP_NE"
  | "SCMP_CMP_LT"
  | "SCMP_CMP_LE"
  | "SCMP_CMP_EQ"
  | "SCMP_CMP_GE"
  | "SCMP_CMP_GT"
  | "SCMP_CMP_MASKED_EQ";

export type FlagName =
  | "SECCOMP_FILTER_FLAG_TSYNC"
  | "SECCOMP_FILTER_FLAG_LOG"
  | "SECCOMP_FILTER_FLAG_SPEC_ALLOW"
  | "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV";

export type ArchitectureName =
  | "SCMP_ARCH_X86"
  | "SCMP_ARCH_X86_64"
  | "SCMP_ARCH_X32"
  | "SCMP_ARCH_ARM"
  | "SCMP_ARCH_AARCH64"
  | "SCMP_ARCH_MIPS"
  | "SCMP_ARCH_MIPS64"
  | "SCMP_ARCH_MIPS64N32"
  | "SCMP_ARCH_MIPSEL"
  | "SCMP_ARCH_MIPSEL64"
  | "SCMP_ARCH_MIPSEL64N32"
  | "SCMP_ARCH_PPC"
  | "SCMP_ARCH_PPC64"
  | "SCMP_ARCH_PPC64LE"
  | "SCMP_ARCH_S390"
  | "SCMP_ARCH_S390X"
  | "SCMP_ARCH_PARISC"
  | "SCMP_ARCH_PARISC64"
  | "SCMP_ARCH_RISCV64"
  | "SCMP_ARCH_LOONGARCH64"
  | "SCMP_ARCH_M68K"
  | "SCMP_ARCH_SH"
  | "SCMP_ARCH_SHEB";

export interface Seccomp {
  defaultAction: ActionName;
  /** Of ERRNO and TRACE; absent: EPERM. */
  defaultErrnoRet?: number;
  /** Without repetitions; the native one is always covered, named or not. */
  architectures: ArchitectureName[];
  /** Absent is not the same as empty: then SPEC_ALLOW is set, as runc and crun do. */
  flags?: FlagName[];
  listenerPath?: string;
  listenerMetadata?: string;
  syscalls: SeccompRule[];
}

export interface SeccompRule {
  names: string[];
  action: ActionName;
  /** Of ERRNO and TRACE; absent: EPERM. */
  errnoRet?: number;
  /** All must hold; but when an index comes twice, each of them is a rule of its own (runc, crun). */
  args: SeccompArg[];
}

export interface SeccompArg {
  /** 0..5. */
  index: number;
  /** The mask of MASKED_EQ. */
  value: bigint;
  /** What the masked argument is compared to; of MASKED_EQ only. */
  valueTwo: bigint;
  op: OperatorName;
}

export interface CompileOptions {
  /** The architecture of the machine: always covered, and its numbers are looked at first. */
  arch: ArchitectureName;
  /** [major, minor] of the kernel that is to run the filter; absent: it has everything. */
  kernel?: readonly [number, number];
  /** False leaves out the rule that calls newer than the profile get ENOSYS; for comparisons. */
  enosys?: boolean;
  /** Refuse names that no architecture knows instead of skipping them (crun's run.oci.seccomp_fail_unknown_syscall). */
  failUnknown?: boolean;
  /** Where the profile is in its document, for errors; absent: /linux/seccomp. */
  base?: string;
}

export interface CompiledFilter {
  /** struct sock_filter, two words each, as a little-endian machine has them; see `filterBytes` for the other kind. */
  filter: Uint32Array;
  /** SECCOMP_FILTER_FLAG_ bits for seccomp(2), NEW_LISTENER among them when `listener`. */
  flags: number;
  /** A rule says NOTIFY: the descriptor that seccomp(2) returns goes to listenerPath. */
  listener: boolean;
  /** Places of the names that were skipped, as JSON pointers. */
  unknown: string[];
  /** Steps that the compiler has made; a profile that needs far too many is refused. */
  work: number;
}
