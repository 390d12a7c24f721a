import { describe, expect, it } from "vitest";
import { readGeneral } from "./general.ts";
import type { Invocation } from "./reading.ts";

const read = (line: string) => readGeneral(line === "" ? [] : line.split(" "));

function invocation(argv: readonly string[]): Invocation {
  const reading = readGeneral(argv);
  if (reading.kind !== "run") throw new Error(JSON.stringify(reading));
  return reading;
}

describe("the general reader follows Go's flag package", () => {
  it("takes one dash or two, and a value behind = or as the next word", () => {
    for (const line of ["-root /r state x", "--root /r state x", "-root=/r state x", "--root=/r state x"]) {
      expect(invocation(line.split(" ")).global.string("root")).toBe("/r");
    }
  });

  it("takes the next word as value, whatever it looks like", () => {
    const { options, args } = invocation(["create", "--bundle", "--force", "--pid-file", "--", "id"]);
    expect([options.string("bundle"), options.string("pid-file"), args]).toEqual(["--force", "--", ["id"]]);
  });

  it("takes no separate value for a bool, but one behind =", () => {
    expect(invocation(["kill", "--all", "false", "TERM"]).args).toEqual(["false", "TERM"]);
    for (const yes of ["1", "t", "T", "TRUE", "true", "True"]) {
      expect(invocation(["delete", `-f=${yes}`, "x"]).options.bool("force")).toBe(true);
    }
    for (const no of ["0", "f", "F", "FALSE", "false", "False"]) {
      expect(invocation(["delete", `--force=${no}`, "x"]).options.bool("force")).toBe(false);
    }
  });

  it("counts the last of a flag that is given twice", () => {
    expect(invocation(["create", "-b", "x", "--bundle", "y", "id"]).options.string("bundle")).toBe("y");
  });

  it("keeps empty values, quotes, newlines, = and bytes that are not UTF-8", () => {
    for (const value of ["", "'x'", '"x"', "a\nb", "a=b=c", "\u{dcff}", " ", "1e3", "__proto__"]) {
      expect(invocation(["create", `--bundle=${value}`, value]).options.string("bundle")).toBe(value);
      expect(invocation(["create", "--bundle", value, value]).args).toEqual([value]);
    }
  });
});

describe("the general reader follows runc", () => {
  it("takes a command's known flags behind its arguments", () => {
    const { options, args } = invocation(["create", "id", "--bundle", "/b", "--no-pivot"]);
    expect([options.string("bundle"), options.bool("no-pivot"), args]).toEqual(["/b", true, ["id"]]);
    expect(invocation(["delete", "id", "-f"]).options.bool("force")).toBe(true);
    expect(read("kill id -a KILL")).toMatchObject({ kind: "mistake" });
  });

  it("takes an unknown word with a dash behind an argument as an argument", () => {
    expect(invocation(["kill", "id", "-9"]).args).toEqual(["id", "-9"]);
    expect(read("delete id --bogus")).toMatchObject({ kind: "mistake", heading: "Incorrect Usage." });
  });

  it("ends the flags at --, which in front of the arguments is no argument", () => {
    expect(invocation(["state", "--", "-x"]).args).toEqual(["-x"]);
    expect(invocation(["--", "state", "x"]).args).toEqual(["x"]);
    expect(read("delete id -- -f")).toMatchObject({ kind: "mistake" });
  });

  it("does not read global flags behind the command", () => {
    expect(read("state --root /r x")).toMatchObject({ kind: "mistake", text: "flag provided but not defined: -root" });
  });

  it.each([
    ["--bogus", "Incorrect Usage. flag provided but not defined: -bogus"],
    ["--root", "Incorrect Usage. flag needs an argument: -root"],
    ["--debug=xx state x", 'Incorrect Usage. invalid boolean value "xx" for -debug: parse error'],
    ["delete --bogus x", "Incorrect Usage: flag provided but not defined: -bogus"],
    ["list -f", "Incorrect Usage: flag needs an argument: -f"],
    ["list -q=xx", 'Incorrect Usage: invalid boolean value "xx" for -q: parse error'],
    ["create --preserve-fds=xx x", 'Incorrect Usage: invalid value "xx" for flag -preserve-fds: parse error'],
    ["create --preserve-fds -1 x", 'Incorrect Usage: invalid value "-1" for flag -preserve-fds: parse error'],
    ["state ---x", "Incorrect Usage: bad flag syntax: ---x"],
    ["state -=x", "Incorrect Usage: bad flag syntax: -=x"],
    ["state", "Incorrect Usage."],
    ["state a b", "Incorrect Usage."],
  ])("says what runc says about %s", (line, heading) => {
    expect(read(line)).toMatchObject({ kind: "mistake", heading });
  });

  it.each([
    ["state", 'berth: "state" requires exactly 1 argument(s)'],
    ["kill", 'berth: "kill" requires a minimum of 1 argument(s)'],
    ["kill a 9 x", 'berth: "kill" requires a maximum of 2 argument(s)'],
    ["list x", 'berth: "list" requires exactly 0 argument(s)'],
  ])("counts the arguments of %s", (line, text) => {
    expect(read(line)).toMatchObject({ kind: "mistake", text });
  });

  it("shows help and the version before anything else is looked at", () => {
    for (const line of ["", "help", "h", "-h", "--help", "--help state", "--help --version"]) {
      expect(read(line)).toEqual({ kind: "help" });
    }
    for (const line of ["-v", "--version", "--version state x"]) expect(read(line)).toEqual({ kind: "version" });
    for (const line of ["help state", "state -h", "state --help", "state x -h", "state x y --help"]) {
      expect(read(line)).toMatchObject({ kind: "help", topic: { name: "state" } });
    }
    expect(read("--version=false state x").kind).toBe("run");
    expect(read("state help").kind).toBe("run");
  });

  it("knows no other commands", () => {
    expect(read("bogus --help")).toMatchObject({ kind: "unknown command", name: "bogus" });
    expect(read("help bogus")).toMatchObject({ kind: "unknown command", name: "bogus" });
  });
});
