// A runtime with a state root, bundles and containers; carries out a case and tells what came of it.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { type Config, defaultConfig } from "../support/config.ts";
import { makeRootfs } from "../support/rootfs.ts";
import { type Result, Runtime } from "../support/runtime.ts";
import { sleep } from "../support/sandbox.ts";
import type { Case, Given } from "./case.ts";
import { logLines, logShape, type Names, phrases, plain, shapeOf } from "./shape.ts";

/** Aspect → what it was. */
export type Findings = Map<string, string>;

/** How --log is given. */
type Log = "none" | "text" | "json";

/** When the trap is set, the other process is there. */
const LASTING = "sleep 1000 & trap 'exit 0' TERM; wait $!; sleep 1000";
const PATIENCE = Number(process.env.PATIENCE ?? 5000);

let count = 0;

export class World {
  readonly runtime: Runtime;
  readonly version: string;
  readonly #dir: string;
  readonly #root: string;
  readonly #rootfs: string;
  readonly #tag: string;
  /** Containers that several cases look at. */
  readonly #shared = new Map<Given, string>();

  constructor(path: string, work: string, tag: string) {
    this.runtime = new Runtime(path);
    this.version = execFileSync(path, ["--version"], { encoding: "utf8" }).split("\n")[0] ?? "";
    this.#dir = join(work, this.runtime.name);
    this.#root = join(this.#dir, "state");
    this.#rootfs = join(work, "rootfs");
    this.#tag = tag;
    mkdirSync(this.#root, { recursive: true });
    makeRootfs(this.#rootfs);
  }

  /** Everything that is compared. With `brief`, the log is looked at as JSON only. */
  async observe(test: Case, brief: boolean): Promise<Findings> {
    const found = await this.#once(test, "json");
    if (brief || (found.get("exit code") === "0" && found.get("log, json") === "nothing")) return found;
    for (const log of ["text", "none"] as const) {
      for (const [aspect, text] of await this.#once(test, log)) {
        if (aspect === "phrases") continue;
        if (!found.has(aspect)) found.set(aspect, text);
        else if (found.get(aspect) !== text) found.set(`${aspect} (log: ${log})`, text);
      }
    }
    return found;
  }

  /** Deletes the containers that several cases looked at. */
  async end(): Promise<void> {
    for (const id of this.#shared.values()) await this.#delete(id);
    this.#shared.clear();
  }

  async #once(test: Case, log: Log): Promise<Findings> {
    const dir = join(this.#dir, `case-${count++}`);
    mkdirSync(dir);
    const id = await this.#container(test, dir);
    const names = this.#names(dir, id);
    const place = (text: string): string =>
      text
        .replace(/\bDIR\b/g, dir)
        .replace(/\bBUNDLE\b/g, join(dir, "bundle"))
        .replace(/\bSOCKET\b/g, join(dir, "socket"))
        .replace(/\bROOT\b/g, this.#root)
        .replace(/\bID\b/g, id);
    if (test.words.includes("BUNDLE")) this.#bundle(join(dir, "bundle"), test.program ?? "true", test.config);
    for (const [name, text] of Object.entries(test.files ?? {})) write(join(dir, place(name)), place(name), text);
    const receiver = test.words.includes("SOCKET") ? await listen(join(dir, "socket")) : undefined;
    const words = test.words.map(place);
    const result = await this.#call(test.bare ? words : [...this.#front(log, dir), ...words], test, dir);
    if (test.settles !== undefined) await this.#settled(id, test.settles);
    const found = this.#findings(result, names, dir, test.bare ? "none" : log);
    found.set("container", this.#status(id));
    receiver?.kill("SIGKILL");
    if (![...this.#shared.values()].includes(id)) await this.#delete(id);
    for (const name of Object.keys(test.files ?? {}))
      if (name.startsWith("ROOT/")) rmSync(place(name), { force: true, recursive: true });
    rmSync(join(this.#root, "broken"), { force: true, recursive: true });
    rmSync(dir, { recursive: true });
    return found;
  }

  #front(log: Log, dir: string): string[] {
    const front = ["--root", this.#root];
    if (log !== "none") front.push("--log", join(dir, "log"));
    return log === "json" ? [...front, "--log-format", "json"] : front;
  }

  #names(dir: string, id: string): Names {
    return [
      [join(dir, "bundle"), "BUNDLE"],
      [join(this.#dir, "bundle"), "BUNDLE"],
      [dir, "DIR"],
      [this.#root, "ROOT"],
      [this.#rootfs, "ROOTFS"],
      [this.runtime.path, "NAME"],
      [id, "ID"],
    ];
  }

  async #call(words: readonly string[], test: Case, dir: string): Promise<Result> {
    const fds = Array.from({ length: test.fds ?? 0 }, () => openSync("/etc/hostname", "r"));
    const env = { PATH: process.env.PATH, HOME: "/root", ...test.env };
    const stdin = test.stdin === undefined ? {} : { stdin: join(dir, test.stdin) };
    const running = this.runtime.start(words, { cwd: dir, env, fds, ...stdin, timeout: PATIENCE * 4 });
    if (test.endless) {
      const end = Date.now() + PATIENCE;
      while (running.child.exitCode === null && Date.now() < end && !this.#hasPrinted(running.pid)) await sleep(20);
      running.child.kill("SIGTERM");
    }
    const result = await running.done;
    for (const fd of fds) closeSync(fd);
    return result;
  }

  #hasPrinted(pid: number): boolean {
    try {
      return statSync(`/proc/${pid}/fd/1`).size > 0;
    } catch {
      return false;
    }
  }

  #findings(result: Result, names: Names, dir: string, log: Log): Findings {
    const found: Findings = new Map();
    const code = result.timedOut ? "out of time" : (result.signal ?? String(result.code));
    found.set("exit code", code);
    // Containers of other cases may be listed, too.
    const stdout = result.stdout.replaceAll(new RegExp(`${this.#tag}-\\d+`, "g"), "ID");
    found.set("stdout", shapeOf(stdout, names));
    const errors = logLines(result.stderr);
    found.set(log === "none" ? "stderr, no log" : "stderr beside the log", logShape(errors));
    if (log !== "none") {
      const path = join(dir, "log");
      const lines = existsSync(path) ? logLines(readFileSync(path, "utf8")) : [];
      found.set(`log, ${log}`, logShape(lines));
    }
    found.set("phrases", phrases(result.stderr));
    found.set("files", listing(dir, names));
    return found;
  }

  /** The id that a case uses, and the container that it stands for. */
  async #container(test: Case, dir: string): Promise<string> {
    const given = test.given ?? "none";
    const shared = test.changes ? undefined : this.#shared.get(given);
    if (shared !== undefined && this.#status(shared) === given) return shared;
    const id = `${this.#tag}-${count++}`;
    if (given === "none") return id;
    const bundle = test.changes ? join(dir, "made") : join(this.#dir, "bundle");
    this.#bundle(bundle, LASTING, test.changes ? test.config : undefined);
    await this.#make(id, bundle, given);
    if (!test.changes) this.#shared.set(given, id);
    return id;
  }

  async #make(id: string, bundle: string, given: Given): Promise<void> {
    await this.#must(["create", "--bundle", bundle, id]);
    if (given === "created") return;
    await this.#must(["start", id]);
    await this.#ready(id);
    if (given === "paused") await this.#must(["pause", id]);
    if (given !== "stopped") return;
    await this.#must(["kill", id, "KILL"]);
    await this.#settled(id, "stopped");
  }

  /** Its program has set its trap. */
  async #ready(id: string): Promise<void> {
    const { pid } = JSON.parse(await this.#must(["state", id])) as { pid: number };
    const end = Date.now() + PATIENCE;
    while (!/^SigCgt:\s*\w*[4-7c-f]\w{3}$/m.test(readFileSync(`/proc/${pid}/status`, "utf8")) && Date.now() < end) {
      await sleep(10);
    }
  }

  #bundle(folder: string, script: string, edit?: (config: Config) => void): void {
    mkdirSync(folder, { recursive: true });
    const config = defaultConfig(script);
    config.root = { path: this.#rootfs };
    config.linux.resources = {};
    edit?.(config);
    if (edit !== undefined && config.process.terminal) config.process.args = ["/bin/sh", "-c", script];
    writeFileSync(join(folder, "config.json"), JSON.stringify(config));
  }

  async #must(words: readonly string[]): Promise<string> {
    const result = await this.runtime.call(["--root", this.#root, ...words], { timeout: PATIENCE * 4 });
    if (result.code !== 0) throw new Error(`${this.version}: ${words.join(" ")}: ${result.stderr}`);
    return result.stdout;
  }

  async #settled(id: string, status: Given): Promise<void> {
    const end = Date.now() + PATIENCE;
    while (this.#status(id) !== status && Date.now() < end) await sleep(10);
  }

  #status(id: string): string {
    if (!existsSync(join(this.#root, id))) return "none";
    try {
      const words = ["--root", this.#root, "state", id];
      const text = execFileSync(this.runtime.path, words, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
      return (JSON.parse(text) as { status: string }).status;
    } catch {
      return "a folder without a state";
    }
  }

  async #delete(id: string): Promise<void> {
    if (!existsSync(join(this.#root, id))) return;
    await this.runtime.call(["--root", this.#root, "delete", "--force", id], { timeout: PATIENCE * 4 });
    rmSync(join(this.#root, id), { recursive: true, force: true });
  }
}

function write(inDir: string, name: string, text: string): void {
  const path = name.startsWith("/") ? name : inDir;
  mkdirSync(path.endsWith("/") ? path : dirname(path), { recursive: true });
  if (!path.endsWith("/")) writeFileSync(path, text);
}

/** An engine that takes the terminal or the pidfd and keeps it. */
async function listen(path: string): Promise<ChildProcess> {
  const child = spawn(process.env.RECEIVER ?? "dist/guest/receiver", [path], { stdio: ["ignore", "pipe", "ignore"] });
  await new Promise((resolve) => child.stdout?.once("data", resolve));
  return child;
}

/** What is in the folder: kind and mode; the content of what is short. */
function listing(dir: string, names: Names): string {
  const lines = readdirSync(dir, { recursive: true, withFileTypes: true })
    .map((entry) => join(entry.parentPath, entry.name))
    .filter(
      (path) =>
        !path.startsWith(join(dir, "bundle")) && !path.startsWith(join(dir, "made")) && path !== join(dir, "log"),
    )
    .map((path) => describe(path, dir, names));
  return lines.length === 0 ? "none" : lines.sort().join("\n");
}

function contentShape(text: string, names: Names): string {
  const lines = logLines(text);
  return lines.some(({ level }) => level === "plain") ? (shapeOf(text, names).split("\n")[0] ?? "") : logShape(lines);
}

function describe(path: string, dir: string, names: Names): string {
  const info = statSync(path);
  const mode = (info.mode & 0o7777).toString(8);
  const name = plain(relative(dir, path), names);
  if (info.isDirectory()) return `${name}/ ${mode}`;
  if (!info.isFile()) return `${name} ${info.isSocket() ? "socket" : "special"}`;
  const text = readFileSync(path, "utf8");
  return `${name} ${mode} ${/^\d+$/.test(text) ? "PID" : contentShape(text, names)}`;
}
