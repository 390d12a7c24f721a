// I/O scheduling classes of config.json (process.ioPriority) and the value that ioprio_set(2) takes (linux/ioprio.h).

import type { IoPriorityClass } from "../config/types.ts";

const CLASS_SHIFT = 13;

/** By number; 0 is "none", which config.json cannot name. */
const CLASSES: readonly (IoPriorityClass | "")[] = ["", "IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE", "IOPRIO_CLASS_IDLE"];

/** Number of a class name, or -1. */
export function ioPriorityClassNumber(name: string): number {
  return name === "" ? -1 : CLASSES.indexOf(name as IoPriorityClass);
}

/** Name of a class number, or undefined. */
export function ioPriorityClassName(number: number): IoPriorityClass | undefined {
  return CLASSES[number] || undefined;
}

/** Every class name. */
export function ioPriorityClasses(): IoPriorityClass[] {
  return CLASSES.filter((name) => name !== "");
}

/** What ioprio_set(2) takes for a class and a priority 0..7. */
export function ioPriorityValue(name: IoPriorityClass, priority: number): number {
  return (ioPriorityClassNumber(name) << CLASS_SHIFT) | priority;
}
