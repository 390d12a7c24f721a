// A device program of cgroup v2 as rules again, read from its instructions: what `explain` prints is what the kernel will
// run. It understands the shape that deviceProgram makes: conditions that hold up to the place where their jump goes,
// nested into each other, and two ends. A test compares what it prints with what the interpreter answers.

import { CODE } from "../bpf/ebpf.ts";
import { disassemble } from "../bpf/ebpf-disassemble.ts";
import { ACCESS, ALL_ACCESS, ANY } from "./device-policy.ts";
import { DEVICE_ACCESS, DEVICE_TYPE, MAJOR, MINOR } from "./device-program.ts";

/** One line. The first that applies decides; the last applies to everything. */
export interface DecodedRule {
  verdict: "allow" | "deny";
  type: "block" | "char" | "every";
  /** Numbers or ANY. */
  major: number;
  minor: number;
  /** ACCESS bits. An allowance needs all of what is asked for to be in it, a denial any of it. */
  access: number;
}

/** A condition that holds for the instructions before `end`. */
interface Scope {
  end: number;
  narrows: Partial<DecodedRule>;
}

const HEADER = 6;

/** Lines for people: `char 1:3 rwm -> allow`; the instructions where the program has another shape than ours. */
export function deviceProgramLines(program: Uint32Array): string[] {
  const rules = decodeDeviceProgram(program);
  return rules === undefined ? disassemble(program) : rules.map(printRule);
}

function printRule({ verdict, type, major, minor, access }: DecodedRule): string {
  if (type === "every") return `everything else -> ${verdict}`;
  const number = (value: number): string => (value === ANY ? "*" : String(value));
  const letters = (["r", "w", "m"] as const).filter((letter) => (access & ACCESS[letter]) !== 0).join("");
  return `${type} ${number(major)}:${number(minor)} ${letters} -> ${verdict}`;
}

/** Undefined when the program has another shape than deviceProgram's. */
export function decodeDeviceProgram(program: Uint32Array): DecodedRule[] | undefined {
  const ends = findEnds(program);
  if (ends === undefined) return undefined;
  const { otherwise, hit, last, other } = ends;
  const rules: DecodedRule[] = [];
  const scopes: Scope[] = [];
  for (let at = HEADER; at < last; at++) {
    while (scopes.length > 0 && (scopes[scopes.length - 1] as Scope).end <= at) scopes.pop();
    const word = program[at * 2] as number;
    const immediate = program[at * 2 + 1] as number;
    const register = (word >>> 8) & 0xf;
    const target = at + 1 + (word >> 16);
    const rule = (minor?: number): DecodedRule => {
      const rule: DecodedRule = { verdict: other, type: "every", major: ANY, minor: ANY, access: ALL_ACCESS };
      for (const { narrows } of scopes) Object.assign(rule, narrows);
      return minor === undefined ? rule : { ...rule, minor };
    };
    const narrow = (end: number, narrows: Partial<DecodedRule>): boolean => {
      if (end <= at || end > ((scopes[scopes.length - 1] as Scope | undefined)?.end ?? last)) return false;
      if (scopes.some((outer) => Object.keys(narrows).some((key) => key in outer.narrows))) return false;
      scopes.push({ end, narrows });
      return true;
    };
    let known = false;
    switch (word & 0xff) {
      case CODE.jne32:
        if (register === DEVICE_TYPE && scopes.length === 0 && (immediate === 1 || immediate === 2)) {
          known = narrow(target, { type: immediate === 1 ? "block" : "char" });
        } else if (register === MAJOR) known = narrow(target, { major: immediate });
        break;
      case CODE.jset32:
        if (register !== DEVICE_ACCESS) break;
        if (otherwise === "deny") {
          // Skipped when something else is asked for as well.
          known = (immediate | ALL_ACCESS) >>> 0 === 0xffffffff && narrow(target, { access: ~immediate & ALL_ACCESS });
        } else if (
          immediate <= ALL_ACCESS &&
          target === at + 2 &&
          ((program[target * 2 - 2] as number) & 0xff) === CODE.jump
        ) {
          // The jump over it is taken unless some of the access is asked for.
          known = narrow(target + ((program[target * 2 - 2] as number) >> 16), { access: immediate });
          at++;
        }
        break;
      case CODE.jeq32:
        known = register === MINOR && target === hit;
        if (known) rules.push(rule(immediate));
        break;
      case CODE.jump:
        known = target === hit;
        if (known) rules.push(rule());
        break;
    }
    if (!known || rules.some(({ type }) => type === "every")) return undefined;
  }
  rules.push({ verdict: otherwise, type: "every", major: ANY, minor: ANY, access: ALL_ACCESS });
  return rules;
}

interface Ends {
  otherwise: "allow" | "deny";
  other: "allow" | "deny";
  /** First instruction of the end for everything else, and of the one that exceptions go to (-1: there are none). */
  last: number;
  hit: number;
}

const LOADS = [0x1261, 0, 0x1361, 0, 0x41461, 0, 0x81561, 0, 0x254, 0xffff, 0x374, 16];

function findEnds(program: Uint32Array): Ends | undefined {
  if (LOADS.some((word, i) => program[i] !== word)) return undefined;
  const length = program.length / 2;
  const verdict = (at: number): "allow" | "deny" | undefined => {
    const [move, value, exit] = [program[at * 2], program[at * 2 + 1], program[at * 2 + 2]];
    if (at < HEADER || move !== CODE.mov32 || exit !== CODE.exit || (value !== 0 && value !== 1)) return undefined;
    return value === 1 ? "allow" : "deny";
  };
  const [last, end] = [verdict(length - 4), verdict(length - 2)];
  if (end === undefined) return undefined;
  if (last === undefined) {
    if (length !== HEADER + 2) return undefined;
    return { otherwise: end, other: end, last: length - 2, hit: -1 };
  }
  return last === end ? undefined : { otherwise: last, other: end, last: length - 4, hit: length - 2 };
}
