// What a program holds from its top level on, which lies in the heap image: it changes like everything else, and what
// shares it does not.

const TEXT = "ab".repeat(9) + String(1);
const WIDE = `é${TEXT}é`;
const POINT = { x: 1, y: 2 };
const OTHER = { x: 3, y: 4 };
const LIST: unknown[] = ["a", POINT];
const TABLE = new Map<string, unknown>([[TEXT, POINT]]);
const SEEN = new Set([TEXT]);
let count = 0;
const counter = (): number => ++count;

class Holder {
  value: unknown = TEXT;
}
const HOLDER = new Holder();

/** Takes and drops a million references, extends strings and objects, and tells what is there then. */
export function changes(): unknown {
  for (let i = 0; i < 250_000; i++) {
    const held = [POINT, TEXT, counter, HOLDER];
    const { x } = held[0] as typeof POINT;
    if (x !== 1 || TABLE.get(TEXT) !== POINT) throw new RangeError(`changed at ${i}`);
    counter();
  }
  let text = TEXT;
  let wide = WIDE;
  for (let i = 0; i < 100; i++) {
    text += "c";
    wide += "ü";
  }
  const more = POINT as Record<string, unknown>;
  for (let i = 0; i < 20; i++) more[`more${i}`] = { [`own${i}`]: text };
  delete more.more3;
  LIST.push(text);
  TABLE.set("new", LIST);
  SEEN.add(text);
  HOLDER.value = undefined;
  const second = new Holder();
  return [
    [TEXT, WIDE.length, text.length, wide.length],
    [Object.keys(POINT).length, Object.keys(OTHER), OTHER.x + OTHER.y],
    [LIST.length, TABLE.size, SEEN.has(TEXT), SEEN.size],
    [second.value === TEXT, HOLDER.value === undefined, count],
  ];
}
