// memory: v1 counts memory and swap together, v2 counts swap by itself.

import type { MemoryResources, Resources } from "../config/types.ts";
import type { LimitWriter } from "./resources-write.ts";

/**
 * The limit must not be above the one of memory and swap at any time: whichever goes first, EINVAL says that it is the
 * other's turn. Raising both, the kernel refuses the limit first and takes it at the second try.
 */
export function memoryV1(w: LimitWriter, resources: Resources): void {
  const { limit, swap, reservation, swappiness, disableOOMKiller } = resources.memory as MemoryResources;
  if (limit !== undefined) {
    const retry = swap !== undefined || limit === -1n;
    w.write("memory.limit_in_bytes", limit, "/memory/limit", retry ? { retry: true } : {});
  }
  // As in runc: no limit of memory without one of swap would be none.
  if (swap !== undefined) w.write("memory.memsw.limit_in_bytes", swap, "/memory/swap");
  else if (limit === -1n) w.write("memory.memsw.limit_in_bytes", -1, "/memory/limit", { optional: true });
  if (reservation !== undefined) w.write("memory.soft_limit_in_bytes", reservation, "/memory/reservation");
  if (disableOOMKiller) w.write("memory.oom_control", 1, "/memory/disableOOMKiller");
  if (swappiness !== undefined) w.write("memory.swappiness", swappiness, "/memory/swappiness");
}

/** Throws RuntimeError for limits that do not go together. */
export function memoryV2(w: LimitWriter, resources: Resources): void {
  const memory = resources.memory as MemoryResources;
  const { limit, reservation, swappiness, disableOOMKiller } = memory;
  if (swappiness !== undefined) w.ignore("/memory/swappiness", "cgroup v2 has no swappiness");
  if (disableOOMKiller) w.ignore("/memory/disableOOMKiller", "cgroup v2 cannot disable the OOM killer");
  const above = usageCheck(memory);
  const swap = swapMax(w, memory);
  if (swap !== undefined) {
    // Without swap accounting there is no file, and nothing that "max" or "0" would change.
    const optional = swap === "max" || swap === "0" ? { optional: true as const } : {};
    w.write("memory.swap.max", swap, memory.swap === undefined ? "/memory/limit" : "/memory/swap", {
      ...optional,
      ...above,
    });
  }
  if (limit !== undefined) w.write("memory.max", max(limit), "/memory/limit", swap === undefined ? above : {});
  if (reservation !== undefined) w.write("memory.low", max(reservation), "/memory/reservation");
}

function max(value: bigint): string {
  return value === -1n ? "max" : String(value);
}

/** memory.swap.max of a limit that counts memory and swap together; undefined: it stays as it is. */
function swapMax(w: LimitWriter, { limit, swap }: MemoryResources): string | undefined {
  if (swap === undefined) return limit === -1n ? "max" : undefined;
  if (swap === -1n || limit === -1n) return max(swap);
  if (limit === undefined) {
    w.refuse("/memory/swap", "counts memory and swap together: cgroup v2 needs the memory limit, too");
  }
  if (swap < limit) w.refuse("/memory/swap", `must be at least the memory limit ${limit}, got ${swap}`);
  return String(swap - limit);
}

/** checkBeforeUpdate: v1's kernel refuses a limit below the usage by itself, v2's would kill. */
function usageCheck({ checkBeforeUpdate, limit, swap }: MemoryResources): {
  above?: { file: string; value: string };
} {
  const value = limit !== undefined && limit > 0n ? limit : swap;
  if (!checkBeforeUpdate || value === undefined || value <= 0n) return {};
  return { above: { file: "memory.current", value: String(value) } };
}
