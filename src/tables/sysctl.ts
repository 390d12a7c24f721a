// Which sysctls belong to a namespace, and their path below /proc/sys. The list is the one that runc allows: /proc/sys is
// not namespaced as a whole, and everything else would change the host.

import type { NamespaceType } from "../config/types.ts";

const IPC: readonly string[] = [
  "kernel/msgmax",
  "kernel/msgmnb",
  "kernel/msgmni",
  "kernel/sem",
  "kernel/shmall",
  "kernel/shmmax",
  "kernel/shmmni",
  "kernel/shm_rmid_forced",
];

/** Swaps dots and slashes. */
function swap(key: string): string {
  let path = "";
  for (let i = 0; i < key.length; i++) {
    const c = key[i] as string;
    path += c === "." ? "/" : c === "/" ? "." : c;
  }
  return path;
}

/**
 * Path below /proc/sys for a key as sysctl(8) reads it: the first separator decides whether dots or slashes separate
 * (`net.ipv4.ip_forward`, `net/ipv4/conf/eth0.1/rp_filter`). undefined when a component is empty, `.` or `..`.
 */
export function sysctlPath(key: string): string | undefined {
  const dot = key.indexOf(".");
  const slash = key.indexOf("/");
  const path = slash < 0 || (dot >= 0 && dot < slash) ? swap(key) : key;
  const parts = path.split("/");
  for (let i = 0; i < parts.length; i++) {
    if (parts[i] === "" || parts[i] === "." || parts[i] === "..") return undefined;
  }
  return path;
}

/** Type of the namespace that owns the sysctl with this path; undefined: the host. */
export function sysctlNamespace(path: string): NamespaceType | undefined {
  if (IPC.includes(path) || path.startsWith("fs/mqueue/")) return "ipc";
  if (path.startsWith("net/")) return "network";
  if (path === "kernel/hostname" || path === "kernel/domainname") return "uts";
  return path.startsWith("user/") ? "user" : undefined;
}
