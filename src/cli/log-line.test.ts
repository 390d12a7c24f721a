import { describe, expect, it } from "vitest";
import { logLine } from "./log-line.ts";

describe("log lines", () => {
  it("are logrus text", () => {
    expect(logLine("text", "error", "container does not exist", 1795316896)).toBe(
      'time="2026-11-22T03:08:16Z" level=error msg="container does not exist"\n',
    );
    expect(logLine("text", "warning", "plain", 0)).toBe('time="1970-01-01T00:00:00Z" level=warning msg=plain\n');
  });

  it("are logrus JSON", () => {
    expect(logLine("json", "error", 'a "b"', 1795316896)).toBe(
      '{"level":"error","msg":"a \\"b\\"","time":"2026-11-22T03:08:16Z"}\n',
    );
  });

  it("quote as Go does, so that no message ends its line or reaches a terminal as control sequence", () => {
    const line = logLine("text", "error", 'a "b" \\ \n\r\t\x1b[31m\x7f\u{85}\u{2028}\u{dc80}\u{202e}é€😀', 0);
    expect(line.slice(line.indexOf("msg="))).toBe(
      'msg="a \\"b\\" \\\\ \\n\\r\\t\\x1b[31m\\x7f\\u0085\\u2028\\x80\\u202eé€😀"\n',
    );
  });
});
