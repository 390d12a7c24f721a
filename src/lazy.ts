// Code that one command alone needs is split off and loaded on demand.

/**
 * The namespace of a lazily loaded module: `loaded(import("./help.ts")).help()`. Both built hosts replace the `import()`
 * of code that is split off by a synchronous load (build/bundle.ts), and so do unit tests (vitest.config.ts): the "promise"
 * is the namespace itself.
 */
export function loaded<T>(module: Promise<T>): T {
  return module as unknown as T;
}
