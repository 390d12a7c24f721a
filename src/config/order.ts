// Issues in the order of the document: decoders go by sections, the reader goes by lines.

import { pointerTokens } from "../json/pointer.ts";
import type { Issue } from "./types.ts";

/** Where each step of a pointer stands among its siblings; a member that is missing stands before those that are there. */
function positions(document: unknown, pointer: string): number[] {
  const steps: number[] = [];
  let at = document;
  for (const token of pointerTokens(pointer)) {
    if (typeof at !== "object" || at === null) break;
    steps.push(Array.isArray(at) ? Number(token) : Object.keys(at).indexOf(token));
    at = Object.hasOwn(at, token) ? (at as Record<string, unknown>)[token] : undefined;
  }
  return steps;
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < a.length && i < b.length; i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** The issues sorted by the place in the parsed document that they point to; equal places stay as they are. */
export function inDocumentOrder(document: unknown, issues: readonly Issue[]): Issue[] {
  return issues
    .map((issue) => ({ issue, steps: positions(document, issue.pointer) }))
    .sort((a, b) => compare(a.steps, b.steps))
    .map(({ issue }) => issue);
}
