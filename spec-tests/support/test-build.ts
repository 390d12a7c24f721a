// The test build of Berth (npm run build -- --test), which fails and stops where it is told.

import { existsSync } from "node:fs";
import { Runtime } from "./runtime.ts";

const TEST_BUILD = process.env.TEST_BERTH ?? "dist/test/berth";

/** It alone, or nothing where it was not built; then it is said which file is left out. */
export function testBuild(file: string): Runtime[] {
  if (existsSync(TEST_BUILD)) return [new Runtime(TEST_BUILD)];
  process.stdout.write(`${file}: skipped, ${TEST_BUILD} is not there: npm run build -- --test\n`);
  return [];
}
