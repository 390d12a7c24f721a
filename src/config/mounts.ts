// mounts. What options mean is in tables/mount-options.ts; what may be combined is in checks/mounts.ts.

import {
  type Context,
  type JsonObject,
  missing,
  readEach,
  readElement,
  readTexts,
  readWord,
  report,
  show,
  wrong,
} from "./context.ts";
import { decodeIdMappings } from "./id-mappings.ts";
import type { Mount } from "./types.ts";

/** A relative destination is deprecated: it counts from the root, with a warning, as in runc. */
function decodeDestination(c: Context, value: unknown): string {
  const destination = readWord(c, value, "destination");
  if (destination === undefined) {
    if (value === undefined || value === null) missing(c, "destination");
    else if (value === "") wrong(c, "destination", "an absolute path", value);
    return "";
  }
  if (destination.startsWith("/")) return destination;
  report(c, "warning", "destination", `should be an absolute path, got ${show(destination)}; taken from the root`);
  return `/${destination}`;
}

/** An empty list is one that was given, as in runc: checks/mounts.ts says that it does not do. */
function decodeMappings(c: Context, object: JsonObject, mount: Mount): void {
  for (const key of ["uidMappings", "gidMappings"] as const) {
    if (object[key] !== undefined && object[key] !== null) mount[key] = decodeIdMappings(c, object[key], key);
  }
}

function decodeMount(c: Context, value: unknown): Mount {
  const object = readElement(c, value);
  if (object === undefined) return { destination: "", options: [] };
  const mount: Mount = {
    destination: decodeDestination(c, object.destination),
    options: readTexts(c, object.options, "options"),
  };
  const type = readWord(c, object.type, "type");
  if (type !== undefined) mount.type = type;
  const source = readWord(c, object.source, "source");
  if (source !== undefined) mount.source = source;
  if (object.uidMappings !== undefined || object.gidMappings !== undefined) decodeMappings(c, object, mount);
  return mount;
}

export function decodeMounts(c: Context, value: unknown): Mount[] {
  return readEach(c, value, "mounts", decodeMount);
}
