import { join } from "node:path";
import { defineConfig } from "vitest/config";
import unit from "../vitest.config.ts";

export default defineConfig({
  // What src loads lazily is there at once.
  plugins: unit.plugins ?? [],
  test: {
    root: import.meta.dirname,
    globalSetup: join(import.meta.dirname, "../build/test-folder.ts"),
    include: ["*.test.ts", "spec/*.test.ts"],
    // One at a time: the leak check of one test must not see the containers of another.
    fileParallelism: false,
    reporters: ["verbose"],
    hookTimeout: 30_000,
    retry: Number(process.env.RETRY ?? 0),
  },
});
