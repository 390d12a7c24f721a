// One call of a runtime as a user or an engine would make it: own standard streams on files, a time limit, its words.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync, realpathSync } from "node:fs";
import { basename, join } from "node:path";

export type Kind = "berth" | "runc" | "crun";

export interface Result {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  /** Milliseconds from spawn to exit. */
  ms: number;
  timedOut: boolean;
}

export interface CallOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Words before the runtime: `env --ignore-signal=PIPE`. */
  prefix?: readonly string[];
  /** A file for standard input; the null device when absent. */
  stdin?: string;
  /** Descriptors that the runtime gets as 3, 4, ... */
  fds?: readonly number[];
  /** Milliseconds; 20 s when absent. */
  timeout?: number;
}

export interface Running {
  child: ChildProcess;
  pid: number;
  done: Promise<Result>;
}

let calls = 0;

/** The folder of this test run, made by support/private.sh. */
export function workFolder(): string {
  const work = process.env.BERTH_WORK;
  if (work === undefined) throw new Error("run the spec tests through spec-tests/run.sh");
  return work;
}

/** The prefix of every container id and cgroup name of this test run. */
export function tag(): string {
  return process.env.BERTH_TAG ?? "bt";
}

export class Runtime {
  readonly path: string;
  readonly kind: Kind;
  /** berth, node-berth, node-portable, runc, crun. */
  readonly name: string;

  constructor(path: string) {
    this.path = path;
    this.name = path.endsWith("/portable/berth") ? "node-portable" : basename(path, ".sh");
    const first = execFileSync(path, ["--version"], { encoding: "utf8" }).split(" ")[0];
    if (first !== "berth" && first !== "runc" && first !== "crun") throw new Error(`${path}: unknown runtime ${first}`);
    this.kind = first;
  }

  /** Starts it; the result's text is read when it has ended, not when what inherited its streams has. */
  start(args: readonly string[], options: CallOptions = {}): Running {
    const words = [...(options.prefix ?? []), this.path, ...args];
    return startProgram(words, options);
  }

  call(args: readonly string[], options: CallOptions = {}): Promise<Result> {
    return this.start(args, options).done;
  }
}

export function startProgram(words: readonly string[], options: CallOptions = {}): Running {
  const base = join(workFolder(), `call-${process.pid}-${calls++}`);
  const stdin = openSync(options.stdin ?? join(workFolder(), "null"), options.stdin === undefined ? "r+" : "r");
  const stdout = openSync(`${base}.out`, "w+");
  const stderr = openSync(`${base}.err`, "w+");
  const begin = process.hrtime.bigint();
  const [program = "", ...args] = words;
  const child = spawn(program, args, {
    stdio: [stdin, stdout, stderr, ...(options.fds ?? [])],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: options.env ?? process.env,
  });
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    child.kill("SIGKILL");
  }, options.timeout ?? 20_000);
  const done = new Promise<Result>((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code, signal) => {
      clearTimeout(timer);
      const ms = Number(process.hrtime.bigint() - begin) / 1e6;
      for (const fd of [stdin, stdout, stderr]) closeSync(fd);
      const read = (end: string) => readFileSync(`${base}.${end}`, "utf8");
      resolve({ code, signal, stdout: read("out"), stderr: read("err"), ms, timedOut });
    });
  });
  return { child, pid: child.pid ?? -1, done };
}

function find(name: string): string | undefined {
  if (name.includes("/")) return existsSync(name) ? realpathSync(name) : undefined;
  try {
    return execFileSync("sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).trim();
  } catch {
    return undefined;
  }
}

/** Debian's runc, which the parity tests compare with. */
export function reference(): Runtime | undefined {
  const path = find(process.env.REFERENCE ?? "runc");
  return path === undefined ? undefined : new Runtime(path);
}

/** RUNTIMES (several, separated by spaces), RUNTIME (one), or dist/berth. */
export function runtimes(fallback = "dist/berth"): Runtime[] {
  const names = (process.env.RUNTIMES ?? process.env.RUNTIME ?? fallback).split(/\s+/).filter((name) => name !== "");
  return names.map((name) => {
    const path = find(name);
    if (path === undefined) throw new Error(`runtime ${name} is not there; npm run build makes dist/berth`);
    return new Runtime(path);
  });
}
