import { describe, expect, test } from "vitest";
import { nativeGlue, nativeHeader, nativeInterface } from "./gen-native.ts";

const table = {
  send: {
    args: { fd: "int", path: "path", data: "text", names: "texts", numbers: "words" },
    result: "ints",
    doc: "Sends */ things.",
  },
  now: { args: {}, result: "text", doc: "The time." },
} as const;

describe("nativeInterface", () => {
  const text = nativeInterface(table);

  test("takes one argument for each of the table's, in its order", () => {
    expect(text).toContain(
      "send(fd: number, path: string, data: string, names: readonly string[], numbers: Uint32Array): number[] | number;",
    );
  });

  test("has a function without arguments", () => {
    expect(text).toContain("  /** The time. */\n  now(): string | number;");
  });
});

describe("nativeHeader", () => {
  const text = nativeHeader(table);

  test("passes the size of texts, lists and words behind them", () => {
    expect(text).toContain(
      "BERTH_API int64_t berth_send(int64_t fd, const char *path, const char *data, size_t data_size, " +
        "const char *const *names, size_t names_count, const uint32_t *numbers, size_t numbers_count);",
    );
  });

  test("declares a function without arguments as such", () => {
    expect(text).toContain("BERTH_API int64_t berth_now(void);");
  });

  test("keeps the end of a comment out of the documentation", () => {
    expect(text).toContain("/* Sends * / things. */");
  });
});

describe("nativeGlue", () => {
  const text = nativeGlue(table);

  test("converts each argument by its type and stops at the first that cannot be", () => {
    for (const call of ["int(ctx, argv[0], &fd)", "path(ctx, argv[1], &path)", "text(ctx, argv[2], &data)"]) {
      expect(text).toContain(`(status = convert_${call}) != 0`);
    }
    expect(text).toContain("return convert_failure(status);");
  });

  test("passes what was converted and takes the result by its type", () => {
    expect(text).toContain(
      "return ints_result(ctx, berth_send(fd, path.data, data.data, data.size, names.items, names.count, numbers.data, numbers.count));",
    );
    expect(text).toContain("return text_result(ctx, berth_now());");
  });

  test("registers every function with its number of arguments, so that argv has them all", () => {
    expect(text).toContain('JS_CFUNC_DEF("send", 5, glue_send)');
    expect(text).toContain('JS_CFUNC_DEF("now", 0, glue_now)');
  });
});
