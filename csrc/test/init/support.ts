// Builds the init ELF and init_run.c once, and runs plans through them.

import { execFileSync, spawn } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { buildInit } from "../../../build/libberth.ts";
import { PlanBuilder } from "../../../src/plan/builder.ts";
import type { InitProgram } from "../../../src/plan/plan.ts";

export const NEW = { ns: 0x20000, uts: 0x4000000, ipc: 0x8000000, user: 0x10000000, pid: 0x20000000, net: 0x40000000 };
export const O = { path: 0x200000, directory: 0x10000, rdwr: 2, wronly: 1, nofollow: 0x20000 };
export const AT_RECURSIVE = 0x8000;
export const OPEN_TREE_CLONE = 1;
export const MS = { private: 1 << 18, slave: 1 << 19 };

/** What init_run prints, see there. */
export interface Line {
  kind: string;
  op?: number;
  error?: number;
  value?: number;
  detail?: string;
  status?: number;
  rss?: number;
  text?: string;
  device?: number;
  works?: boolean;
}

export interface Result {
  lines: Line[];
  /** What init and its children wrote to stdout and stderr. */
  output: string;
  failed: Line | undefined;
  status: number | undefined;
}

export const scratch = mkdtempSync(join(tmpdir(), "berth-init-test."));
let elf = "";
let runner = "";
let runs = 0;

export function useInit(): void {
  beforeAll(async () => {
    elf = await buildInit({ variant: "init-test", failpoints: true });
    runner = join(scratch, "init_run");
    execFileSync("gcc", ["-std=gnu17", "-O1", "-o", runner, join(import.meta.dirname, "init_run.c")]);
  });
  // A process that was just killed may still be making something.
  afterAll(() => rmSync(scratch, { recursive: true, force: true, maxRetries: 10 }));
}

/** The production ELF. */
export const productionElf = (): Promise<string> => buildInit({ variant: "init-test-production", failpoints: false });

/** A builder whose slots 2 and 3 are init_run's start pipe and socket, then the given files. */
export function builder(files = 0): PlanBuilder {
  const b = new PlanBuilder();
  b.inherit({ what: "start pipe" });
  b.inherit({ what: "console socket" });
  for (let i = 0; i < files; i++) b.inherit({ what: "file", path: "", flags: 0, origin: { pointer: "" } });
  return b;
}

/** The bytes that csrc/init/plan.h describes. Strings are latin1 here, so that a test can write any byte. */
export function seal({ words, strings }: InitProgram, inherited: number): Buffer {
  const texts = strings.map((s) => Buffer.from(s, "latin1"));
  const table = Buffer.alloc(8 * texts.length);
  let offset = 0;
  for (const [i, text] of texts.entries()) {
    table.writeUInt32LE(offset, 8 * i);
    table.writeUInt32LE(text.length, 8 * i + 4);
    offset += text.length + 1;
  }
  const size = 24 + 4 * words.length + table.length + offset;
  const header = Buffer.from(
    Uint32Array.from([0x6e6c5042, size, words.length, texts.length, offset, inherited]).buffer,
  );
  const code = Buffer.from(words.buffer, words.byteOffset, words.byteLength);
  return Buffer.concat([header, code, table, ...texts.map((text) => Buffer.concat([text, Buffer.alloc(1)]))]);
}

export interface Options {
  flags?: number;
  arguments?: string[];
  /** `FLAGS:PATH` for each inherited file. */
  files?: string[];
  elf?: string;
  /** Prefix of the command, such as ["setpriv", ...]. */
  under?: string[];
  timeout?: number;
}

export function runBytes(plan: Buffer, options: Options = {}): Promise<Result> {
  const folder = join(scratch, `run${runs++}`);
  const output = join(folder, "output");
  mkdirSync(folder, { mode: 0o777 });
  writeFileSync(join(folder, "plan"), plan);
  writeFileSync(join(folder, "input"), "");
  const [command = "", ...args] = [
    ...(options.under ?? []),
    runner,
    options.elf ?? elf,
    join(folder, "plan"),
    output,
    ...(options.flags ? [`flags=${options.flags}`] : []),
    ...(options.arguments ?? []),
    ...(options.files ?? []),
  ];
  const input = openSync(join(folder, "input"), "r+");
  const child = spawn(command, args, { stdio: [input, "pipe", "inherit"], timeout: options.timeout ?? 20_000 });
  closeSync(input);
  let printed = "";
  child.stdout?.on("data", (data) => {
    printed += data;
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", () => {
      const lines = printed
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as Line);
      resolve({
        lines,
        output: readFileSync(output, "latin1"),
        failed: lines.find((line) => line.kind === "failed"),
        status: lines.find((line) => line.kind === "exit")?.status,
      });
    });
  });
}

export const run = (b: PlanBuilder, options: Options = {}): Promise<Result> =>
  runBytes(seal(b.finish(), b.inherited.length), options);
