// Tests of the init executor: as root, in namespaces of their own. npx vitest run --config csrc/test/init/vitest.config.ts

import { join } from "node:path";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    root: import.meta.dirname,
    globalSetup: join(import.meta.dirname, "../../../build/test-folder.ts"),
    include: ["*.test.ts"],
    testTimeout: 30_000,
    hookTimeout: 120_000,
    retry: Number(process.env.RETRY ?? 0),
  },
});
