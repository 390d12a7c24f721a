// Types of values in the GVariant text format. A literal alone has its usual type (int32, double, string); one that stands
// beside others in an array takes theirs.

import { isObjectPath } from "../dbus/marshal.ts";
import { endOfType, isSingleType, typesOf } from "../dbus/signature.ts";
import { encodeUtf8 } from "../dbus/utf8.ts";
import type { Value, Variant } from "../dbus/value.ts";

export type Node =
  | { kind: "boolean"; value: boolean }
  | { kind: "number"; text: string }
  | { kind: "string"; text: string }
  | { kind: "bytes"; text: string }
  | { kind: "array"; items: readonly Node[] }
  | { kind: "tuple"; items: readonly Node[] }
  | { kind: "dictionary"; entries: readonly (readonly [Node, Node])[] }
  | { kind: "variant"; inner: Node }
  | { kind: "typed"; type: string; inner: Node };

/** Throws SyntaxError where the types do not fit. */
export function typedValue(node: Node): Variant {
  const signature = inferred(node).type;
  if (!isSingleType(signature)) throw new SyntaxError("has no type of D-Bus");
  return { signature, value: valueAs(node, signature) };
}

/** `weak`: a literal in it would also be of another type. */
interface Inferred {
  type: string;
  weak: boolean;
}

function inferred(node: Node): Inferred {
  switch (node.kind) {
    case "boolean":
      return { type: "b", weak: false };
    case "number":
      return isFloat(node.text) ? { type: "d", weak: false } : { type: "i", weak: true };
    case "string":
      return { type: "s", weak: true };
    case "bytes":
      return { type: "ay", weak: false };
    case "variant":
      return { type: "v", weak: false };
    case "typed":
      return { type: node.type, weak: false };
    case "array": {
      const { type, weak } = common(node.items);
      return { type: `a${type}`, weak };
    }
    case "tuple": {
      const members = node.items.map(inferred);
      return { type: `(${members.map(({ type }) => type).join("")})`, weak: members.some(({ weak }) => weak) };
    }
    case "dictionary": {
      const key = common(node.entries.map(([k]) => k));
      const value = common(node.entries.map(([, v]) => v));
      return { type: `a{${key.type}${value.type}}`, weak: key.weak || value.weak };
    }
  }
}

function common(items: readonly Node[]): Inferred {
  const types = items.map(inferred);
  const found = types.find(({ weak }) => !weak) ?? types[0];
  if (found === undefined) throw new SyntaxError("is empty and needs a type, as in `@as []`");
  return found;
}

function valueAs(node: Node, type: string): Value {
  switch (node.kind) {
    case "boolean":
      if (type === "b") return node.value;
      break;
    case "number":
      return numberAs(node.text, type);
    case "string":
      if (type === "s" || (type === "o" && isObjectPath(node.text)) || (type === "g" && isSignature(node.text)))
        return node.text;
      break;
    case "bytes":
      if (type === "ay") return [...encodeUtf8(node.text), 0];
      break;
    case "variant":
      if (type === "v") return typedValue(node.inner);
      break;
    case "typed":
      if (type === node.type) return valueAs(node.inner, type);
      break;
    case "array":
      if (type.startsWith("a") && !type.startsWith("a{")) return node.items.map((item) => valueAs(item, type.slice(1)));
      break;
    case "tuple":
      return membersAs(node.items, type);
    case "dictionary":
      if (type.startsWith("a{")) return node.entries.map((entry) => membersAs(entry, type.slice(1)));
      break;
  }
  throw misfit(node.kind, type);
}

/** `(..)` or `{..}`. */
function membersAs(items: readonly Node[], type: string): Value {
  if (!type.startsWith("(") && !type.startsWith("{")) throw misfit("tuple", type);
  const values: Value[] = [];
  let at = 1;
  for (const item of items) {
    if (at >= type.length - 1) throw misfit("tuple", type);
    const end = endOfType(type, at);
    values.push(valueAs(item, type.slice(at, end)));
    at = end;
  }
  if (at !== type.length - 1) throw misfit("tuple", type);
  return values;
}

function isSignature(text: string): boolean {
  try {
    typesOf(text);
    return true;
  } catch {
    return false;
  }
}

const RANGES: Readonly<Record<string, readonly [bigint, bigint]>> = {
  y: [0n, 0xffn],
  n: [-0x8000n, 0x7fffn],
  q: [0n, 0xffffn],
  i: [-0x80000000n, 0x7fffffffn],
  u: [0n, 0xffffffffn],
  x: [-(1n << 63n), (1n << 63n) - 1n],
  t: [0n, (1n << 64n) - 1n],
};

function isFloat(text: string): boolean {
  return !isHex(text) && (text.includes(".") || text.includes("e") || text.includes("E"));
}

function isHex(text: string): boolean {
  return text.includes("x") || text.includes("X");
}

/** Decimal, 0x.., and octal with a leading 0. */
function numberAs(text: string, type: string): Value {
  const sign = text.startsWith("-") ? "-" : "";
  const digits = text.startsWith("-") || text.startsWith("+") ? text.slice(1) : text;
  if (type === "d") {
    const value = isHex(digits) || !startsAsNumber(digits) ? Number.NaN : Number(digits);
    if (Number.isNaN(value)) throw new SyntaxError(`has ${JSON.stringify(text)}, which is no number`);
    return sign === "" ? value : -value;
  }
  const range = RANGES[type];
  if (range === undefined) throw misfit("number", type);
  const magnitude = integer(digits);
  if (magnitude === undefined) throw new SyntaxError(`has ${JSON.stringify(text)}, which is no whole number`);
  const value = sign === "" ? magnitude : -magnitude;
  if (value < range[0] || value > range[1]) throw misfit(text, type);
  return type === "x" || type === "t" ? value : Number(value);
}

function startsAsNumber(digits: string): boolean {
  const first = digits[0] ?? "";
  return first === "." || (first >= "0" && first <= "9");
}

function integer(digits: string): bigint | undefined {
  const hex = digits.startsWith("0x") || digits.startsWith("0X");
  const octal = !hex && digits.length > 1 && digits.startsWith("0");
  const plain = hex || octal ? digits.slice(hex ? 2 : 1) : digits;
  const allowed = hex ? "0123456789abcdefABCDEF" : octal ? "01234567" : "0123456789";
  if (plain === "" || plain.length > 24) return undefined;
  for (const digit of plain) if (!allowed.includes(digit)) return undefined;
  return BigInt((hex ? "0x" : octal ? "0o" : "") + plain);
}

function misfit(what: string, type: string): SyntaxError {
  return new SyntaxError(`has ${what} where a value of type ${JSON.stringify(type)} is wanted`);
}
