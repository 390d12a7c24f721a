// Whether the device rules of an update are new. containerd's CRI sends all of config.json's resources with every limit that
// it changes; what a hook has allowed beside these rules (GPUs) must survive that, as it does with runc.

import { reloadConfig } from "../../config/load.ts";
import type { DeviceRule } from "../../config/types.ts";
import { O_CREAT, O_WRONLY } from "../../container/open-flags.ts";
import type { Loaded } from "../../container/store.ts";
import { savedConfig } from "../../container/store.ts";
import { must } from "../../host/must.ts";
import type { Native } from "../../host/native.gen.ts";
import type { UpdateRequest } from "./request.ts";

/** In the state folder once an update has replaced the rules: from then on config.json's are new ones, too. */
const REPLACED = "devices";

/** The request without the rules that are in force since create. */
export function withoutKnownDevices(native: Native, container: Loaded, request: UpdateRequest): UpdateRequest {
  const { devices } = request.resources;
  const { dir, path } = container;
  if (typeof native.stat(dir, REPLACED, 0) !== "number") return request;
  const known = reloadConfig(savedConfig(native, container))?.linux.resources.devices ?? [];
  if (same(devices, known)) return { ...request, resources: { ...request.resources, devices: [] } };
  const written = native.write_file(dir, REPLACED, O_WRONLY | O_CREAT, 0o600, "");
  must(written, { operation: "write", path: `${path}/${REPLACED}` });
  return request;
}

function same(some: readonly DeviceRule[], others: readonly DeviceRule[]): boolean {
  if (some.length !== others.length) return false;
  return some.every((rule, i) => {
    const other = others[i] as DeviceRule;
    const { allow, type, major, minor, access } = rule;
    const numbers = major === other.major && minor === other.minor;
    return numbers && allow === other.allow && type === other.type && access === other.access;
  });
}
