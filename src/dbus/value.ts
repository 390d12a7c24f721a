// D-Bus values in TypeScript. The signature says what each is:
//
//   y n q i u d   number         x t     bigint          b   boolean
//   s o g         string         a T     array of T      (..) array of the members
//   a{KV}         array of pairs v       Variant         ay  array of numbers, as any other

export type Value = boolean | number | bigint | string | Variant | readonly Value[];

export interface Variant {
  /** One complete type. */
  signature: string;
  value: Value;
}

export function isVariant(value: Value): value is Variant {
  return typeof value === "object" && !Array.isArray(value);
}
