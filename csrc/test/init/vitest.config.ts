// Tests of the init executor: as root, in namespaces of their own. npx vitest run --config csrc/test/init/vitest.config.ts

import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ["*.test.ts"],
    testTimeout: 30_000,
    hookTimeout: 120_000,
    retry: Number(process.env.RETRY ?? 0),
  },
});
