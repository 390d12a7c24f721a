// linux.resources.network.

import {
  type Context,
  enter,
  leave,
  missing,
  readEach,
  readElement,
  readInteger,
  readObject,
  readWord,
  wrong,
} from "./context.ts";
import type { Resources } from "./types.ts";

const UINT32_MAX = 0xffffffff;
/** IFNAMSIZ without the NUL. */
const NAME_MAX = 15;

/** The name and the priority are two words of a line for the kernel. */
function isInterfaceName(name: string): boolean {
  if (name.length > NAME_MAX || name.includes("/")) return false;
  for (let i = 0; i < name.length; i++) if (name.charCodeAt(i) <= 0x20) return false;
  return true;
}

function decodePriority(c: Context, value: unknown): { name: string; priority: number } | undefined {
  const entry = readElement(c, value);
  if (entry === undefined) return undefined;
  const name = readWord(c, entry.name, "name");
  if (name === undefined && (entry.name === undefined || entry.name === null || entry.name === "")) missing(c, "name");
  if (name !== undefined && !isInterfaceName(name)) wrong(c, "name", "the name of a network interface", name);
  if (entry.priority === undefined || entry.priority === null) missing(c, "priority");
  return { name: name ?? "", priority: readInteger(c, entry.priority, "priority", 0, UINT32_MAX) ?? 0 };
}

/** Undefined when nothing is asked: a classID of 0 is "not set", as in runc. */
export function decodeNetwork(c: Context, value: unknown): Resources["network"] {
  const object = readObject(c, value, "network");
  if (object === undefined) return undefined;
  enter(c, "network");
  const classID = readInteger(c, object.classID, "classID", 0, UINT32_MAX);
  const priorities = readEach(c, object.priorities, "priorities", decodePriority);
  leave(c);
  if (!classID) return priorities.length === 0 ? undefined : { priorities };
  return { classID, priorities };
}
