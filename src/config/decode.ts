// config.json: parsed JSON becomes a Config. Every field is decoded in one place, in the file of its section; fields that
// the spec does not know are ignored, as it asks.

import {
  type Context,
  enter,
  type JsonObject,
  leave,
  missing,
  readFlag,
  readMap,
  readObject,
  readWord,
  report,
  show,
  wrong,
} from "./context.ts";
import { decodeHooks } from "./hooks.ts";
import { decodeLinux } from "./linux.ts";
import { decodeMounts } from "./mounts.ts";
import { decodeProcess } from "./process.ts";
import type { Config, Root } from "./types.ts";

function decodeRoot(c: Context, value: unknown): Root {
  if (value === undefined || value === null) missing(c, "root");
  const object = readObject(c, value, "root");
  if (object === undefined) return { path: "", readonly: false };
  enter(c, "root");
  const path = readWord(c, object.path, "path");
  if (path === undefined && (object.path === undefined || object.path === null || object.path === ""))
    missing(c, "path");
  const root = { path: path ?? "", readonly: readFlag(c, object.readonly, "readonly") };
  leave(c);
  return root;
}

/** The spec is at major version 1; runc looks at the version no closer. */
function decodeVersion(c: Context, value: unknown): string {
  const version = readWord(c, value, "ociVersion");
  if (version === undefined) {
    if (value === undefined || value === null || value === "") missing(c, "ociVersion");
    return "";
  }
  if (!version.startsWith("1.")) wrong(c, "ociVersion", 'a version of the runtime-spec such as "1.3.0"', version);
  return version;
}

/** hostname and domainname: at most 64 bytes (__NEW_UTS_LEN), "" is none. */
function readUtsName(c: Context, value: unknown, key: "hostname" | "domainname"): string | undefined {
  const name = readWord(c, value, key);
  if (name !== undefined && name.length > 64) report(c, "invalid", key, `must be at most 64 bytes, got ${show(name)}`);
  return name;
}

/** Decodes a parsed document; issues go to the context, which the caller reads. */
export function decodeWith(c: Context, value: unknown): Config | undefined {
  if (value === null) wrong(c, undefined, "an object", null);
  const object: JsonObject | undefined = readObject(c, value);
  if (object === undefined) return undefined;
  const config: Config = {
    ociVersion: decodeVersion(c, object.ociVersion),
    root: decodeRoot(c, object.root),
    process: decodeProcess(c, object.process),
    mounts: decodeMounts(c, object.mounts),
    hooks: decodeHooks(c, object.hooks),
    annotations: readMap(c, object.annotations, "annotations"),
    linux: decodeLinux(c, object.linux),
  };
  const hostname = readUtsName(c, object.hostname, "hostname");
  if (hostname !== undefined) config.hostname = hostname;
  const domainname = readUtsName(c, object.domainname, "domainname");
  if (domainname !== undefined) config.domainname = domainname;
  return config;
}
