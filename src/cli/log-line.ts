// Log lines as logrus prints them for runc: engines read both.

import { formatTime } from "../container/time.ts";

export type Level = "debug" | "warning" | "error";

/** One line with its newline. */
export function logLine(format: "text" | "json", level: Level, message: string, seconds: number): string {
  const time = formatTime(seconds);
  if (format === "json") return `${JSON.stringify({ level, msg: message, time })}\n`;
  return `time="${time}" level=${level} msg=${bare(message) ? message : quote(message)}\n`;
}

/** logrus leaves a word of these characters without quotes. */
function bare(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    const alphanumeric = (c >= 0x30 && c <= 0x39) || (c >= 0x41 && c <= 0x5a) || (c >= 0x61 && c <= 0x7a);
    if (!alphanumeric && !"-._/@^+".includes(text[i] as string)) return false;
  }
  return true;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
};

/** Go's %q: nothing in a line can end it or reach a terminal as a control sequence. */
function quote(text: string): string {
  let out = '"';
  for (const character of text) {
    const code = character.codePointAt(0) as number;
    const escaped = ESCAPES[character];
    if (escaped !== undefined) out += escaped;
    else if (code < 0x20 || code === 0x7f) out += `\\x${hex(code, 2)}`;
    else if (code >= 0xdc80 && code <= 0xdcff) out += `\\x${hex(code - 0xdc00, 2)}`;
    else if (hidden(code)) out += `\\u${hex(code, 4)}`;
    else out += character;
  }
  return `${out}"`;
}

/** C1 controls, surrogates, and what changes the direction or place of text. */
function hidden(code: number): boolean {
  if (code < 0x80) return false;
  return (
    code <= 0xa0 ||
    code === 0xad ||
    (code >= 0x200b && code <= 0x200f) ||
    (code >= 0x2028 && code <= 0x202e) ||
    (code >= 0x2060 && code <= 0x206f) ||
    (code >= 0xd800 && code <= 0xdfff) ||
    code === 0xfeff
  );
}

function hex(code: number, width: number): string {
  return code.toString(16).padStart(width, "0");
}
