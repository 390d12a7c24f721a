// The C tests with AddressSanitizer and UndefinedBehaviorSanitizer.

import { basename, join } from "node:path";
import { compileAll, link, WARNINGS } from "./c.ts";
import { buildObjects, sourcesIn } from "./libberth.ts";
import { DIST, GEN, ROOT } from "./paths.ts";

const SANITIZE = ["-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"];

/** One executable in dist/sanitize for each csrc/test/*.c, linked with libberth. */
export async function buildSanitized(): Promise<void> {
  const objects = await buildObjects({ variant: "sanitize", failpoints: true }, "host", SANITIZE);
  const into = join(DIST, "obj/sanitize/test");
  const flags = [...WARNINGS, ...SANITIZE, "-I", GEN, "-I", join(ROOT, "csrc")];
  for (const source of sourcesIn("test")) {
    const [test = ""] = await compileAll([source], { into, flags });
    await link(join(DIST, "sanitize", basename(source, ".c")), [test, ...objects], SANITIZE);
  }
}
