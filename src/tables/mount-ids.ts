// Whose ids an idmapped mount has: its own mappings, those of crun's option `idmap=uids=…;gids=…`, or with `idmap` and
// `ridmap` alone those of the container's user namespace.

import type { Config, IdMapping, Linux, Mount } from "../config/types.ts";
import { mountOptions } from "./mount-options.ts";

export interface MountIds {
  uids: readonly IdMapping[];
  gids: readonly IdMapping[];
}

/** Whether anything asks for ids; what is wrong with it, mountIds tells. */
export function isIdmapped({ options, uidMappings, gidMappings }: Mount): boolean {
  return uidMappings !== undefined || gidMappings !== undefined || mountOptions(options).idmap !== undefined;
}

/**
 * The ids of an idmapped mount, the path of the joined user namespace that has them, or undefined when nothing says which.
 * Throws SyntaxError for a malformed `idmap=`.
 */
export function mountIds(mount: Mount, { linux }: Config): MountIds | string | undefined {
  const { uidMappings, gidMappings } = mount;
  if (uidMappings !== undefined || gidMappings !== undefined) {
    return { uids: uidMappings ?? [], gids: gidMappings ?? [] };
  }
  const option = mountOptions(mount.options).idmap ?? "";
  const equals = option.indexOf("=");
  if (equals >= 0 && equals < option.length - 1) return parseIds(option.slice(equals + 1), linux);
  for (const { type, path } of linux.namespaces) {
    if (type === "user") return path ?? { uids: linux.uidMappings, gids: linux.gidMappings };
  }
  return undefined;
}

/** `uids=0-1000-10#10-2000-5;gids=…`: file system id, id of the mount, how many; `@` before them: see relative. */
function parseIds(text: string, linux: Linux): MountIds {
  const ids = { uids: [] as IdMapping[], gids: [] as IdMapping[] };
  for (const part of text.split(";")) {
    if (part === "") continue;
    const kind = part.slice(0, 5);
    if (kind !== "uids=" && kind !== "gids=") throw new SyntaxError(`has ${JSON.stringify(part)}`);
    const mappings = kind === "uids=" ? linux.uidMappings : linux.gidMappings;
    ids[kind === "uids=" ? "uids" : "gids"] = part
      .slice(5)
      .split("#")
      .map((range) => parseRange(range, mappings));
  }
  return ids;
}

function parseRange(text: string, mappings: readonly IdMapping[]): IdMapping {
  const relative = text.startsWith("@");
  const [containerID, hostID, size, ...rest] = (relative ? text.slice(1) : text).split("-").map(parseId);
  if (containerID === undefined || hostID === undefined || size === undefined || size === 0 || rest.length > 0) {
    throw new SyntaxError(`has ${JSON.stringify(text)}`);
  }
  return { containerID, hostID: relative ? hostIdOf(hostID, mappings, text) : hostID, size };
}

function parseId(digits: string): number | undefined {
  for (let i = 0; i < digits.length; i++)
    if ((digits[i] as string) < "0" || (digits[i] as string) > "9") return undefined;
  const id = digits === "" || digits.length > 10 ? Number.NaN : Number(digits);
  return id <= 0xfffffffe ? id : undefined;
}

/** With `@` the second number is an id of the container's user namespace. */
function hostIdOf(id: number, mappings: readonly IdMapping[], text: string): number {
  for (const { containerID, hostID, size } of mappings) {
    if (id >= containerID && id < containerID + size) return hostID + id - containerID;
  }
  throw new SyntaxError(`has ${JSON.stringify(text)}, which linux.uidMappings and gidMappings do not map`);
}
