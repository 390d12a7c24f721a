import { expect, it } from "vitest";
import { preloadedChunks } from "./preloaded.ts";

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
  expect(preloadedChunks(chunks, usesOf)).toEqual([2, 1, 0, 0, 2, 0]);
});
