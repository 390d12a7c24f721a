// `berth explain`: a plan for people (text) or programs (JSON). Both show what berth and init do in one order of time, one
// line an operation, with the place in config.json that each comes from. Nothing is looked up, nothing is done.

import { deviceProgramLines } from "../cgroup/device-decode.ts";
import type { Config } from "../config/types.ts";
import { describeProfile } from "../seccomp/describe.ts";
import { propertyLines } from "../systemd/print.ts";
import { type DecodedOp, decode } from "./decode.ts";
import type { Origin, Plan, RuntimeStep } from "./plan.ts";
import { opLine, type ShownOperands, shownOperands } from "./print-op.ts";
import { inheritedLabel, Slots } from "./print-operands.ts";
import { stepLine } from "./print-step.ts";

export interface PrintContext {
  id: string;
  config: Config;
}

/** One operation of either side. */
interface Row {
  by: "berth" | "init";
  /** Index of the op in init's program, or of the step. */
  index: number;
  line: string;
  origin: Origin;
  operands?: ShownOperands;
  op?: string;
  /** Lines below it: a device program, the properties of a unit, the decisions of a seccomp profile. */
  listing?: string[];
}

export function printPlan(plan: Plan, format: "text" | "json", context: PrintContext): string {
  const rows = timeline(plan, context);
  return format === "json" ? printJson(plan, rows, context) : printText(plan, rows, context);
}

/** After these init has told the runtime where it is. */
const REPORTS: ReadonlySet<string> = new Set([
  "sync",
  "announce",
  "receive_mount",
  "sibling",
  "ready",
  "filter_and_wait",
]);
/** What follows a wait. */
const WAITS: ReadonlySet<string> = new Set(["await listener", "await ready"]);

/**
 * Both sides in order: the runtime's steps up to the clone, init's ops up to its next report, the runtime's steps that
 * answer it, and so on.
 */
function timeline(plan: Plan, context: PrintContext): Row[] {
  const rows: Row[] = [];
  const steps = plan.runtime;
  let next = 0;
  const runtimeUpTo = (isLast: (step: RuntimeStep) => boolean): void => {
    for (let last = false; !last && next < steps.length; next++) {
      const step = steps[next] as RuntimeStep;
      rows.push(stepRow(step, next, context));
      last = isLast(step);
    }
  };
  const isWait = (step: RuntimeStep | undefined): boolean => step === undefined || WAITS.has(step.step);
  runtimeUpTo((step) => step.step === "await clone");
  const slots = new Slots(plan.inherited);
  const ops = decode(plan.init);
  for (let index = 0; index < ops.length; index++) {
    const decoded = ops[index] as DecodedOp;
    rows.push(opRow(decoded, index, slots, plan.init.origins[index] as Origin));
    slots.follow(decoded);
    if (!REPORTS.has(decoded.op)) continue;
    if (decoded.op === "sync") runtimeUpTo((step) => step.step === "release barrier");
    else if (decoded.op === "announce") runtimeUpTo(() => isWait(steps[next + 1]));
    else if (decoded.op === "receive_mount") runtimeUpTo((step) => step.step === "map mount");
    else if (decoded.op === "sibling") runtimeUpTo((step) => step.step === "await child");
    else runtimeUpTo(() => false);
  }
  return rows;
}

function stepRow(step: RuntimeStep, index: number, context: PrintContext): Row {
  const row: Row = { by: "berth", index, line: stepLine(step, context.config), origin: step.origin };
  if (step.step === "attach device program") row.listing = deviceProgramLines(step.program);
  if (step.step === "start unit" || step.step === "set unit properties") row.listing = propertyLines(step.properties);
  if (step.step === "send filter") row.listing = profileLines(step, context.config);
  return row;
}

function profileLines({ compile }: Extract<RuntimeStep, { step: "send filter" }>, { linux }: Config): string[] {
  return linux.seccomp === undefined ? [] : describeProfile(linux.seccomp, compile);
}

function opRow(decoded: DecodedOp, index: number, slots: Slots, origin: Origin): Row {
  const operands = shownOperands(decoded, slots);
  return { by: "init", index, line: opLine(decoded, slots), origin, op: decoded.op, operands };
}

const ORIGIN_COLUMN = 84;

function printText(plan: Plan, rows: readonly Row[], context: PrintContext): string {
  let text = `container ${context.id}: ${plan.runtime.length} steps of berth, ${plan.init.origins.length} operations of init\n`;
  for (const { by, index, line, origin, listing } of rows) {
    const left = `${by.padEnd(5)} ${String(index).padStart(3)}  ${line}`;
    text += `${visible(left).padEnd(ORIGIN_COLUMN)}  ${visible(origin.pointer)}\n`;
    for (const instruction of listing ?? []) text += `             ${instruction}\n`;
  }
  return text;
}

/** Nothing that a bundle brings controls the terminal, and every operation stays on its line. */
function visible(line: string): string {
  return line.replace(/[\p{Cc}\p{Cs}\u2028\u2029]/gu, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function printJson(plan: Plan, rows: readonly Row[], context: PrintContext): string {
  const inherited = plan.inherited.map((item, slot) => ({ slot, what: item.what, is: inheritedLabel(item) }));
  const timelineRows = rows.map(({ by, index, op, line, operands, origin, listing }) => {
    const step = by === "berth" ? stepData(plan.runtime[index] as RuntimeStep) : { op, operands };
    return { by, index, ...step, text: line, origin, ...(listing === undefined ? {} : { listing }) };
  });
  return `${JSON.stringify({ id: context.id, cgroups: plan.cgroups, inherited, operations: timelineRows }, null, 2)}\n`;
}

/** The step as it is, with what JSON cannot hold as text or left to the listing. */
function stepData({ origin: _origin, ...step }: RuntimeStep): Record<string, unknown> {
  const data: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(step)) {
    if (key !== "program" && key !== "properties") data[key] = typeof value === "bigint" ? value.toString() : value;
  }
  return data;
}
