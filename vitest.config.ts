// Unit tests: beside the code, without root. spec-tests/ has its own configuration.

import { defineConfig } from "vitest/config";

export default defineConfig({
  define: { FAILPOINTS: "false", BERTH_VERSION: '"0.0.0"', BERTH_COMMIT: '"unknown"' },
  test: { include: ["src/**/*.test.ts", "build/**/*.test.ts"] },
});
