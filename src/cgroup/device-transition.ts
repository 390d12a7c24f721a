// From one set of v1 device rules to another by the fewest writes, in an order that opens nothing on the way.
//
// Every exception that the kernel holds at any moment is, as far as the order of writes can make it, part of one of the
// old rules or of one of the new ones: so nothing is ever open that both refuse. What both allow stays open: exceptions are
// widened before others are taken away. An exception that loses some access and gains other must lose first (`c 1:3 r` to
// `c 1:3 w` would otherwise be `rw` for a moment), and waits for those that take over what it loses. Only where two such
// exceptions wait for each other is something that both allow refused for a moment.
//
// Exceptions from "allow everything" cannot be read back (devices.list shows `a *:* rwm` alone), and a change of the default
// forgets all of them: then there is a moment with none, and the processes must not run in it.

import { type DeviceException, type DevicePolicy, printException } from "./device-policy.ts";

export interface DeviceWrite {
  file: "devices.allow" | "devices.deny";
  data: string;
}

export interface DeviceTransition {
  writes: DeviceWrite[];
  /** Between the writes more is allowed, or less, than before or after: to be done while the processes are frozen. */
  gap?: "open" | "closed";
}

/** `current` is what parseDeviceList has read. */
export function deviceTransition(current: DevicePolicy, target: DevicePolicy): DeviceTransition {
  if (!current.defaultAllow && !target.defaultAllow) return { writes: rewrite(current.exceptions, target.exceptions) };
  const [first, others] = target.defaultAllow
    ? (["devices.allow", "devices.deny"] as const)
    : (["devices.deny", "devices.allow"] as const);
  const writes: DeviceWrite[] = [{ file: first, data: "a" }];
  for (const exception of target.exceptions) writes.push({ file: others, data: printException(exception) });
  if (writes.length === 1) return { writes };
  return { writes, gap: target.defaultAllow ? "open" : "closed" };
}

/** Both "deny everything but". */
function rewrite(from: readonly DeviceException[], to: readonly DeviceException[]): DeviceWrite[] {
  const writes: DeviceWrite[] = [];
  const write = (file: DeviceWrite["file"], exception: DeviceException, access: number): void => {
    if (access !== 0) writes.push({ file, data: printException({ ...exception, access }) });
  };
  const changes: Change[] = [];
  for (const after of to) {
    const before = from.find((other) => same(other, after))?.access ?? 0;
    const change = { ...after, before, lost: before & ~after.access, gained: after.access & ~before };
    if (change.lost !== 0 && change.gained !== 0) changes.push(change);
    else write("devices.allow", after, change.gained);
  }
  for (let left = changes; left.length > 0; ) {
    const next = left.find((change) => !left.some((other) => waits(change, other))) ?? (left[0] as Change);
    write("devices.deny", next, next.lost);
    write("devices.allow", next, next.gained);
    left = left.filter((change) => change !== next);
  }
  for (const before of from) {
    const after = to.find((other) => same(other, before))?.access ?? 0;
    if (!changes.some((change) => same(change, before))) write("devices.deny", before, before.access & ~after);
  }
  return writes;
}

/** An exception that loses some access and gains other; `access` is what it has afterwards. */
interface Change extends DeviceException {
  before: number;
  lost: number;
  gained: number;
}

/** Whether `change` may lose something that `other` is still to take over. */
function waits(change: Change, other: Change): boolean {
  if (change === other || change.type !== other.type) return false;
  const meet = (a: number, b: number): boolean => a === b || a < 0 || b < 0;
  if (!meet(change.major, other.major) || !meet(change.minor, other.minor)) return false;
  return (other.gained & change.before) !== 0 && (change.lost & other.access) !== 0;
}

function same(a: DeviceException, b: DeviceException): boolean {
  return a.type === b.type && a.major === b.major && a.minor === b.minor;
}

/** The policy that devices.list shows; its exceptions are unknown (none) when everything is allowed by default. */
export function parseDeviceList(text: string): DevicePolicy | undefined {
  const policy: DevicePolicy = { defaultAllow: false, exceptions: [] };
  for (const line of text.split("\n")) {
    if (line === "") continue;
    if (line === "a *:* rwm") {
      policy.defaultAllow = true;
      continue;
    }
    const exception = parseException(line);
    if (exception === undefined) return undefined;
    policy.exceptions.push(exception);
  }
  return policy;
}

function parseException(line: string): DeviceException | undefined {
  const [type, numbers, letters] = line.split(" ");
  const [major, minor] = (numbers ?? "").split(":");
  if ((type !== "b" && type !== "c") || major === undefined || minor === undefined) return undefined;
  let access = 0;
  for (const letter of letters ?? "") access |= letter === "r" ? 2 : letter === "w" ? 4 : letter === "m" ? 1 : 0;
  const number = (digits: string): number => (digits === "*" ? -1 : Number(digits));
  const exception: DeviceException = { type, major: number(major), minor: number(minor), access };
  return access !== 0 && printException(exception) === line ? exception : undefined;
}

/** Whether devices.list shows the policy: of one that allows by default it shows no more than that. */
export function showsPolicy(shown: DevicePolicy, policy: DevicePolicy): boolean {
  if (shown.defaultAllow !== policy.defaultAllow) return false;
  if (policy.defaultAllow) return true;
  const lines = (exceptions: readonly DeviceException[]): string => exceptions.map(printException).sort().join("\n");
  return lines(shown.exceptions) === lines(policy.exceptions);
}
