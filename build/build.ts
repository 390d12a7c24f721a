// `npm run build`: dist/berth (the executable), dist/libberth.so, dist/node/berth.js (the Node host)
// and dist/seccomp (the npm package's `berth/seccomp`).
//
//   --test      instead: dist/test/berth, with failure injection (BERTH_FAILPOINTS)
//   --sanitize  instead: dist/sanitize/berth, the same with AddressSanitizer and UndefinedBehaviorSanitizer

import { join } from "node:path";
import { buildEngine } from "./engine.ts";
import { generate } from "./gen.ts";
import { buildObjects, buildShared } from "./libberth.ts";
import { buildLibrary, buildNodeHost } from "./node-host.ts";
import { DIST } from "./paths.ts";
import { release, SANITIZED } from "./toolchain.ts";

async function buildExecutable(
  variant: string,
  output: string,
  failpoints: boolean,
  toolchain = release(),
): Promise<void> {
  const objects = await buildObjects({ variant, failpoints }, "host", toolchain);
  await buildEngine({ variant, output, objects, failpoints, toolchain });
}

async function build(): Promise<void> {
  await generate();
  if (process.argv.includes("--sanitize")) {
    return buildExecutable("sanitize", join(DIST, "sanitize/berth"), true, SANITIZED);
  }
  if (process.argv.includes("--test")) return buildExecutable("test", join(DIST, "test/berth"), true);
  await buildExecutable("engine", join(DIST, "berth"), false);
  await buildShared({ variant: "engine", failpoints: false }, join(DIST, "libberth.so"));
  await buildNodeHost(join(DIST, "node"), false);
  await buildLibrary(join(DIST, "seccomp"), "src/seccomp/index.ts");
}

try {
  await build();
} catch (error) {
  for (let cause = error; cause !== undefined; cause = cause instanceof Error ? cause.cause : undefined) {
    console.error(cause instanceof Error ? cause.message : cause);
  }
  process.exitCode = 1;
}
