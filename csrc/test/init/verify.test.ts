// Compiles and runs the verifier's own tests: init_verify_test.c with sanitizers, fuzz_plan.c for a moment.

import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { scratch, useInit } from "./support.ts";

useInit();

const repository = join(import.meta.dirname, "../../..");

it("the verifier refuses plans that no encoder writes", () => {
  const program = join(scratch, "verify");
  const flags = "-std=gnu17 -Wall -Wextra -Werror -Wconversion -g -fsanitize=address,undefined -Icsrc/init".split(" ");
  const sources = ["csrc/test/init_verify_test.c", "csrc/init/plan.c"];
  execFileSync("gcc", [...flags, ...sources, "-o", program], { cwd: repository });
  const { status, stdout } = spawnSync(program, { encoding: "utf8" });
  expect(stdout.split("\n").filter((line) => line.startsWith("not ok"))).toEqual([]);
  expect(status).toBe(0);
});

const clang = spawnSync("clang", ["--version"]).status === 0;

it("the verifier survives any bytes", ({ skip }) => {
  skip(!clang, "clang is not there");
  const source = readFileSync(join(repository, "csrc/test/fuzz_plan.c"), "utf8");
  const [command = "", ...args] = (source.split("\n")[0] ?? "").replace("// ", "").split(" ");
  const program = join(scratch, "fuzz_plan");
  execFileSync(command, [...args.slice(0, -1), program], { cwd: repository });
  const { status, stderr } = spawnSync(program, ["-runs=300000", "-seed=1"], { cwd: scratch, encoding: "utf8" });
  expect(status === 0 ? "" : stderr).toBe("");
});
