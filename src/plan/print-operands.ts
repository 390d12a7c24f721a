// Operands of a decoded op with flags as names and slots as what they hold.

import type { DecodedOp, OperandValue } from "./decode.ts";
import { OPS, type OperandType, type OpName } from "./ops.ts";
import type { Inherited } from "./plan.ts";
import * as flags from "./print-flags.ts";
import { NONE } from "./protocol.ts";

/** Plain JSON: what an operand says to a person. */
export type Shown = string | number | readonly (string | number)[];

type Decoder = (value: never) => Shown;

/** By op and operand, else by operand alone. */
const DECODERS: Readonly<Record<string, Decoder>> = {
  "open.flags": flags.openFlags,
  "open.mode": (value: number) => (value === 0 ? [] : flags.fileMode(value)),
  "open_tree.flags": flags.openTreeFlags,
  "unshare.flags": flags.cloneFlags,
  "sibling.flags": flags.cloneFlags,
  "filter_and_wait.flags": flags.filterFlags,
  "scheduler.policy": flags.schedulerPolicy,
  "scheduler.flags": (value: bigint) => flags.schedulerFlags(Number(value)),
  "scheduler.nice": (value: number) => value | 0,
  "target.kind": (value: number) => ["folder", "file", "like"][value] ?? value,
  "mount_attributes.set": (value: bigint) => flags.attributes(Number(value)),
  "mount_attributes.clear": (value: bigint) => flags.attributes(Number(value)),
  nstype: flags.cloneFlags,
  attributes: flags.attributes,
  propagation: flags.propagation,
  resolve: flags.resolveFlags,
  mode: flags.fileMode,
  keep: flags.capabilities,
  effective: flags.capabilities,
  permitted: flags.capabilities,
  inheritable: flags.capabilities,
  ambient: flags.capabilities,
  resource: flags.resource,
  soft: flags.limit,
  hard: flags.limit,
  persona: flags.persona,
  barrier: flags.barrier,
  magic: flags.fileSystem,
};

function decoderOf(op: OpName, operand: string): Decoder | undefined {
  return DECODERS[`${op}.${operand}`] ?? DECODERS[operand];
}

/** What the slots hold at a point of the program. */
export class Slots {
  private readonly labels = new Map<number, string>();

  constructor(inherited: readonly Inherited[]) {
    for (let slot = 0; slot < inherited.length; slot++)
      this.labels.set(slot, inheritedLabel(inherited[slot] as Inherited));
  }

  label(slot: number): string {
    return slot === NONE ? "none" : (this.labels.get(slot) ?? `slot ${slot}`);
  }

  /** Call it after the op has been shown: outs are filled then, and `close` empties. */
  follow({ op, operands }: DecodedOp): void {
    for (const [operand, type] of Object.entries(OPS[op].operands) as [string, OperandType][]) {
      if (type === "out") this.labels.set(operands[operand] as number, this.filled(op, operand, operands));
    }
    if (op === "move_mount") {
      const { mount, target } = operands as { mount: number; target: number };
      this.labels.set(mount, `mount ${strip(this.label(target))}`);
    }
    if (op === "pivot_root" || op === "move_root" || op === "change_root")
      this.labels.set(operands.root as number, "/");
    if (op === "close") this.labels.delete(operands.fd as number);
  }

  private filled(op: OpName, operand: string, operands: DecodedOp["operands"]): string {
    switch (op) {
      case "target":
        return operands.path as string;
      case "open_tree": {
        const path = operands.path as string;
        return `clone of ${path === "" ? this.label(operands.dir as number) : path}`;
      }
      case "receive_mount":
        return "received mount";
      case "new_mount":
        return operands.fstype as string;
      case "open_pty":
        return operand === "master" ? "pty master" : "pty";
      default:
        return typeof operands.path === "string" ? operands.path : operand;
    }
  }
}

const strip = (label: string): string => label.replace(/^mount /, "");

export function inheritedLabel(item: Inherited): string {
  switch (item.what) {
    case "namespace":
      return `${item.type} namespace ${item.path}`;
    case "cgroup join":
    case "cgroup directory":
    case "file":
      return item.path;
    case "sync":
      return "sync socket";
    case "plan":
      return "plan file";
    default:
      return item.what;
  }
}

/** One operand for a person: flags as names, a slot as what it holds, everything else as it is. */
export function show(op: OpName, operand: string, type: OperandType, value: OperandValue, slots: Slots): Shown {
  const decoder = decoderOf(op, operand);
  if (decoder !== undefined) return decoder(value as never);
  if (type === "slot") return slots.label(value as number);
  if (typeof value === "bigint") return value.toString();
  return value;
}
