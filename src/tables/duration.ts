// Go's spelling of durations (time.ParseDuration): `5s`, `1m30s`, `1.5h`, `100ms`.

const UNITS: ReadonlyMap<string, number> = new Map([
  ["ns", 1],
  ["us", 1e3],
  ["\u00b5s", 1e3], // micro sign
  ["\u03bcs", 1e3], // Greek letter mu
  ["ms", 1e6],
  ["s", 1e9],
  ["m", 60e9],
  ["h", 3600e9],
]);
/** 2^63: Go counts nanoseconds in an int64. */
const TOO_LONG = 2 ** 63;

/** Nanoseconds; undefined for a text that is no duration. Beyond 2^53 they are rounded. */
export function parseDuration(text: string): number | undefined {
  const negative = text.startsWith("-");
  const unsigned = negative || text.startsWith("+") ? text.slice(1) : text;
  if (unsigned === "0") return 0;
  if (unsigned === "") return undefined;
  let total = 0;
  let at = 0;
  while (at < unsigned.length) {
    const number = span(unsigned, at, isNumeric);
    const unit = span(unsigned, at + number.length, (c) => !isNumeric(c));
    const amount = parseAmount(number);
    const size = UNITS.get(unit);
    if (amount === undefined || size === undefined) return undefined;
    total += amount * size;
    at += number.length + unit.length;
  }
  if (total > TOO_LONG || (total === TOO_LONG && !negative)) return undefined;
  return negative ? -total : total;
}

/** Digits with at most one point, and at least one digit. */
function parseAmount(text: string): number | undefined {
  if (text === "" || text === "." || text.indexOf(".") !== text.lastIndexOf(".")) return undefined;
  return Number(text);
}

function span(text: string, from: number, accept: (c: string) => boolean): string {
  let end = from;
  while (end < text.length && accept(text[end] as string)) end++;
  return text.slice(from, end);
}

function isNumeric(c: string): boolean {
  return c === "." || (c >= "0" && c <= "9");
}
