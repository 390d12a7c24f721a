// cgroup v2 keeps two settings in one file, or counts one from the other, and systemd wants quota and period at once: what
// the update does not name is taken from what is in force. On v1 each setting has a file of its own.

import { hasController } from "../../cgroup/path.ts";
import type { CpuResources, MemoryResources } from "../../config/types.ts";
import type { Target } from "./apply.ts";
import type { UpdateRequest } from "./request.ts";

/** Reads a file of one of the container's cgroups; undefined when it is not there. */
type Read = (file: string) => string | undefined;

/**
 * Fills in the quota of a period, the period of a quota, and the memory limit of a limit of memory and swap together; what
 * is said of these names the field that they belong to.
 */
export function complete(request: UpdateRequest, target: Target, systemd: boolean): UpdateRequest {
  const { cpu, memory } = request.resources;
  const filled = new Map<string, string>();
  const cpuCgroup = cgroupWith("cpu", target);
  if (cpu !== undefined && (cpuCgroup.v2 || systemd)) completeCpu(cpu, cpuCgroup, filled);
  const memoryCgroup = cgroupWith("memory", target);
  if (memory !== undefined && memoryCgroup.v2) completeMemory(memory, memoryCgroup.read, filled);
  if (filled.size === 0) return request;
  return { ...request, nameOf: (pointer) => request.nameOf(filled.get(pointer) ?? pointer) };
}

function cgroupWith(controller: string, { paths, leaves }: Target): { v2: boolean; read: Read } {
  const v1 = paths.v1.find(({ name }) => hasController(name, controller));
  const leaf = leaves.get((v1 ?? paths.unified)?.path ?? "");
  return { v2: v1 === undefined, read: (file) => leaf?.read(file) };
}

function completeCpu(cpu: CpuResources, { v2, read }: { v2: boolean; read: Read }, filled: Map<string, string>): void {
  if ((cpu.quota === undefined) === (cpu.period === undefined)) return;
  // cpu.max is `QUOTA PERIOD`, or `max PERIOD`; v1's quota is -1 when there is none.
  const text = v2 ? read("cpu.max") : `${read("cpu.cfs_quota_us")} ${read("cpu.cfs_period_us")}`;
  const [quota = "", period = ""] = (text ?? "").split("\n").join("").split(" ");
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
