import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ["*.test.ts"],
    // One at a time: the leak check of one test must not see the containers of another.
    fileParallelism: false,
    reporters: ["verbose"],
    hookTimeout: 30_000,
  },
});
