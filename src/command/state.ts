// `berth state`: the container's state as JSON, with runc's fields in runc's order and no newline at the end.

import type { ContainerState, Status } from "../container/state.ts";
import { statusOf } from "../container/status.ts";
import { openState } from "../container/store.ts";
import type { Context, Outcome } from "./command.ts";

/** What runc prints for a container that has no creation time yet: Go's zero time. */
const NOT_CREATED = "0001-01-01T00:00:00Z";

export function state({ native, root, args }: Context): Outcome {
  const { dir, state: recorded } = openState(native, root, args[0] as string);
  const status = statusOf(native, dir, recorded);
  return { stdout: stateJson(recorded, status, "", "\n  ") };
}

/**
 * The state object. `separator` stands in front of each field: a newline and indentation, or nothing for one line.
 * Written by hand, because an object would reorder the keys of annotations.
 */
export function stateJson(recorded: ContainerState, status: Status, owner: string, separator: string): string {
  const colon = separator === "" ? ":" : ": ";
  const field = (name: string, value: string): string => `${separator}"${name}"${colon}${value}`;
  const fields = [
    field("ociVersion", JSON.stringify(recorded.ociVersion)),
    field("id", JSON.stringify(recorded.id)),
    field("pid", String(pidOf(recorded, status))),
    field("status", `"${status}"`),
    field("bundle", JSON.stringify(recorded.bundle)),
    field("rootfs", JSON.stringify(recorded.rootfs)),
    field("created", JSON.stringify(createdAt(recorded))),
  ];
  if (recorded.annotations.length > 0) {
    const inner = separator === "" ? "" : `${separator}  `;
    const entries = recorded.annotations.map(
      ([key, value]) => `${inner}${JSON.stringify(key)}${colon}${JSON.stringify(value)}`,
    );
    fields.push(field("annotations", `{${entries.join(",")}${separator}}`));
  }
  fields.push(field("owner", JSON.stringify(owner)));
  return `{${fields.join(",")}${separator === "" ? "" : "\n"}}`;
}

/** init's pid; 0 when it has ended or is not there yet. */
export function pidOf(recorded: ContainerState, status: Status): number {
  return status === "stopped" || recorded.init === undefined ? 0 : recorded.init.pid;
}

/** RFC 3339. */
export function createdAt(recorded: ContainerState): string {
  return recorded.created ?? NOT_CREATED;
}
