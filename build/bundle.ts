// TypeScript → chunks of plain script, by esbuild (strips types, minifies) and rollup (splits). `loaded(import("./x.ts"))`
// becomes a synchronous require of a chunk: see src/lazy.ts.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import type { OutputChunk, Plugin } from "rollup";
import { ROOT } from "./paths.ts";
import { digest, filesBelow } from "./stamp.ts";

export interface BundleOptions {
  /** Entry module, relative to the repository. */
  entry: string;
  /** Compiles the code for failure injection in; src/globals.d.ts declares the constant. */
  failpoints: boolean;
  /** Module ids that stay a require: node's own and native ones. */
  external: (id: string) => boolean;
}

export interface Chunk {
  /** File name, without folder; other chunks require it as `./name`. */
  name: string;
  code: string;
  /** The sources, relative to the repository. */
  modules: string[];
}

/** The chunks, the entry first. */
export async function bundle({ entry, failpoints, external }: BundleOptions): Promise<Chunk[]> {
  const { rollup } = await import("rollup"); // only when there is something to bundle: loading it takes a while
  const result = await rollup({
    input: resolve(ROOT, entry),
    external,
    preserveEntrySignatures: "allow-extension",
    plugins: [resolvePackages(external), stripTypes(defines(failpoints)), synchronousImport],
    onwarn: (warning) => {
      // src/boundaries.test.ts reports cycles; they do not stop a build.
      if (warning.code !== "CIRCULAR_DEPENDENCY") throw new Error(warning.message);
    },
  });
  const { output } = await result.generate({
    format: "cjs",
    strict: true,
    esModule: false,
    externalLiveBindings: false,
    freeze: false,
    interop: "default",
    generatedCode: { preset: "es2015", symbols: false, reservedNamesAsProps: true },
    hoistTransitiveImports: false,
    entryFileNames: "main.js",
    chunkFileNames: "[name].js",
  });
  await result.close();
  const chunks = output.filter((file): file is OutputChunk => file.type === "chunk");
  return chunks
    .sort((a, b) => Number(b.isEntry) - Number(a.isEntry) || a.fileName.localeCompare(b.fileName))
    .map(({ fileName, code, moduleIds }) => ({
      name: fileName,
      code: synchronousNamespaces(code),
      modules: moduleIds.map((id) => relative(ROOT, id)),
    }));
}

/** Changes with everything that the chunks are made of. */
export function bundleKey(entry: string, failpoints: boolean): string {
  const inputs = [
    ...filesBelow(join(ROOT, "src"), isProduct),
    ...(entry.startsWith("src/") ? [] : filesBelow(dirname(resolve(ROOT, entry)), isProduct)),
    ...["bundle.ts", "engine.ts", "node-host.ts", "preloaded.ts", "uses.ts", "../package-lock.json"].map((name) =>
      join(ROOT, "build", name),
    ),
  ];
  return digest(inputs, entry, JSON.stringify(defines(failpoints)));
}

const isProduct = (path: string): boolean => path.endsWith(".ts") && !path.endsWith(".test.ts");

/** Constants that the compiler knows, so that code which they switch off is left out; see src/globals.d.ts. */
function defines(failpoints: boolean): Record<string, string> {
  const manifest: { version: string } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  return {
    FAILPOINTS: String(failpoints),
    BERTH_VERSION: JSON.stringify(manifest.version),
    BERTH_COMMIT: JSON.stringify(commit()),
  };
}

/** HEAD, as short as `git rev-parse --short` makes it; "unknown" outside a checkout. */
function commit(): string {
  const git = spawnSync("git", ["-C", ROOT, "rev-parse", "--short", "HEAD"], { encoding: "utf8" });
  return git.status === 0 ? git.stdout.trim() : "unknown";
}

function stripTypes(define: Record<string, string>): Plugin {
  return {
    name: "strip-types",
    async transform(code, id) {
      if (!id.endsWith(".ts")) return null;
      const { transform } = await import("esbuild");
      const result = await transform(code, {
        loader: "ts",
        sourcefile: id,
        target: "es2023",
        define,
        minifySyntax: true,
        tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
      });
      return { code: result.code, map: null };
    },
  };
}

/** Packages that are bundled (yargs-parser) are found where npm puts them. */
function resolvePackages(external: (id: string) => boolean): Plugin {
  return {
    name: "resolve-packages",
    resolveId(id) {
      if (/^[./]/.test(id) || external(id)) return null;
      return import.meta.resolve(id).replace(/^file:\/\//, "");
    },
  };
}

const synchronousImport: Plugin = {
  name: "synchronous-import",
  renderDynamicImport: () => ({ left: "require(", right: ")" }),
  resolveImportMeta: (property) => (property === "dirname" ? "__dirname" : null),
};

/** What rollup adds to an import() whose chunk holds more than the one module. */
function synchronousNamespaces(code: string): string {
  const plain = code
    .replace(/(require\([^()]*\))\.then\(\(?n\)? => n\.([\w$]+)\)/g, "$1.$2")
    .replace(/(require\([^()]*\))\.then\(function \(n\) \{ return n\.([\w$]+); \}\)/g, "$1.$2")
    .replace(/Promise\.resolve\(\)\.then\(\(\) => ([\w$]+)\)/g, "$1")
    .replace(/Promise\.resolve\(\)\.then\(function \(\) \{ return ([\w$]+); \}\)/g, "$1");
  return plain;
}
