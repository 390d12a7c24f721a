// Both hosts pass bytes, numbers and lazily loaded code the same way.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildEngine } from "./engine.ts";
import { generate } from "./gen.ts";
import { buildObjects, buildShared } from "./libberth.ts";
import { buildNodeHost } from "./node-host.ts";
import { DIST } from "./paths.ts";
import { release } from "./toolchain.ts";

const FOLDER = join(DIST, "probe");
const ENGINE = join(FOLDER, "probe");
const NODE = join(FOLDER, "node/berth.js");
const LIBBERTH = join(FOLDER, "libberth.so");
const scratch = mkdtempSync(join(tmpdir(), "berth-hosts-"));
const ALL = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));

beforeAll(async () => {
  await generate();
  const options = { variant: "engine", failpoints: false };
  const objects = await buildObjects(options, "host", release());
  await buildEngine({
    variant: "probe",
    output: ENGINE,
    objects,
    toolchain: release(),
    failpoints: false,
    entry: "build/probe/probe.engine.ts",
  });
  await buildShared(options, LIBBERTH);
  await buildNodeHost(join(FOLDER, "node"), false, "build/probe/probe.node.ts");
}, 300_000);

afterAll(() => rmSync(scratch, { recursive: true }));

describe.each([
  ["engine", [ENGINE]],
  ["node", [process.execPath, NODE]],
])("%s", (_name, command) => {
  /** Through a shell: node itself cannot pass arguments that are not UTF-8. */
  const run = (script: string, ...args: string[]) =>
    spawnSync("/bin/sh", ["-c", script, "sh", ...command, ...args], { env: { ...process.env, LIBBERTH } });
  const probe = (...args: string[]) => run('exec "$@"', ...args);
  const json = (...args: string[]): unknown => JSON.parse(probe(...args).stdout.toString());

  test("passes every byte of an argument", () => {
    const octal = [...ALL.subarray(1)].map((byte) => `\\0${byte.toString(8)}`).join("");
    const { stdout, status } = run(`exec "$@" argv "$(printf '%b' '${octal}')" ''`);
    expect(stdout).toEqual(Buffer.concat([ALL.subarray(1), Buffer.from("\0\0")]));
    expect(status).toBe(0);
  });

  test("passes arguments that look like options of the host", () => {
    expect(probe("argv", "--version", "-e", "--", "-").stdout.toString()).toBe("--version\0-e\0--\0-\0");
  });

  test.each([
    ["every byte", ALL],
    ["every byte after text that is not ASCII", Buffer.concat([Buffer.from("é€😀"), ALL])],
    ["nothing", Buffer.alloc(0)],
    ["cut, overlong and surrogate sequences", Buffer.from("e282 f09f98 c080 eda080 edb280 f4908080 e0809f", "hex")],
    ["the encodings of its own escapes", Buffer.from("edb280edb3bfeda0bdedb880", "hex")],
  ])("reads and writes %s", (title, bytes) => {
    const [from, to] = [join(scratch, "from"), join(scratch, `to-${title}`)];
    writeFileSync(from, bytes);
    expect(probe("copy", from, to).status).toBe(0);
    expect(readFileSync(to)).toEqual(bytes);
  });

  test("reads a byte that is not UTF-8 as the lone surrogate of its number", () => {
    const path = join(scratch, "units");
    writeFileSync(path, Buffer.from("41ff80c3a9f09f9880e282", "hex"));
    expect(json("units", path)).toEqual([0x41, 0xdcff, 0xdc80, 0xe9, 0xd83d, 0xde00, 0xdce2, 0xdc82]);
  });

  test("writes U+FFFD for a lone surrogate that is no byte", () => {
    const expected = [
      "61",
      "efbfbd",
      "62",
      "efbfbd",
      "63",
      "80",
      "64",
      "ff",
      "65",
      "f09f9880",
      "66",
      "efbfbd",
      "67",
      "efbfbd",
    ];
    expect(probe("surrogates").stdout.toString("hex")).toBe(expected.join(""));
  });

  test("refuses a NUL and hands errors over as negative numbers", () => {
    expect(json("refused")).toEqual([-22, -22, -2]);
  });

  test("passes words, lists of strings and several results", () => {
    expect(json("numbers")).toEqual([[4], [], [1, 3, 0], "\udcfe"]);
  });

  test("changes what is in the heap image, and nothing that shares it", () => {
    const text = "ababababababababab1";
    expect(json("changes")).toEqual([
      [text, 21, 119, 121],
      [21, ["x", "y"], 7],
      [3, 2, true, 2],
      [true, true, 250_000],
    ]);
  });

  test("loads what it needs late", () => {
    expect(json("lazy")).toEqual(["b[2]b", "1970-01-01T00:00:00.000Z"]);
  });

  test("passes the environment", () => {
    const { stdout } = run('B="$(printf "\\377x")" exec "$@"', "environ");
    expect(stdout.includes(Buffer.from("\0B=\xffx\0", "latin1"))).toBe(true);
  });

  test("hands on the caller's limit of open files", () => {
    const { stdout } = run('ulimit -Sn 333; "$@"; :', "limit");
    expect(stdout.toString()).toBe("333");
  });

  test("returns the exit code", () => {
    expect(probe("anything else").status).toBe(42);
  });

  test("shows a bug with where it is", () => {
    const { status, stderr } = probe("throw");
    expect(status).toBe(1);
    expect(stderr.toString()).toMatch(/TypeError: on purpose.*at probe\b/s);
  });
});
