// JSON output with the spelling of Go's encoder, which engines and scripts compare with runc's: `<`, `>`, `&`, U+2028 and
// U+2029 as \u escapes, control characters as \u00xx except \b \f \n \r \t.

/** A value that can be written. Members that are undefined are left out; a Map is an object with sorted keys. */
export type Json =
  | string
  | number
  | bigint
  | boolean
  | null
  | undefined
  | readonly Json[]
  | ReadonlyMap<string, Json>
  | { readonly [key: string]: Json };

function hex(code: number): string {
  return `\\u${code.toString(16).padStart(4, "0")}`;
}

/** A JSON string literal. Bytes that are not UTF-8 (U+DC80..DCFF) become U+FFFD, as Go writes them. */
export function writeString(text: string): string {
  let out = '"';
  let clean = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    let replacement: string;
    if (code === 0x22) replacement = '\\"';
    else if (code === 0x5c) replacement = "\\\\";
    else if (code === 0x0a) replacement = "\\n";
    else if (code === 0x0d) replacement = "\\r";
    else if (code === 0x09) replacement = "\\t";
    else if (code === 0x08) replacement = "\\b";
    else if (code === 0x0c) replacement = "\\f";
    else if (code < 0x20 || code === 0x3c || code === 0x3e || code === 0x26) replacement = hex(code);
    else if (code === 0x2028 || code === 0x2029) replacement = hex(code);
    else if (code >= 0xd800 && code <= 0xdfff) {
      const low = text.charCodeAt(i + 1);
      if (code < 0xdc00 && low >= 0xdc00 && low <= 0xdfff) {
        i++;
        continue;
      }
      replacement = "\\ufffd";
    } else continue;
    out += text.slice(clean, i) + replacement;
    clean = i + 1;
  }
  return `${out}${text.slice(clean)}"`;
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function members(value: ReadonlyMap<string, Json> | { readonly [key: string]: Json }): [string, Json][] {
  if (!(value instanceof Map)) return Object.entries(value).filter(([, member]) => member !== undefined);
  const entries: [string, Json][] = [...value.entries()];
  return entries.sort((a, b) => byCodeUnit(a[0], b[0]));
}

function write(value: Json, indent: string, line: string): string {
  if (typeof value === "string") return writeString(value);
  if (value === null || value === undefined) return "null";
  if (typeof value !== "object") return String(value);
  const inner = line + indent;
  const list = Array.isArray(value);
  const parts = list
    ? (value as readonly Json[]).map((item) => write(item, indent, inner))
    : members(value as { readonly [key: string]: Json }).map(
        ([key, member]) => `${writeString(key)}:${indent === "" ? "" : " "}${write(member, indent, inner)}`,
      );
  const open = list ? "[" : "{";
  const close = list ? "]" : "}";
  if (parts.length === 0) return open + close;
  if (indent === "") return open + parts.join(",") + close;
  return `${open}\n${inner}${parts.join(`,\n${inner}`)}\n${line}${close}`;
}

/**
 * Writes a value as Go's json.MarshalIndent does with this indent, or as json.Marshal with "" (all on one line). No
 * newline at the end.
 */
export function writeJson(value: Json, indent = ""): string {
  return write(value, indent, "");
}
