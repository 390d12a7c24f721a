import { describe, expect, it } from "vitest";
import { SPEC_VERSION } from "../bundle/template.ts";
import { VERSION } from "../version.ts";
import { commandHelp, programHelp, versionText } from "./help.ts";
import { COMMANDS, type Flag, GLOBAL_FLAGS } from "./table.ts";

describe("help", () => {
  it("lists every command and every global flag", () => {
    const text = programHelp();
    for (const { name } of COMMANDS) expect(text).toMatch(new RegExp(`^   ${name} +\\S`, "m"));
    for (const { name } of GLOBAL_FLAGS) expect(text).toContain(`--${name}`);
  });

  it("of a command lists its flags with short form and default, and hides obsolete ones", () => {
    for (const command of COMMANDS) {
      const text = commandHelp(command);
      for (const flag of command.flags as readonly Flag[]) {
        if (flag.hidden) expect(text).not.toContain(`--${flag.name}`);
        else expect(text).toContain(`--${flag.name}`);
      }
    }
    const create = commandHelp(COMMANDS[0]);
    expect(create).toContain("--bundle value, -b value");
    expect(create).toMatch(/--preserve-fds value .*\(default: 0\)/);
  });

  it("fits a terminal: no line of text is longer than 140 characters", () => {
    for (const text of [programHelp(), ...COMMANDS.map(commandHelp)]) {
      for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(140);
    }
  });

  it("the version is three lines that engines parse", () => {
    expect(versionText()).toMatch(/^berth version \S+\ncommit: \S+\nspec: 1\.\d+\.\d+\n$/);
    expect(VERSION.spec).toBe(SPEC_VERSION);
  });
});
