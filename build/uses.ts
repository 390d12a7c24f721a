// Finds out what a chunk uses beyond ECMAScript's base objects, so that the engine creates only that.

import type { AstNode } from "rollup";
import { parseAst } from "rollup/parseAst";

/** Names of csrc/engine/chunks.h by the global that needs them. */
const USES: Readonly<Record<string, string>> = {
  JSON: "USES_JSON",
  Map: "USES_MAP_SET",
  Set: "USES_MAP_SET",
  WeakMap: "USES_MAP_SET",
  WeakSet: "USES_MAP_SET",
  ArrayBuffer: "USES_TYPED_ARRAYS",
  DataView: "USES_TYPED_ARRAYS",
  Int8Array: "USES_TYPED_ARRAYS",
  Uint8Array: "USES_TYPED_ARRAYS",
  Uint8ClampedArray: "USES_TYPED_ARRAYS",
  Int16Array: "USES_TYPED_ARRAYS",
  Uint16Array: "USES_TYPED_ARRAYS",
  Int32Array: "USES_TYPED_ARRAYS",
  Uint32Array: "USES_TYPED_ARRAYS",
  BigInt64Array: "USES_TYPED_ARRAYS",
  BigUint64Array: "USES_TYPED_ARRAYS",
  Float32Array: "USES_TYPED_ARRAYS",
  Float64Array: "USES_TYPED_ARRAYS",
  RegExp: "USES_REGEXP",
  Date: "USES_DATE",
  Proxy: "USES_PROXY",
  WeakRef: "USES_WEAK_REF",
  FinalizationRegistry: "USES_WEAK_REF",
};

/** What the engine never has: nothing would run a promise's reactions, and there is no compiler in a bare context. */
const FORBIDDEN = new Set(["Promise", "Intl", "eval", "setTimeout", "TextDecoder", "TextEncoder"]);

/** Methods that make a RegExp of their argument or need a table of their own. */
const METHODS: Readonly<Record<string, string>> = {
  match: "USES_REGEXP",
  matchAll: "USES_REGEXP",
  search: "USES_REGEXP",
  normalize: "USES_NORMALIZE",
  groupBy: "USES_MAP_SET",
};

/**
 * The flags of csrc/engine/chunks.h that a script needs, sorted.
 *
 * @throws Error when the script uses what the engine does not have.
 */
export function usesOf(code: string, name: string): string[] {
  const uses = new Set<string>();
  const problems = new Set<string>();
  visit(parseAst(code), (node, parent) => {
    if (isAsync(node)) problems.add("an async function");
    if (isRegExp(node)) uses.add("USES_REGEXP");
    if (node.type !== "Identifier") return;
    const id = String(field(node, "name"));
    const isProperty = isPropertyName(node, parent);
    // The seed is the build's: it lies in the heap image.
    if (isProperty && id === "random") problems.add("Math.random");
    const use = isProperty ? METHODS[id] : USES[id];
    if (use !== undefined && Object.hasOwn(isProperty ? METHODS : USES, id)) uses.add(use);
    if (!isProperty && FORBIDDEN.has(id)) problems.add(id);
  });
  if (problems.size > 0) throw new Error(`${name} uses ${[...problems].join(", ")}, which the engine does not have`);
  return [...uses].sort();
}

const field = (node: AstNode, name: string): unknown => (node as unknown as Record<string, unknown>)[name];

const isAsync = (node: AstNode): boolean => field(node, "async") === true || node.type === "AwaitExpression";

const isRegExp = (node: AstNode): boolean => node.type === "Literal" && field(node, "regex") !== undefined;

/** `.name` or `name:`, as opposed to a reference to the variable of that name. */
function isPropertyName(node: AstNode, parent: AstNode | undefined): boolean {
  if (parent === undefined || field(parent, "computed") === true) return false;
  if (parent.type === "MemberExpression") return field(parent, "property") === node;
  const isMember = ["Property", "MethodDefinition", "PropertyDefinition"].includes(parent.type);
  return isMember && field(parent, "key") === node && field(parent, "shorthand") !== true;
}

function visit(node: AstNode, see: (node: AstNode, parent: AstNode | undefined) => void, parent?: AstNode): void {
  see(node, parent);
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) visit(child, see, node);
  }
}

const isNode = (value: unknown): value is AstNode => typeof value === "object" && value !== null && "type" in value;
