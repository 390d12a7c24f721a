// Signal names and numbers of x86 and arm (signal(7)), and the words that `kill` takes.

/** By number, without SIG. */
const NAMES: readonly string[] = [
  "",
  "HUP",
  "INT",
  "QUIT",
  "ILL",
  "TRAP",
  "ABRT",
  "BUS",
  "FPE",
  "KILL",
  "USR1",
  "SEGV",
  "USR2",
  "PIPE",
  "ALRM",
  "TERM",
  "STKFLT",
  "CHLD",
  "CONT",
  "STOP",
  "TSTP",
  "TTIN",
  "TTOU",
  "URG",
  "XCPU",
  "XFSZ",
  "VTALRM",
  "PROF",
  "WINCH",
  "IO",
  "PWR",
  "SYS",
];

/** Second names of the same numbers. */
const ALIASES: readonly (readonly [string, number])[] = [
  ["IOT", 6],
  ["CLD", 17],
  ["POLL", 29],
];

/** The C library keeps 32 and 33 for itself; programs see real-time signals from 34 on. */
const RTMIN = 34;
const RTMAX = 64;

/** The value of a string of 1 to 9 decimal digits, or -1. */
function decimal(text: string): number {
  if (text.length === 0 || text.length > 9) return -1;
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

/** `RTMIN`, `RTMIN+n`, `RTMAX`, `RTMAX-n`: a number, or -1. */
function realTime(name: string): number {
  const rest = name.slice(5);
  const fromMin = name.startsWith("RTMIN");
  if (!fromMin && !name.startsWith("RTMAX")) return -1;
  if (rest === "") return fromMin ? RTMIN : RTMAX;
  if (rest[0] !== (fromMin ? "+" : "-")) return -1;
  const distance = decimal(rest.slice(1));
  if (distance < 0 || distance > RTMAX - RTMIN) return -1;
  return fromMin ? RTMIN + distance : RTMAX - distance;
}

/**
 * The number for what a user may write: `9`, `KILL`, `SIGKILL`, in any case, as runc takes them, and `RTMIN+3`. 0 is a
 * signal that tests whether the process is there. undefined: no such signal.
 */
export function parseSignal(text: string): number | undefined {
  const number = decimal(text);
  if (number >= 0) return number <= RTMAX ? number : undefined;
  const upper = text.toUpperCase();
  const name = upper.startsWith("SIG") ? upper.slice(3) : upper;
  if (name === "") return undefined;
  const known = NAMES.indexOf(name);
  if (known > 0) return known;
  for (let i = 0; i < ALIASES.length; i++) if (ALIASES[i]?.[0] === name) return ALIASES[i]?.[1];
  const real = realTime(name);
  return real < 0 ? undefined : real;
}

/** `SIGKILL` for 9, `SIGRTMIN+3` for 37; `signal 32` for one without a name. */
export function signalName(number: number): string {
  const name = NAMES[number];
  if (name) return `SIG${name}`;
  if (number === RTMIN) return "SIGRTMIN";
  if (number > RTMIN && number <= RTMAX) return `SIGRTMIN+${number - RTMIN}`;
  return `signal ${number}`;
}
