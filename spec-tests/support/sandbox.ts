// What each test gets: a folder, a state root, bundles, and at the end the proof that nothing is left.

import { type ChildProcess, execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type Config, defaultConfig } from "./config.ts";
import { lastingLeaks, removeOwnCgroups, type Snapshot, snapshot } from "./leaks.ts";
import { makeRootfs } from "./rootfs.ts";
import { type CallOptions, type Result, type Running, type Runtime, tag, workFolder } from "./runtime.ts";

export interface State {
  ociVersion: string;
  id: string;
  pid: number;
  status: string;
  bundle: string;
  rootfs?: string;
  created?: string;
  owner?: string;
  annotations?: Record<string, string>;
}

export type Edit = (config: Config) => void;

let ids = 0;

export class Sandbox {
  readonly runtime: Runtime;
  readonly dir: string;
  readonly root: string;
  /** The id that most tests need only one of. */
  readonly id: string;
  readonly #before: Snapshot;
  readonly #undo: (() => void | Promise<void>)[] = [];

  constructor(runtime: Runtime) {
    this.runtime = runtime;
    this.#before = snapshot();
    this.dir = mkdtempSync(join(workFolder(), "t-"));
    chmodSync(this.dir, 0o755);
    this.root = join(this.dir, "state");
    this.id = this.newId();
  }

  newId(): string {
    return `${tag()}-${process.pid}-${ids++}`;
  }

  path(name: string): string {
    return join(this.dir, name);
  }

  write(name: string, text: string | Uint8Array, mode = 0o644): string {
    const path = this.path(name);
    writeFileSync(path, text);
    chmodSync(path, mode);
    return path;
  }

  read(name: string): string {
    return readFileSync(this.path(name), "utf8");
  }

  exists(name: string): boolean {
    return existsSync(this.path(name));
  }

  /** A /bin/sh script of the host for hooks. */
  script(name: string, text: string): string {
    return this.write(name, `#!/bin/sh\n${text}\n`, 0o755);
  }

  /** Something to do at the end, before the leak check. */
  later(undo: () => void | Promise<void>): void {
    this.#undo.unshift(undo);
  }

  /** A bundle folder with its own root file system; the container runs /bin/sh -c SCRIPT. */
  bundle(script: string, edit?: Edit, name = "bundle"): string {
    const folder = this.path(name);
    mkdirSync(folder, { recursive: true });
    if (!existsSync(join(folder, "rootfs"))) copyRootfs(join(folder, "rootfs"));
    const config = defaultConfig(script);
    edit?.(config);
    writeFileSync(join(folder, "config.json"), JSON.stringify(config, null, 2));
    return folder;
  }

  start(args: readonly string[], options?: CallOptions): Running {
    return this.runtime.start(["--root", this.root, ...args], options);
  }

  call(args: readonly string[], options?: CallOptions): Promise<Result> {
    return this.start(args, options).done;
  }

  /** A call that must succeed. */
  async ok(args: readonly string[], options?: CallOptions): Promise<Result> {
    const result = await this.call(args, options);
    if (result.code !== 0) throw new Error(`${args.join(" ")} failed: ${JSON.stringify(result)}`);
    return result;
  }

  /** A call that must fail by itself; its message. */
  async fails(args: readonly string[], options?: CallOptions): Promise<Result> {
    const result = await this.call(args, options);
    if (result.code === 0 || result.code === null) {
      throw new Error(`${args.join(" ")} should have failed: ${JSON.stringify(result)}`);
    }
    return result;
  }

  /** Runs the script in a container to its end and returns what it printed. */
  async sh(script: string, edit?: Edit, options?: CallOptions): Promise<string> {
    const bundle = this.bundle(script, edit);
    return (await this.ok(["run", "--bundle", bundle, this.newId()], options)).stdout;
  }

  async create(script: string, edit?: Edit, extra: readonly string[] = [], options?: CallOptions): Promise<string> {
    const bundle = this.bundle(script, edit);
    await this.ok(["create", "--bundle", bundle, ...extra, this.id], options);
    return this.id;
  }

  async state(id = this.id): Promise<State> {
    return JSON.parse((await this.ok(["state", id])).stdout) as State;
  }

  async waitFor(status: string, id = this.id, patience = 20_000): Promise<State> {
    const end = Date.now() + patience;
    for (;;) {
      const result = await this.call(["state", id]);
      const state = result.code === 0 ? (JSON.parse(result.stdout) as State) : undefined;
      if (state?.status === status) return state;
      if (Date.now() > end) throw new Error(`${id} is ${state?.status ?? result.stderr}, not ${status}`);
      await sleep(10);
    }
  }

  /** A helper of the test: no leak while the test runs, ended before the check at the end. */
  helper(child: ChildProcess): ChildProcess {
    const ended = new Promise((resolve) => child.once("exit", resolve));
    this.#before.processes.set(child.pid ?? -1, "helper");
    this.later(async () => {
      child.kill("SIGKILL");
      await ended;
    });
    return child;
  }

  /** What is left of everything this test made; a moment is given to processes that are ending. */
  left(patience?: number): Promise<string[]> {
    return lastingLeaks(this.#before, this.root, this.runtime.kind, patience);
  }

  /** Deletes what the test did not and proves that nothing is left. */
  async end(): Promise<void> {
    for (const undo of this.#undo) await undo();
    if (existsSync(this.root)) {
      for (const name of readdirSync(this.root)) {
        if (name.startsWith(tag())) await this.ok(["delete", "--force", name]);
      }
    }
    const left = await this.left();
    rmSync(this.dir, { recursive: true, force: true });
    if (left.length === 0) return;
    // It is this test's failure, and not the next one's.
    removeOwnCgroups(`${tag()}*`);
    throw new Error(`left behind:\n${left.join("\n")}`);
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Polls until it gives a value that is not undefined or false. */
export async function until<T>(what: string, look: () => T | undefined | false, patience = 20_000): Promise<T> {
  const end = Date.now() + patience;
  for (;;) {
    const value = look();
    if (value !== undefined && value !== false) return value;
    if (Date.now() > end) throw new Error(`timed out: ${what}`);
    await sleep(5);
  }
}

/** Hard links of one template; /etc is copied, since tests write there. */
export function copyRootfs(folder: string): void {
  const template = join(workFolder(), "rootfs");
  makeRootfs(template);
  execFileSync("cp", ["-al", template, folder]);
  execFileSync("rm", ["-r", join(folder, "etc")]);
  execFileSync("cp", ["-a", join(template, "etc"), join(folder, "etc")]);
}
