// Decisions as instructions. The accumulator keeps the word of the last test: what follows on the same word does not
// load it again, so a test can have several entries: with its word loaded, with it loaded and masked, and with neither.

import type { Assembler, Place } from "../bpf/cbpf.ts";
import { type Decision, TEST } from "./decisions.ts";
import { buildTree, type Ranges } from "./ranges.ts";

const FULL = 0xffffffff;

/** Entries of a test: `load; and; branch`, `and; branch`, `branch`. */
const LOAD = 1;
const AND = 2;
const BRANCH = 4;

/** How to enter a test after one of that word. */
function entry(node: Decision, offset: number, mask: number): number {
  if (node.offset !== offset) return LOAD;
  if (node.mask === mask) return BRANCH;
  return mask === FULL ? AND : LOAD;
}

/**
 * Puts a tree over the ranges of the word at `offset`, and everything that it leads to, in front of the program; its
 * place.
 */
export function emitRanges(assembler: Assembler, offset: number, ranges: Ranges): Place {
  const known = new Map<Decision, Place>();
  const root = buildTree<Place>(ranges, {
    leaf: (target) => {
      if (target.verdict !== TEST) return assembler.ret(target.verdict);
      const place = known.get(target) ?? emitDecision(assembler, target);
      known.set(target, place);
      return place;
    },
    test: (code, k, yes, no) => assembler.branch(code, k, yes, no),
  });
  // A single range needs no word.
  return ranges.targets.length === 1 ? root : assembler.load(offset);
}

/** Puts a test and all below it in front of the program; its place. The accumulator may hold anything. */
function emitDecision(assembler: Assembler, root: Decision): Place {
  // No two calls begin at the same length: the notes of another one do not count.
  const order = collect(root, assembler.length);
  for (let i = 0; i < order.length; i++) {
    const node = order[i] as Decision;
    node.branch = assembler.branch(
      node.code,
      node.k,
      placeOf(assembler, node.yes, node),
      placeOf(assembler, node.no, node),
    );
    if (node.mask !== FULL && (node.wants & (LOAD | AND)) !== 0) node.and = assembler.and(node.mask);
    if ((node.wants & LOAD) !== 0) node.load = assembler.load(node.offset);
  }
  return root.load;
}

function placeOf(assembler: Assembler, node: Decision, parent: Decision): Place {
  if (node.verdict !== TEST) return assembler.ret(node.verdict);
  const how = entry(node, parent.offset, parent.mask);
  return how === LOAD ? node.load : how === AND ? node.and : node.branch;
}

/** The tests below root, what is jumped to before what jumps; notes how each is entered. */
function collect(root: Decision, section: number): Decision[] {
  const order: Decision[] = [];
  const path: Decision[] = [root];
  /** Children of each test on the path that have been looked at. */
  const seen: number[] = [0];
  root.section = section;
  root.wants = LOAD;
  while (path.length > 0) {
    const top = path.length - 1;
    const node = path[top] as Decision;
    const step = seen[top] as number;
    if (step === 2) {
      order.push(node);
      path.pop();
      seen.pop();
      continue;
    }
    seen[top] = step + 1;
    const child = step === 0 ? node.yes : node.no;
    if (child.verdict !== TEST) continue;
    const how = entry(child, node.offset, node.mask);
    if (child.section === section) {
      child.wants |= how;
      continue;
    }
    child.section = section;
    child.wants = how;
    path.push(child);
    seen.push(0);
  }
  return order;
}
