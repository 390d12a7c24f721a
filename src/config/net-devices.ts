// linux.netDevices.

import { type Context, enter, leave, readElement, readObject, readWord, report, show } from "./context.ts";
import type { NetDevice } from "./types.ts";

/** IFNAMSIZ without the NUL. */
const NAME_MAX = 15;

/** Bytes of a string in UTF-8; a lone surrogate is a byte that is no UTF-8 (host/abi.ts). */
function byteLength(text: string): number {
  let length = 0;
  for (const char of text) {
    const code = char.codePointAt(0) as number;
    length += code < 0x80 || (code >= 0xdc80 && code <= 0xdcff) ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return length;
}

/** What is wrong with a name for the kernel (dev_valid_name), if anything is; it also refuses some bytes above 0x7f. */
function nameProblem(name: string): string | undefined {
  if (byteLength(name) > NAME_MAX) return `must be at most ${NAME_MAX} bytes long`;
  if (name === "" || name === "." || name === "..") return "must be the name of a network device";
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    if (code <= 0x20 || name[i] === "/" || name[i] === ":") return "must have no space, control character, / or :";
  }
  return undefined;
}

/** `%d` asks the kernel for a number. */
function templateProblem(name: string): string | undefined {
  const at = name.indexOf("%");
  if (at < 0 || (name[at + 1] === "d" && name.indexOf("%", at + 1) < 0)) return undefined;
  return "must have no % but one %d";
}

function decodeName(c: Context, value: unknown): string | undefined {
  const name = readWord(c, value, "name");
  const problem = name === undefined ? undefined : (nameProblem(name) ?? templateProblem(name));
  if (problem !== undefined) report(c, "invalid", "name", `${problem}, got ${show(name)}`);
  return name;
}

/** Undefined when there are none; else in the order of the devices' names, which make them unique. */
export function decodeNetDevices(c: Context, value: unknown): Map<string, NetDevice> | undefined {
  const object = readObject(c, value, "netDevices");
  const keys = object === undefined ? [] : Object.keys(object).sort();
  if (object === undefined || keys.length === 0) return undefined;
  const devices = new Map<string, NetDevice>();
  const taken = new Map<string, string>();
  enter(c, "netDevices");
  for (let i = 0; i < keys.length; i++) {
    const device = keys[i] as string;
    const problem = nameProblem(device) ?? (device.includes("%") ? "must have no %" : undefined);
    if (problem !== undefined) report(c, "invalid", device, `${problem}, got ${show(device)}`);
    enter(c, device);
    const name = decodeName(c, readElement(c, object[device])?.name);
    leave(c);
    devices.set(device, name === undefined ? {} : { name });
    const inside = name ?? device;
    const other = inside.includes("%") ? undefined : taken.get(inside);
    if (other !== undefined) report(c, "invalid", device, `must not have the name of ${show(other)} in the container`);
    taken.set(inside, device);
  }
  leave(c);
  return devices;
}
