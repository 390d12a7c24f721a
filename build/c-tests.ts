// The C tests: each folder of csrc/test is one program, made of its own sources and what it tests.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { compileAll, link, SECTIONS, WARNINGS } from "./c.ts";
import { buildObjects, sourcesIn } from "./libberth.ts";
import { DIST, GEN, ROOT } from "./paths.ts";

const SANITIZE = ["-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"];

/** Every host_* folder, linked with libberth, as dist/<variant>/<folder>; failure injection is compiled in. */
export async function buildTests(variant: "test" | "sanitize"): Promise<void> {
  const compile = ["-g", ...(variant === "sanitize" ? SANITIZE : ["-O2"])];
  const objects = await buildObjects({ variant, failpoints: true }, "host-test", compile);
  const flags = [...WARNINGS, "-D_GNU_SOURCE", ...compile, ...SECTIONS, "-DBERTH_FAILPOINTS"];
  const include = ["gen", "host", "engine"].flatMap((name) => ["-I", name === "gen" ? GEN : join(ROOT, "csrc", name)]);
  for (const suite of suites()) {
    const into = join(DIST, "obj", variant, suite);
    const tests = await compileAll(sourcesIn(`test/${suite}`), { into, flags: [...flags, ...include] });
    await link(join(DIST, variant, suite), [...tests, ...objects], compile);
  }
}

function suites(): string[] {
  const entries = readdirSync(join(ROOT, "csrc/test"), { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory() && entry.name.startsWith("host_")).map(({ name }) => name);
}
