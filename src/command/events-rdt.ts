// Statistics of a container's resctrl groups, as runc prints them (types/events.go: `intel_rdt`).

import { parseUint } from "../cgroup/stats-text.ts";
import { listGroup, type RecordedResctrl, readGroupFile, resctrlPath } from "../container/resctrl.ts";
import { RuntimeError } from "../errors/runtime-error.ts";
import { must } from "../host/must.ts";
import type { Native } from "../host/native.gen.ts";
import type { Json } from "../json/write.ts";
import { schemaOf } from "../resctrl/schemata.ts";

type JsonObject = { readonly [key: string]: Json };

/** Throws RuntimeError for what cannot be read. */
export function rdtStats(native: Native, recorded: RecordedResctrl): JsonObject {
  const { root, group, monitor } = recorded;
  const read = (folder: string, file: string): string => {
    const path = resctrlPath(root, folder, file);
    return (must(readGroupFile(native, root, folder, file), { operation: "read", path }) as string).trim();
  };
  const number = (folder: string, file: string): bigint => {
    const text = read(folder, file);
    const value = parseUint(text);
    if (value !== undefined) return value;
    const path = resctrlPath(root, folder, file);
    throw new RuntimeError({ message: `must be a number, got ${JSON.stringify(text)}`, path });
  };
  const info = listGroup(native, root, "info");
  const [all, own] = [read("", "schemata"), read(group, "schemata")];
  const cache = info.includes("L3") ? cacheStats(read, number, all, own) : {};
  const bandwidth = info.includes("MB") ? bandwidthStats(number, all, own) : {};
  const features = info.includes("L3_MON") ? read("info/L3_MON", "mon_features").split("\n") : [];
  const where = monitor ?? group;
  const data = where === "" ? "mon_data" : `${where}/mon_data`;
  const domains = features.length === 0 ? [] : listGroup(native, root, data).sort();
  return { ...cache, ...bandwidth, schemata: own.split("\n"), ...monitorStats(domains, data, features, number) };
}

type ReadText = (folder: string, file: string) => string;
type ReadNumber = (folder: string, file: string) => bigint;

const unlessZero = (value: bigint): bigint | undefined => (value === 0n ? undefined : value);
const unlessEmpty = (text: string | undefined): string | undefined => text || undefined;

function cacheStats(read: ReadText, number: ReadNumber, all: string, own: string): JsonObject {
  return {
    l3_cache_info: {
      cbm_mask: unlessEmpty(read("info/L3", "cbm_mask")),
      min_cbm_bits: unlessZero(number("info/L3", "min_cbm_bits")),
      num_closids: unlessZero(number("info/L3", "num_closids")),
    },
    l3_cache_schema_root: unlessEmpty(schemaOf("L3", all)),
    l3_cache_schema: unlessEmpty(schemaOf("L3", own)),
  };
}

function bandwidthStats(number: ReadNumber, all: string, own: string): JsonObject {
  return {
    mem_bw_info: {
      bandwidth_gran: unlessZero(number("info/MB", "bandwidth_gran")),
      delay_linear: unlessZero(number("info/MB", "delay_linear")),
      min_bandwidth: unlessZero(number("info/MB", "min_bandwidth")),
      num_closids: unlessZero(number("info/MB", "num_closids")),
    },
    mem_bw_schema_root: unlessEmpty(schemaOf("MB", all)),
    mem_bw_schema: unlessEmpty(schemaOf("MB", own)),
  };
}

/** One entry for each domain; what the machine does not count is 0. Without any, runc's null. */
function monitorStats(
  domains: readonly string[],
  data: string,
  features: readonly string[],
  number: ReadNumber,
): JsonObject {
  const value = (domain: string, file: string): bigint =>
    features.includes(file) ? number(`${data}/${domain}`, file) : 0n;
  const each = (entry: (domain: string) => JsonObject): Json => (domains.length === 0 ? null : domains.map(entry));
  const [total, local, cache] = ["mbm_total_bytes", "mbm_local_bytes", "llc_occupancy"] as const;
  const counts = features.includes(total) || features.includes(local);
  return {
    mbm_stats: counts
      ? each((domain) => ({ [total]: value(domain, total), [local]: value(domain, local) }))
      : undefined,
    cmt_stats: features.includes(cache) ? each((domain) => ({ [cache]: value(domain, cache) })) : undefined,
  };
}
