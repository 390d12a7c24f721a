// Namespace types of config.json with the clone flag and the name below /proc/PID/ns.

import type { NamespaceType } from "../config/types.ts";

interface NamespaceRow {
  readonly type: NamespaceType;
  /** CLONE_NEW flag (linux/sched.h); also what NS_GET_NSTYPE answers. */
  readonly flag: number;
  /** File below /proc/PID/ns. */
  readonly proc: string;
}

const ROWS: readonly NamespaceRow[] = [
  { type: "pid", flag: 0x20000000, proc: "pid" },
  { type: "network", flag: 0x40000000, proc: "net" },
  { type: "mount", flag: 0x00020000, proc: "mnt" },
  { type: "ipc", flag: 0x08000000, proc: "ipc" },
  { type: "uts", flag: 0x04000000, proc: "uts" },
  { type: "user", flag: 0x10000000, proc: "user" },
  { type: "cgroup", flag: 0x02000000, proc: "cgroup" },
  { type: "time", flag: 0x00000080, proc: "time" },
];

function row(type: string): NamespaceRow | undefined {
  for (let i = 0; i < ROWS.length; i++) if (ROWS[i]?.type === type) return ROWS[i];
  return undefined;
}

/** Whether `type` is one of the spec's namespace types. */
export function isNamespaceType(type: string): type is NamespaceType {
  return row(type) !== undefined;
}

/** CLONE_NEW flag of a type. */
export function namespaceFlag(type: NamespaceType): number {
  return (row(type) as NamespaceRow).flag;
}

/** Name of the file below /proc/PID/ns. */
export function namespaceFile(type: NamespaceType): string {
  return (row(type) as NamespaceRow).proc;
}

/** Type of a CLONE_NEW flag, or undefined. */
export function namespaceOfFlag(flag: number): NamespaceType | undefined {
  return ROWS.find((r) => r.flag === flag)?.type;
}

/** Every type, in the table's order. */
export function namespaceTypes(): NamespaceType[] {
  return ROWS.map((r) => r.type);
}
