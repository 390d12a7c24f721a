// The schemata file of a resctrl group: a line for each resource, `L3:0=ff;1=c0`, with a value for each of its domains.

/** By domain, as written. */
type Domains = ReadonlyMap<string, string>;

interface Line {
  resource: string;
  domains: Domains;
}

/** Undefined for what is no such line. */
function parseLine(line: string): Line | undefined {
  const colon = line.indexOf(":");
  const resource = line.slice(0, Math.max(colon, 0)).trim();
  if (resource === "") return undefined;
  const domains = new Map<string, string>();
  for (const part of line.slice(colon + 1).split(";")) {
    const [domain = "", value = "", ...more] = part.split("=").map((word) => word.trim());
    if (domain === "" || value === "" || more.length > 0) return undefined;
    domains.set(domain, value);
  }
  return { resource, domains };
}

/** A whole number without sign; the kernel takes 0x before the digits of a mask. */
function numberOf(text: string, digits: string): number | undefined {
  const plain = digits.length === 16 && text.startsWith("0x") ? text.slice(2) : text;
  if (plain === "" || plain.length > 12) return undefined;
  for (const digit of plain.toLowerCase()) if (!digits.includes(digit)) return undefined;
  return Number.parseInt(plain, digits.length);
}

const DECIMAL = "0123456789";
const HEXADECIMAL = "0123456789abcdef";

function isSame(resource: string, wanted: string, there: string, granularity: number): boolean {
  // Masks are hexadecimal, bandwidths are not.
  const digits = resource === "MB" || resource === "SMBA" ? DECIMAL : HEXADECIMAL;
  const [a, b] = [numberOf(wanted, digits), numberOf(there, digits)];
  if (a === undefined || b === undefined) return wanted === there;
  return a === b || (digits === DECIMAL && Math.ceil(a / granularity) * granularity === b);
}

/**
 * Whether a line asks for what a schemata file says already. The kernel prints values in its own way, and rounds bandwidths
 * up to a multiple of `granularity`. A domain that the line does not name may have any value.
 */
export function isInForce(line: string, file: string, granularity: number): boolean {
  const wanted = parseLine(line);
  if (wanted === undefined) return false;
  for (const one of file.split("\n")) {
    const there = parseLine(one);
    if (there?.resource !== wanted.resource) continue;
    return [...wanted.domains].every(([domain, value]) => {
      const now = there.domains.get(domain);
      return now !== undefined && isSame(wanted.resource, value, now, granularity);
    });
  }
  return false;
}

/** The file's lines of one resource, trimmed; the last one counts, as for runc. */
export function schemaOf(resource: string, file: string): string | undefined {
  return file
    .split("\n")
    .map((line) => line.trim())
    .findLast((line) => line.includes(resource));
}
