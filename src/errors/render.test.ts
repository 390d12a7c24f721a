import { describe, expect, it } from "vitest";
import { exitCodeOf, sentence } from "./render.ts";
import { RuntimeError } from "./runtime-error.ts";

const render = (facts: ConstructorParameters<typeof RuntimeError>[0]) => sentence(new RuntimeError(facts), "create");

describe("a sentence", () => {
  it("names command, operation, path, errno, config field and op", () => {
    expect(
      render({
        message: "",
        operation: "mount_setattr",
        path: "/proc/sys",
        errno: 1,
        pointer: "/linux/readonlyPaths/0",
        op: 41,
      }),
    ).toBe('create: mount_setattr "/proc/sys": operation not permitted (/linux/readonlyPaths/0, op 41)');
    expect(render({ message: "cannot enter the bundle", operation: "chdir", path: "/none", errno: 2 })).toBe(
      'create: cannot enter the bundle: chdir "/none": no such file or directory',
    );
  });

  it("keeps the phrases that engines match", () => {
    expect(
      render({ message: 'exec: "x": executable file not found in $PATH', errno: 2, pointer: "/process/args/0" }),
    ).toContain('exec: "x": executable file not found in $PATH');
    expect(render({ message: "exec", errno: 13 })).toContain("permission denied");
    expect(sentence(new RuntimeError({ message: "container does not exist" }))).toBe("container does not exist");
  });

  it("says the errno once", () => {
    expect(render({ message: 'exec: "x": permission denied', errno: 13 })).toBe('create: exec: "x": permission denied');
  });

  it("shows detail, and what failed while undoing", () => {
    const suppressed = [new RuntimeError({ message: "", operation: "rmdir", path: "/c", errno: 16 })];
    expect(render({ message: "hook failed: exit status 1", detail: "boom\n", suppressed })).toBe(
      'create: hook failed: exit status 1: boom; undoing it failed too: rmdir "/c": device or resource busy',
    );
  });

  it("quotes paths, so that a newline in one cannot forge a line", () => {
    expect(render({ message: "m", path: "a\nb" })).toBe('create: m: "a\\nb"');
  });

  it("of anything that is no RuntimeError tells that it is Berth's mistake", () => {
    expect(sentence(new TypeError("x is undefined"))).toBe("internal error: TypeError: x is undefined");
    expect(sentence("what")).toBe("internal error: what");
    expect(exitCodeOf(new TypeError("x"))).toBe(1);
    expect(exitCodeOf(new RuntimeError({ message: "m", exitCode: 143 }))).toBe(143);
  });
});
