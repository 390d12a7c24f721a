// The limits of linux.resources, section by section. 0 means "not set" wherever the kernel has no use for a 0, as in runc;
// where it is a limit (pids, swappiness, huge pages) it is one.

import {
  type Context,
  enter,
  INT64_MAX,
  INT64_MIN,
  type JsonObject,
  leave,
  missing,
  readBig,
  readEach,
  readElement,
  readInteger,
  readMap,
  readObject,
  readWord,
  report,
  UINT64_MAX,
  wrong,
} from "./context.ts";
import { decodeBlockIO } from "./limit-block-io.ts";
import { decodeCpu } from "./limit-cpu.ts";
import { decodeMemory } from "./limit-memory.ts";
import { decodeNetwork } from "./limit-network.ts";
import type { Resources } from "./types.ts";

const UINT32_MAX = 0xffffffff;

/** Fills in what the sections of the object ask for. */
export function decodeLimits(c: Context, object: JsonObject, resources: Resources): void {
  const memory = decodeMemory(c, object.memory);
  if (memory !== undefined) resources.memory = memory;
  const cpu = decodeCpu(c, object.cpu);
  if (cpu !== undefined) resources.cpu = cpu;
  const limit = decodePids(c, object.pids);
  if (limit !== undefined) resources.pids = { limit };
  const blockIO = decodeBlockIO(c, object.blockIO);
  if (blockIO !== undefined) resources.blockIO = blockIO;
  const hugepageLimits = readEach(c, object.hugepageLimits, "hugepageLimits", decodeHugepageLimit);
  if (hugepageLimits.length > 0) resources.hugepageLimits = hugepageLimits;
  const network = decodeNetwork(c, object.network);
  if (network !== undefined) resources.network = network;
  const rdma = decodeRdma(c, object.rdma);
  if (rdma.size > 0) resources.rdma = rdma;
  const unified = decodeUnified(c, object.unified);
  if (unified.size > 0) resources.unified = unified;
}

/** -1, and every negative number in runc, is "no limit"; 0 is a limit since runtime-spec 1.3. */
function decodePids(c: Context, value: unknown): bigint | undefined {
  const object = readObject(c, value, "pids");
  if (object === undefined) return undefined;
  enter(c, "pids");
  const limit = readBig(c, object.limit, "limit", INT64_MIN, INT64_MAX);
  leave(c);
  return limit;
}

/** `2MB`: it becomes part of a file's name. */
function isPageSize(size: string): boolean {
  const unit = size.at(-2);
  if (!size.endsWith("B") || (unit !== "K" && unit !== "M" && unit !== "G")) return false;
  const digits = size.slice(0, -2);
  if (digits === "" || digits.startsWith("0")) return false;
  for (let i = 0; i < digits.length; i++) if ((digits[i] as string) < "0" || (digits[i] as string) > "9") return false;
  return true;
}

function decodeHugepageLimit(c: Context, value: unknown): { pageSize: string; limit: bigint } | undefined {
  const object = readElement(c, value);
  if (object === undefined) return undefined;
  const pageSize = readWord(c, object.pageSize, "pageSize");
  if (pageSize === undefined) {
    if (object.pageSize === undefined || object.pageSize === null || object.pageSize === "") missing(c, "pageSize");
  } else if (!isPageSize(pageSize)) {
    wrong(c, "pageSize", 'a page size such as "64KB", "2MB" or "1GB"', pageSize);
  }
  if (object.limit === undefined || object.limit === null) missing(c, "limit");
  return { pageSize: pageSize ?? "", limit: readBig(c, object.limit, "limit", 0n, UINT64_MAX) ?? 0n };
}

function decodeRdma(c: Context, value: unknown): Map<string, { hcaHandles?: number; hcaObjects?: number }> {
  const devices = new Map<string, { hcaHandles?: number; hcaObjects?: number }>();
  const object = readObject(c, value, "rdma");
  if (object === undefined) return devices;
  enter(c, "rdma");
  for (const name of Object.keys(object).sort()) {
    // It is the first word of a line for the kernel.
    if (!isWordForKernel(name)) report(c, "invalid", name, "must be a device name without white space");
    const limits = object[name] === null ? undefined : readObject(c, object[name], name);
    enter(c, name);
    const hcaHandles = readInteger(c, limits?.hcaHandles, "hcaHandles", 0, UINT32_MAX);
    const hcaObjects = readInteger(c, limits?.hcaObjects, "hcaObjects", 0, UINT32_MAX);
    const given = (key: "hcaHandles" | "hcaObjects"): boolean => limits?.[key] !== undefined && limits[key] !== null;
    if (object[name] === null || (limits !== undefined && !given("hcaHandles") && !given("hcaObjects"))) {
      report(c, "invalid", undefined, "must have hcaHandles or hcaObjects");
    }
    devices.set(name, {
      ...(hcaHandles === undefined ? {} : { hcaHandles }),
      ...(hcaObjects === undefined ? {} : { hcaObjects }),
    });
    leave(c);
  }
  leave(c);
  return devices;
}

/** Not empty, no white space, no control character. */
function isWordForKernel(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) <= 0x20 || text.charCodeAt(i) === 0x7f) return false;
  return text !== "";
}

/**
 * File names of the container's cgroup and what is written to them. An empty value is refused: the kernel takes it as 0
 * for memory.max and its like, crun leaves it out, runc writes it; nobody can mean it.
 */
function decodeUnified(c: Context, value: unknown): Map<string, string> {
  const unified = readMap(c, value, "unified");
  enter(c, "unified");
  for (const [key, data] of unified) {
    if (key === "") continue; // readMap has said so
    if (key.includes("/") || key.indexOf(".") < 1 || key === "..") {
      report(c, "invalid", key, "must be the name of a cgroup file, CONTROLLER.PARAMETER");
    }
    if (data === "") wrong(c, key, "a value to write", data);
  }
  leave(c);
  return unified;
}
