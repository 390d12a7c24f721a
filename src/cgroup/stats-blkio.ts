// Block I/O: v1's files, of which there are several generations, and v2's io.stat, as the same tables.

import type { BlkioEntry, BlkioTable, CgroupFiles, Stats } from "./stats.ts";
import { lines, malformed, parseUint, words } from "./stats-text.ts";

/** The files of a v1 scheduler that accounts for everything: those of CFQ, and BFQ's with its statistics compiled in. */
const SCHEDULER: readonly [file: string, table: BlkioTable][] = [
  ["sectors_recursive", "sectorsRecursive"],
  ["io_service_time_recursive", "ioServiceTimeRecursive"],
  ["io_wait_time_recursive", "ioWaitTimeRecursive"],
  ["io_merged_recursive", "ioMergedRecursive"],
  ["io_queued_recursive", "ioQueueRecursive"],
  ["time_recursive", "ioTimeRecursive"],
  ["io_serviced_recursive", "ioServicedRecursive"],
  ["io_service_bytes_recursive", "ioServiceBytesRecursive"],
];
const RECURSIVE = SCHEDULER.slice(-2);
const OWN: readonly [file: string, table: BlkioTable][] = [
  ["io_serviced", "ioServicedRecursive"],
  ["io_service_bytes", "ioServiceBytesRecursive"],
];

/** In the order of preference. */
const GENERATIONS: readonly [prefix: string, files: readonly [string, BlkioTable][]][] = [
  ["blkio.bfq.", SCHEDULER],
  ["blkio.bfq.", RECURSIVE],
  ["blkio.", SCHEDULER],
  ["blkio.throttle.", RECURSIVE],
  ["blkio.throttle.", OWN],
];

/** A generation counts when its first file has entries; it is read up to the first file that has none, as in runc. */
export function readBlkioV1(files: CgroupFiles, stats: Stats): void {
  for (const [prefix, group] of GENERATIONS) {
    for (const [i, [name, table]] of group.entries()) {
      const entries = readTable(files, prefix + name);
      if (entries.length === 0) {
        if (i === 0) break;
        return;
      }
      stats.blkio.tables.set(table, entries);
      if (i === group.length - 1) return;
    }
  }
}

/** Lines of `8:0 Read 1282048` or `8:0 6792`, and a last `Total 3477504`. None without the file. */
function readTable(files: CgroupFiles, file: string): BlkioEntry[] {
  const entries: BlkioEntry[] = [];
  for (const line of lines(files.read(file) ?? "")) {
    const [device = "", ...rest] = words(line);
    if (device === "Total" && rest.length === 1) continue;
    const numbers = parseDevice(device);
    const value = parseUint(rest[rest.length - 1] ?? "");
    if (numbers === undefined || value === undefined || rest.length > 2) malformed(files, file, line);
    entries.push({ ...numbers, op: rest.length === 2 ? (rest[0] as string) : "", value });
  }
  return entries;
}

/** io.stat's fields by their place in v1's tables; others have none (discards, io.cost). */
const IO_STAT: ReadonlyMap<string, [table: BlkioTable, op: string]> = new Map([
  ["rbytes", ["ioServiceBytesRecursive", "Read"]],
  ["wbytes", ["ioServiceBytesRecursive", "Write"]],
  ["rios", ["ioServicedRecursive", "Read"]],
  ["wios", ["ioServicedRecursive", "Write"]],
]);

/**
 * Lines of `8:0 rbytes=90112 wbytes=299008000 rios=6 wios=14592 dbytes=0 dios=0`. Some kernels print a device that has
 * done nothing without fields and without a newline behind it, so that the next one follows on the same line.
 */
export function readIoStat(files: CgroupFiles, stats: Stats): void {
  const file = "io.stat";
  for (const line of lines(files.read(file) ?? "")) {
    let device: ReturnType<typeof parseDevice>;
    for (const word of words(line)) {
      const next = parseDevice(word);
      if (next !== undefined) device = next;
      const equals = word.indexOf("=");
      const place = IO_STAT.get(word.slice(0, Math.max(equals, 0)));
      if (place === undefined) continue;
      const value = parseUint(word.slice(equals + 1));
      if (device === undefined || value === undefined) malformed(files, file, line);
      append(stats, place[0], { ...device, op: place[1], value });
    }
  }
}

function append({ blkio: { tables } }: Stats, table: BlkioTable, entry: BlkioEntry): void {
  const entries = tables.get(table);
  if (entries === undefined) tables.set(table, [entry]);
  else entries.push(entry);
}

/** `8:0`. */
function parseDevice(text: string): { major: bigint; minor: bigint } | undefined {
  const colon = text.indexOf(":");
  if (colon < 0) return undefined;
  const major = parseUint(text.slice(0, colon));
  const minor = parseUint(text.slice(colon + 1));
  return major === undefined || minor === undefined ? undefined : { major, minor };
}
