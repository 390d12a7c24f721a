// Decisions as instructions. The accumulator keeps the word of the last test: what follows on the same word does not
// load it again, so a test can have several entries: with its word loaded, with it loaded and masked, and with neither.

import type { Assembler, Place } from "../bpf/cbpf.ts";
import type { Decision } from "./decisions.ts";

const FULL = 0xffffffff;

/** Entries of a test; wanted first, then placed. */
interface Entries {
  /** `load; and; branch`, `and; branch`, `branch`. */
  load: Place;
  and: Place;
  branch: Place;
  wantsLoad: boolean;
  wantsAnd: boolean;
  done: boolean;
}

const LOAD = 0;
const AND = 1;
const BRANCH = 2;

/** How to enter `node` after a test of that word. */
function entry(node: Decision, offset: number, mask: number): typeof LOAD | typeof AND | typeof BRANCH {
  if (node.offset !== offset) return LOAD;
  if (node.mask === mask) return BRANCH;
  return mask === FULL ? AND : LOAD;
}

/** Puts the decision in front of the program; its place. The accumulator may hold anything. */
export function emitDecision(assembler: Assembler, root: Decision): Place {
  if (root.verdict !== undefined) return assembler.ret(root.verdict);
  const entries = new Map<Decision, Entries>();
  const order = collect(root, entries);
  const placeOf = (node: Decision, parent: Decision): Place => {
    if (node.verdict !== undefined) return assembler.ret(node.verdict);
    const known = entries.get(node) as Entries;
    const how = entry(node, parent.offset, parent.mask);
    return how === LOAD ? known.load : how === AND ? known.and : known.branch;
  };
  for (let i = 0; i < order.length; i++) {
    const node = order[i] as Decision;
    const known = entries.get(node) as Entries;
    known.branch = assembler.branch(node.code, node.k, placeOf(node.yes, node), placeOf(node.no, node));
    if (node.mask !== FULL && (known.wantsLoad || known.wantsAnd)) known.and = assembler.and(node.mask);
    if (known.wantsLoad) known.load = assembler.load(node.offset);
  }
  return (entries.get(root) as Entries).load;
}

/** The tests below root, what is jumped to before what jumps; notes how each is entered. */
function collect(root: Decision, entries: Map<Decision, Entries>): Decision[] {
  const order: Decision[] = [];
  const stack: Decision[] = [root];
  entries.set(root, { load: 0, and: 0, branch: 0, wantsLoad: true, wantsAnd: false, done: false });
  while (stack.length > 0) {
    const node = stack[stack.length - 1] as Decision;
    const known = entries.get(node) as Entries;
    if (known.done || !visitChild(node, node.yes, entries, stack)) {
      if (known.done || !visitChild(node, node.no, entries, stack)) {
        stack.pop();
        if (!known.done) order.push(node);
        known.done = true;
      }
    }
  }
  return order;
}

/** Pushes a child that has not been seen; false when there is nothing to do. */
function visitChild(parent: Decision, child: Decision, entries: Map<Decision, Entries>, stack: Decision[]): boolean {
  if (child.verdict !== undefined) return false;
  const how = entry(child, parent.offset, parent.mask);
  let known = entries.get(child);
  const isNew = known === undefined;
  known ??= { load: 0, and: 0, branch: 0, wantsLoad: false, wantsAnd: false, done: false };
  if (how === LOAD) known.wantsLoad = true;
  if (how === AND) known.wantsAnd = true;
  if (!isNew) return false;
  entries.set(child, known);
  stack.push(child);
  return true;
}
