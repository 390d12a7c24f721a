// Unit tests: beside the code, without root. spec-tests/ has its own configuration.

import { join } from "node:path";
import { defineConfig, type Plugin } from "vitest/config";

/** As in the built hosts, what is loaded lazily is there at once: see src/lazy.ts. */
const synchronousImports: Plugin = {
  name: "synchronous-imports",
  enforce: "pre",
  transform(code, id) {
    // The build, tests and lazy.ts itself only name the call.
    if (!id.includes("/src/") || /\/lazy\.ts$|\.test\.ts$/.test(id)) return null;
    const imports: string[] = [];
    const synchronous = code.replace(/\bloaded\(import\(("[^"]+")\)\)/g, (_call, path: string) => {
      imports.push(`import * as lazy${imports.length} from ${path};`);
      return `lazy${imports.length - 1}`;
    });
    return { code: `${synchronous}\n${imports.join("\n")}`, map: null };
  },
};

export default defineConfig({
  plugins: [synchronousImports],
  define: { FAILPOINTS: "false", BERTH_VERSION: '"0.0.0"', BERTH_COMMIT: '"unknown"' },
  // Random tests take long on a busy machine.
  test: {
    globalSetup: join(import.meta.dirname, "build/test-folder.ts"),
    include: ["src/**/*.test.ts", "build/**/*.test.ts"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    retry: Number(process.env.RETRY ?? 0),
  },
});
