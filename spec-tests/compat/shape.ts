// What is compared of a text: its shape, without what differs from call to call.

/** Names of this call, longest first: text → word. */
export type Names = readonly (readonly [text: string, word: string])[];

const TIME = /\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d| [+-]\d{4} UTC)?/g;

/** The text with the names of this call, times and pids replaced. */
export function plain(text: string, names: Names): string {
  let out = text;
  for (const [from, to] of names) out = out.replaceAll(from, to);
  return out
    .replace(/\b(berth|runc|crun)\b/g, "NAME")
    .replace(TIME, "TIME")
    .replace(/^(NAME version|commit:|spec:|go:|lib\w+:) .*$/gm, "$1 VERSION")
    .replace(/\bop \d+\b/g, "op N")
    .replace(/\bpid \d+\b/g, "pid N");
}

/** Standard output. */
export function shapeOf(text: string, names: Names): string {
  if (text === "") return "nothing";
  const documents = parsedLines(text) ?? [parsed(text)];
  if (!documents.includes(undefined)) {
    const shapes = new Set(documents.map(jsonShape));
    return `JSON ${[...shapes].join("\n")}${text.endsWith("\n") ? "" : ", no newline"}`;
  }
  const words = plain(text, names);
  const help = /^NAME:\n\s+(.*?)(?: - .*)?$/m.exec(words);
  if (help !== null) return helpShape(words, help.index, help[1] ?? "");
  return rows(words);
}

/** Tables: the width of a column depends on what is in it, and a process's numbers and name are its own. */
function rows(text: string): string {
  const processes = /^.*\bPID\b/.test(text);
  return text
    .trimEnd()
    .split("\n")
    .map((line) => line.replace(/ {2,}/g, processes ? " " : "  ").replace(/(?<![\w.])\d+:\d\d(:\d\d)?(?!\w)/g, "T"))
    .map((line) => line.replace(processes ? /(^|\s)[\d.]+(?=\s|$)/g : /(^|\s)\d{2,}(?=\s|$)/g, "$1N"))
    .map((line) => (processes ? line.replace(/(NAME(:\[init\] N| init)|\/bin\/sh -c .*|sleep N)$/, "PROGRAM") : line))
    .join("\n");
}

/** What engines look for in the words of an error. */
const PHRASES = [
  "permission denied",
  "operation not permitted",
  "no such file or directory",
  "executable file not found in",
  "does not exist",
  "not running",
  "already exists",
  "already running",
  "is not stopped",
  "has stopped",
  "paused",
];

export function phrases(text: string): string {
  const lower = text.toLowerCase();
  const found = PHRASES.filter((phrase) => lower.includes(phrase));
  return found.length === 0 ? "none" : found.join(", ");
}

/** What stands in front of the help and whose help it is; the commands and options that it names when it was asked for. */
function helpShape(words: string, start: number, name: string): string {
  const before = words.slice(0, start).trim();
  if (before !== "") return `${before}\nhelp of ${name}`;
  const list = /^(?:GLOBAL )?OPTIONS:\n/m.exec(words);
  const options = [
    ...words.slice(list?.index ?? start).matchAll(/^ {3}(--?[\w-]+(?: value)?(?:, --?[\w-]+(?: value)?)*)/gm),
  ];
  const commands = /^COMMANDS:\n((?: {2,}.*\n)+)/m.exec(words)?.[1] ?? "";
  const names = commands.split("\n").flatMap((line) => /^ {2,6}(\w[\w, ]*?)(?: {2,}|$)/.exec(line)?.[1] ?? []);
  return [
    `help of ${name}`,
    ...(names.length === 0 ? [] : [`commands: ${names.sort().join(" ")}`]),
    ...options
      .map((match) => (match[1] ?? "").replaceAll(" value", "=").replace(/\s+/g, " "))
      .filter((option) => !option.startsWith("--help"))
      .sort(),
  ].join("\n");
}

/** One document a line; many alike are one. */
function parsedLines(text: string): object[] | undefined {
  const all = text.trimEnd().split("\n").map(parsed);
  return all.length > 1 && all.every((each) => each !== undefined) ? (all as object[]) : undefined;
}

function parsed(text: string): object | null | undefined {
  if (!/^(\{|\[|null$)/m.test(text)) return undefined;
  try {
    return JSON.parse(text) as object;
  } catch {
    return undefined;
  }
}

/**
 * Keys in order, and the types of their values. What is in blkio depends on what was read from a disk already, as runc leaves out
 * counters of 0: spec-tests/events.test.ts looks at it.
 */
function jsonShape(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return `[${[...new Set(value.map(jsonShape))].join(" | ")}]`;
  if (typeof value !== "object") return typeof value;
  return `{${Object.entries(value)
    .map(([key, entry]) => `${key}: ${key === "blkio" ? "counters" : jsonShape(entry)}`)
    .join(", ")}}`;
}

export interface LogLine {
  /** `error {level,msg,time}`, or `plain`. */
  shape: string;
  level: string;
  message: string;
}

/** A log or standard error, line by line. */
export function logLines(text: string): LogLine[] {
  return text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => jsonLine(line) ?? textLine(line) ?? { shape: "plain", level: "plain", message: line });
}

function jsonLine(line: string): LogLine | undefined {
  const entry = parsed(line) as Record<string, unknown> | undefined;
  if (entry === undefined || entry === null || Array.isArray(entry)) return undefined;
  const level = String(entry.level);
  return { shape: `${level} {${Object.keys(entry).join(",")}}`, level, message: String(entry.msg) };
}

function textLine(line: string): LogLine | undefined {
  const match = /^time=("?)[^" ]+\1 level=(\w+) msg=("(?:[^"\\]|\\.)*"|\S+)(.*)$/.exec(line);
  if (match === null) return undefined;
  const [, , level = "", message = "", rest = ""] = match;
  const keys = [...rest.matchAll(/ (\w+)=/g)].map(([, key]) => key);
  const text = message.startsWith('"') ? unquoted(message) : message;
  return { shape: `${level} {${["time", "level", "msg", ...keys].join(",")}}`, level, message: text };
}

function unquoted(text: string): string {
  try {
    return JSON.parse(text) as string;
  } catch {
    return text.slice(1, -1);
  }
}

/** The shapes of lines; many alike are one. */
export function logShape(lines: readonly LogLine[]): string {
  if (lines.length === 0) return "nothing";
  const shapes: string[] = [];
  for (const { shape } of lines) if (shapes.at(-1) !== shape) shapes.push(shape);
  return shapes.join("\n");
}
