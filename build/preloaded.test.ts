import { expect, it } from "vitest";
import { turnsOf } from "./preloaded.ts";

const chunk = (name: string, code: string, module = `src/${name}.ts`) => ({ name, code, modules: [module] });

it("is what can be reached from the entry without passing a command that only people ask for, a command that starts something first", () => {
  const chunks = [
    chunk("main", 'require("./create"); require("./explain"); require("./time")'),
    chunk("create", 'require("./shared")', "src/command/create.ts"),
    chunk("explain", 'require("./print")', "src/command/explain.ts"),
    chunk("print", 'require("./shared")'),
    chunk("shared", 'require("./create")'),
    chunk("time", "Date"),
  ];
  const usesOf = (code: string): string[] => (code === "Date" ? ["USES_DATE"] : []);
  const [never, first, later] = ["NOT_PRELOADED", "PRELOADED_FIRST", "PRELOADED_LATER"];
  expect(turnsOf(chunks, usesOf)).toEqual([later, first, never, never, later, never]);
});
