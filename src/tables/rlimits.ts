// Resource limits by number (asm-generic/resource.h; the same on x86 and arm).

const NAMES: readonly string[] = [
  "RLIMIT_CPU",
  "RLIMIT_FSIZE",
  "RLIMIT_DATA",
  "RLIMIT_STACK",
  "RLIMIT_CORE",
  "RLIMIT_RSS",
  "RLIMIT_NPROC",
  "RLIMIT_NOFILE",
  "RLIMIT_MEMLOCK",
  "RLIMIT_AS",
  "RLIMIT_LOCKS",
  "RLIMIT_SIGPENDING",
  "RLIMIT_MSGQUEUE",
  "RLIMIT_NICE",
  "RLIMIT_RTPRIO",
  "RLIMIT_RTTIME",
];

/** "No limit" in the kernel's interface. */
export const RLIM_INFINITY = 0xffffffffffffffffn;

/** Number of a name spelled as in config.json (`RLIMIT_NOFILE`: 7), or -1. */
export function rlimitNumber(name: string): number {
  return NAMES.indexOf(name);
}

/** Name of a number, or undefined. */
export function rlimitName(number: number): string | undefined {
  return NAMES[number];
}

/** Every name, in the order of the numbers. */
export function rlimitNames(): readonly string[] {
  return NAMES;
}
