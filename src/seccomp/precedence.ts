// Which rule decides when several about one call hold. libseccomp, which runc and crun use, keeps rules as a tree that
// it sorts itself: the order in the profile counts only for rules without conditions, of which the first wins over
// everything. This is that order.

import { RuntimeError } from "../errors/runtime-error.ts";
import { low } from "./conditions.ts";
import type { Alternative } from "./rules.ts";
import type { SeccompArg } from "./types.ts";

/** Equality first, then upper bounds, then lower ones. */
function rank(arg: SeccompArg): number {
  switch (arg.op) {
    case "SCMP_CMP_GE":
    case "SCMP_CMP_GT":
      return 1;
    case "SCMP_CMP_LE":
    case "SCMP_CMP_LT":
      return 2;
    default:
      return 3;
  }
}

const cut = (value: bigint, wide: boolean): bigint => (wide ? value : BigInt(low(value)));

const isMasked = (arg: SeccompArg): boolean => arg.op === "SCMP_CMP_MASKED_EQ";

/** What the argument, masked, is compared to. */
const datum = (arg: SeccompArg, wide: boolean): bigint =>
  cut(isMasked(arg) ? arg.valueTwo & arg.value : arg.value, wide);

const FULL = 0xffffffffffffffffn;
const mask = (arg: SeccompArg, wide: boolean): bigint => cut(isMasked(arg) ? arg.value : FULL, wide);

/** Larger values first, but the smallest upper bound. 0: libseccomp's tree keeps the order of the profile. */
function compareArgs(a: SeccompArg, b: SeccompArg, wide: boolean): number {
  if (a.index !== b.index) return b.index - a.index;
  if (rank(a) !== rank(b)) return rank(b) - rank(a);
  const first = datum(a, wide);
  const second = datum(b, wide);
  // The high halves are a level of their own; below different tests of them, the low ones never meet.
  const isSplit = isMasked(a) !== isMasked(b) || mask(a, wide) >> 32n !== mask(b, wide) >> 32n;
  if (first === second || (wide && isSplit && first >> 32n === second >> 32n)) return 0;
  const upper = rank(a) === 2;
  return first < second === upper ? -1 : 1;
}

const isSame = (a: SeccompArg, b: SeccompArg, wide: boolean): boolean =>
  a.index === b.index && a.op === b.op && mask(a, wide) === mask(b, wide) && datum(a, wide) === datum(b, wide);

function compare(a: Alternative, b: Alternative, wide: boolean): number {
  for (let i = 0; i < a.args.length && i < b.args.length; i++) {
    const first = a.args[i] as SeccompArg;
    const second = b.args[i] as SeccompArg;
    if (isSame(first, second, wide)) continue;
    return compareArgs(first, second, wide);
  }
  return a.args.length - b.args.length;
}

/** A text for each beginning of the conditions, the whole last: equal where the conditions are the same. */
function prefixesOf({ args }: Alternative, wide: boolean): string[] {
  const prefixes: string[] = [];
  let text = "";
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] as SeccompArg;
    text += `${arg.index} ${arg.op} ${mask(arg, wide)} ${datum(arg, wide)} `;
    prefixes.push(text);
  }
  return prefixes;
}

/** The first rule that begins with some conditions, and the first one of those with another verdict. */
interface Beginning {
  first: Alternative;
  other?: Alternative;
}

/**
 * The alternatives of one call in the order in which they decide.
 *
 * @param base where the profile is, for errors.
 * @throws RuntimeError when two rules ask for different actions under the same conditions, which libseccomp refuses.
 */
export function inOrder(list: readonly Alternative[], wide: boolean, base: string): readonly Alternative[] {
  const first = list[0] as Alternative;
  if (list.every(({ verdict }) => verdict === first.verdict)) return list;
  const kept: Alternative[] = [];
  const wholes = new Set<string>();
  const beginnings = new Map<string, Beginning>();
  for (let i = 0; i < list.length; i++) {
    const rule = list[i] as Alternative;
    const prefixes = prefixesOf(rule, wide);
    const whole = prefixes[prefixes.length - 1] as string;
    const known = beginnings.get(whole);
    const other = known?.first.verdict === rule.verdict ? known.other : known?.first;
    if (other !== undefined) {
      throw new RuntimeError({
        message: `asks for another action under the same conditions as rule ${other.rule}`,
        pointer: `${base}/syscalls/${rule.rule}`,
      });
    }
    // A shorter rule that came first leaves nothing for a longer one.
    if (prefixes.some((prefix) => wholes.has(prefix))) continue;
    kept.push(rule);
    wholes.add(whole);
    for (let k = 0; k < prefixes.length; k++) note(beginnings, prefixes[k] as string, rule);
  }
  return kept.sort((a, b) => compare(a, b, wide) || a.rule - b.rule);
}

function note(beginnings: Map<string, Beginning>, prefix: string, rule: Alternative): void {
  const known = beginnings.get(prefix);
  if (known === undefined) beginnings.set(prefix, { first: rule });
  else if (known.other === undefined && known.first.verdict !== rule.verdict) known.other = rule;
}
