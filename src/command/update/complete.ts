// cgroup v2 keeps two settings in one file, or counts one from the other: what the update does not name is taken from what
// is in force. On v1 each setting has a file of its own.

import type { CpuResources, MemoryResources, Resources } from "../../config/types.ts";

/** Reads a file of the container's v2 cgroup; undefined when it is not there. */
type Read = (file: string) => string | undefined;

/**
 * Fills in the quota of a period, the period of a quota, and the memory limit of a limit of memory and swap together.
 * Gives the pointers of what was filled in, each with that of the field it belongs to.
 */
export function complete(resources: Resources, has: (controller: string) => boolean, read: Read): Map<string, string> {
  const filled = new Map<string, string>();
  if (resources.cpu !== undefined && has("cpu")) completeCpu(resources.cpu, read, filled);
  if (resources.memory !== undefined && has("memory")) completeMemory(resources.memory, read, filled);
  return filled;
}

/** cpu.max: `QUOTA PERIOD`, or `max PERIOD`. */
function completeCpu(cpu: CpuResources, read: Read, filled: Map<string, string>): void {
  if ((cpu.quota === undefined) === (cpu.period === undefined)) return;
  const [quota = "", period = ""] = (read("cpu.max") ?? "").trim().split(" ");
  if (cpu.quota === undefined && isNumber(quota)) {
    cpu.quota = BigInt(quota);
    filled.set("/cpu/quota", "/cpu/period");
  } else if (cpu.period === undefined && isNumber(period)) {
    cpu.period = BigInt(period);
    filled.set("/cpu/period", "/cpu/quota");
  }
}

function completeMemory(memory: MemoryResources, read: Read, filled: Map<string, string>): void {
  if (memory.swap === undefined || memory.swap === -1n || memory.limit !== undefined) return;
  const limit = (read("memory.max") ?? "").trim();
  if (!isNumber(limit)) return;
  memory.limit = BigInt(limit);
  filled.set("/memory/limit", "/memory/swap");
}

function isNumber(text: string): boolean {
  for (let i = 0; i < text.length; i++) if ((text[i] as string) < "0" || (text[i] as string) > "9") return false;
  return text !== "";
}
