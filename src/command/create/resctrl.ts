// linux.intelRdt: what is looked at before anything is made, the plan's steps, and their undo.

import type { Config } from "../../config/types.ts";
import {
  hasGroup,
  makeGroup,
  type RecordedResctrl,
  readGroupFile,
  removeGroup,
  resctrlError,
  resctrlPath,
  writeGroupFile,
} from "../../container/resctrl.ts";
import { RuntimeError } from "../../errors/runtime-error.ts";
import type { HostFacts } from "../../host/facts.ts";
import type { Native } from "../../host/native.gen.ts";
import { hasSchemata, resctrlPlace } from "../../resctrl/place.ts";
import { isInForce } from "../../resctrl/schemata.ts";
import type { Creation, Step } from "./creation.ts";

const ENOENT = 2;
const ENODEV = 19;
const EEXIST = 17;
const POINTER = "/linux/intelRdt";

/** Throws RuntimeError where the container could not be had; what of it will be the container's own. */
export function checkResctrl(
  native: Native,
  { linux }: Config,
  id: string,
  facts: HostFacts,
): RecordedResctrl | undefined {
  const rdt = linux.intelRdt;
  if (rdt === undefined) return undefined;
  const place = resctrlPlace(rdt, id, facts.resctrl);
  const { root, group, monitor } = place;
  const there = hasGroup(native, root, group);
  if (!there && rdt.closID !== undefined && !hasSchemata(rdt)) {
    const message = "the resctrl group must be there, as no schemata are given";
    throw new RuntimeError({ message, pointer: `${POINTER}/closID`, path: resctrlPath(root, group), errno: ENOENT });
  }
  if (there && rdt.closID !== undefined) {
    checkSchema(native, place.root, group, rdt.l3CacheSchema, "l3CacheSchema");
    checkSchema(native, place.root, group, rdt.memBwSchema, "memBwSchema");
  }
  // Whose it is, nobody knows.
  if (monitor !== undefined && hasGroup(native, root, monitor)) {
    const message = "the monitoring group is there already";
    const pointer = `${POINTER}/enableMonitoring`;
    throw new RuntimeError({ message, pointer, path: resctrlPath(root, monitor), errno: EEXIST });
  }
  return { ...place, own: rdt.closID === undefined && !there };
}

/** A group that somebody else has made must have these limits. */
function checkSchema(native: Native, root: string, group: string, line: string | undefined, field: string): void {
  if (line === undefined) return;
  const pointer = `${POINTER}/${field}`;
  const path = resctrlPath(root, group, "schemata");
  const file = readGroupFile(native, root, group, "schemata");
  if (typeof file === "number") throw resctrlError(native, root, file, "", "read", path, pointer);
  const text = readGroupFile(native, root, "info/MB", "bandwidth_gran");
  const granularity = typeof text === "string" ? Number.parseInt(text, 10) || 1 : 1;
  if (isInForce(line, file, granularity)) return;
  const message = `the resctrl group is there, and does not have ${JSON.stringify(line)}`;
  throw new RuntimeError({ message, pointer, path, detail: file.trim().split("\n").join(" ") });
}

type ResctrlStep = Step<"make resctrl group"> | Step<"write schemata"> | Step<"join resctrl group">;

export function runResctrlStep(creation: Creation, step: ResctrlStep): void {
  const { native, pid } = creation;
  const { root, group } = step;
  const { pointer } = step.origin;
  if (step.step === "write schemata") {
    writeGroupFile(native, root, group, "schemata", step.data, pointer);
  } else if (step.step === "join resctrl group") {
    if (step.optional && !hasGroup(native, root, group)) return;
    writeGroupFile(native, root, group, "tasks", String(pid), pointer);
  } else {
    const made = makeGroup(native, root, group);
    if (made >= 0) creation.resctrlGroups?.push(group);
    else if (made !== -EEXIST || step.own) {
      throw resctrlError(
        native,
        root,
        made,
        "cannot make the resctrl group",
        "mkdir",
        resctrlPath(root, group),
        pointer,
      );
    }
  }
}

/**
 * Removes the groups that a create has made, once init is dead. With a closID the group is everybody's: it stays when
 * other processes have entered it meanwhile.
 */
export function undoResctrl(
  native: Native,
  { root, group: common, own }: RecordedResctrl,
  groups: readonly string[],
  init: number,
): void {
  for (const group of groups.toReversed()) {
    if (group === common && !own && hasOthers(readGroupFile(native, root, group, "tasks"), init)) continue;
    const removed = removeGroup(native, root, group);
    if (removed >= 0 || removed === -ENODEV) continue;
    throw resctrlError(native, root, removed, "cannot remove the resctrl group", "rmdir", resctrlPath(root, group));
  }
}

function hasOthers(tasks: string | number, init: number): boolean {
  return typeof tasks === "string" && tasks.split("\n").some((pid) => Number(pid) > 0 && Number(pid) !== init);
}
