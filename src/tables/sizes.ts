// Sizes in bytes as people write them: 512m, 1.5GiB, 100. What go-units' RAMInBytes takes: units are powers of 1024, in any
// case, alone or with b or ib behind, after one space at most.

const UNITS = "kmgtp";

/** Undefined for what is no size. A fraction of a byte is cut off. */
export function parseSize(text: string): bigint | undefined {
  let end = 0;
  while (end < text.length && isNumeral(text[end] as string)) end++;
  const number = text.slice(0, end);
  const unit = text.slice(text[end] === " " && end > 0 ? end + 1 : end).toLowerCase();
  const shift = shiftOf(unit);
  const parts = number.split(".");
  if (shift === undefined || number === "" || number === "." || parts.length > 2) return undefined;
  if (parts.length === 1) return BigInt(number) << shift;
  return BigInt(Math.trunc(Number(number) * 2 ** Number(shift)));
}

function isNumeral(c: string): boolean {
  return (c >= "0" && c <= "9") || c === ".";
}

/** As a power of two; undefined for what is no unit. */
function shiftOf(unit: string): bigint | undefined {
  if (unit === "" || unit === "b") return 0n;
  const power = UNITS.indexOf(unit[0] as string);
  const rest = unit.slice(1);
  if (power < 0 || (rest !== "" && rest !== "b" && rest !== "ib")) return undefined;
  return BigInt(power + 1) * 10n;
}
