// Capability names by number (linux/capability.h). A set of capabilities is a bigint: bit n is capability n.

const NAMES: readonly string[] = [
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_DAC_READ_SEARCH",
  "CAP_FOWNER",
  "CAP_FSETID",
  "CAP_KILL",
  "CAP_SETGID",
  "CAP_SETUID",
  "CAP_SETPCAP",
  "CAP_LINUX_IMMUTABLE",
  "CAP_NET_BIND_SERVICE",
  "CAP_NET_BROADCAST",
  "CAP_NET_ADMIN",
  "CAP_NET_RAW",
  "CAP_IPC_LOCK",
  "CAP_IPC_OWNER",
  "CAP_SYS_MODULE",
  "CAP_SYS_RAWIO",
  "CAP_SYS_CHROOT",
  "CAP_SYS_PTRACE",
  "CAP_SYS_PACCT",
  "CAP_SYS_ADMIN",
  "CAP_SYS_BOOT",
  "CAP_SYS_NICE",
  "CAP_SYS_RESOURCE",
  "CAP_SYS_TIME",
  "CAP_SYS_TTY_CONFIG",
  "CAP_MKNOD",
  "CAP_LEASE",
  "CAP_AUDIT_WRITE",
  "CAP_AUDIT_CONTROL",
  "CAP_SETFCAP",
  "CAP_MAC_OVERRIDE",
  "CAP_MAC_ADMIN",
  "CAP_SYSLOG",
  "CAP_WAKE_ALARM",
  "CAP_BLOCK_SUSPEND",
  "CAP_AUDIT_READ",
  "CAP_PERFMON",
  "CAP_BPF",
  "CAP_CHECKPOINT_RESTORE",
];

/** The highest capability number that Berth knows. */
export const CAP_LAST = NAMES.length - 1;

/** Number of a name spelled as in config.json (`CAP_CHOWN`: 0), or -1. */
export function capabilityNumber(name: string): number {
  return NAMES.indexOf(name);
}

/** Name of a number, or undefined. */
export function capabilityName(number: number): string | undefined {
  return NAMES[number];
}

/** Every name, in the order of the numbers. */
export function capabilityNames(): readonly string[] {
  return NAMES;
}

/** Names in a mask, in the order of the numbers; bits without a name are left out. */
export function capabilitiesOf(mask: bigint): string[] {
  return NAMES.filter((_, number) => mask & (1n << BigInt(number)));
}
