// Where a container's cgroups are with the systemd driver: runc's rules for linux.cgroupsPath, `slice:prefix:name`.
//
//   absent     :berth:ID
//   slice      the slice's unit name; empty: system.slice, or user.slice of a user's manager
//   scope      prefix-name.scope
//
// systemd keeps the unit a-b.slice in the folder a.slice/a-b.slice, below the cgroup that the manager itself was given:
// none for the system's, user@UID.service for a user's.

import { RuntimeError } from "../errors/runtime-error.ts";
import type { CgroupFacts, CgroupHierarchy } from "../host/facts.ts";
import { type CgroupPaths, isJoined } from "./path.ts";

const POINTER = "/linux/cgroupsPath";
const SLICE = ".slice";
/** systemd's UNIT_NAME_MAX counts the NUL. */
const MAX_NAME = 255;

/** The unit that is to be made. */
export interface UnitPlace {
  unit: string;
  /** The slice that it goes into: a unit name. */
  slice: string;
  /** The last part of cgroupsPath, for the description. */
  name: string;
}

/**
 * Throws RuntimeError for a path that is not in three parts, and for names that no unit can have. A name that ends in
 * .slice is refused, too: systemd puts no process into a slice (runc asks for it and is refused then).
 */
export function unitPlace(cgroupsPath: string | undefined, id: string, user: boolean): UnitPlace {
  const given = cgroupsPath === undefined || cgroupsPath === "" ? `:berth:${id}` : cgroupsPath;
  const parts = given.split(":");
  if (parts.length !== 3) {
    throw wrong(`must be "slice:prefix:name" for systemd cgroups, got ${JSON.stringify(given)}`);
  }
  const [slice, prefix, name] = parts as [string, string, string];
  if (name.endsWith(SLICE)) throw wrong(`systemd puts no process into a slice, got ${JSON.stringify(given)}`);
  const unit = `${prefix}-${name}.scope`;
  if (!isUnitName(unit)) throw wrong(`makes ${JSON.stringify(unit)}, which is no name of a systemd unit`);
  return { unit, slice: slice === "" ? (user ? "user.slice" : "system.slice") : slice, name };
}

/** The folder of a slice below the manager's own: "/a.slice/a-b.slice". Throws RuntimeError for what is no slice. */
export function expandSlice(slice: string): string {
  const inner = slice.slice(0, -SLICE.length);
  if (!slice.endsWith(SLICE) || !isUnitName(slice)) throw wrong(`invalid slice name: ${JSON.stringify(slice)}`);
  if (inner === "-") return "";
  let path = "";
  let prefix = "";
  for (const component of inner.split("-")) {
    if (component === "") throw wrong(`invalid slice name: ${JSON.stringify(slice)}`);
    prefix += prefix === "" ? component : `-${component}`;
    path += `/${prefix}${SLICE}`;
  }
  return path;
}

/** The same folder in every hierarchy. `controlGroup` is the manager's own: "" or "/" for the system's. */
export function unitCgroups(place: UnitPlace, controlGroup: string, facts: CgroupFacts): CgroupPaths {
  const own = controlGroup === "/" ? "" : controlGroup;
  if (own !== "" && !isPlain(own)) {
    throw new RuntimeError({ message: `systemd's own cgroup is at ${JSON.stringify(controlGroup)}`, pointer: POINTER });
  }
  const inner = `${own}${expandSlice(place.slice)}/${place.unit}`;
  const v1: CgroupPaths["v1"] = [];
  for (let i = 0; i < facts.hierarchies.length; i++) {
    const { name, mountpoint } = facts.hierarchies[i] as CgroupHierarchy;
    if (isJoined(name)) v1.push({ name, mountpoint, path: mountpoint + inner });
  }
  if (facts.unified === undefined) return { v1 };
  const { mountpoint } = facts.unified;
  return { v1, unified: { mountpoint, path: mountpoint + inner } };
}

function isPlain(path: string): boolean {
  if (!path.startsWith("/") || path.includes("\n")) return false;
  return path
    .slice(1)
    .split("/")
    .every((component) => component !== "" && component !== "." && component !== "..");
}

/** systemd's own rule: ASCII letters, digits and `:-_.\`, and `@` for instances. */
function isUnitName(name: string): boolean {
  if (name.length > MAX_NAME) return false;
  for (const c of name) {
    const plain = (c >= "a" && c <= "z") || (c >= "A" && c <= "Z") || (c >= "0" && c <= "9");
    if (!plain && !":-_.\\@".includes(c)) return false;
  }
  return true;
}

function wrong(message: string): RuntimeError {
  return new RuntimeError({ message, pointer: POINTER });
}
