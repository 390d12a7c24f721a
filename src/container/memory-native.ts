// A Native for tests: a small tree of files in memory, and processes that the test declares. What a test does not expect
// to be called throws.

import type { Native } from "../host/native.gen.ts";
import { EEXIST, EISDIR, ENOENT, ENOTDIR, ENOTEMPTY, O_APPEND, O_CREAT, O_DIRECTORY, O_EXCL } from "./open-flags.ts";

const DIRECTORY = Symbol("directory");
type Node = string | typeof DIRECTORY;

export class MemoryNative {
  /** By absolute path. */
  readonly tree = new Map<string, Node>([["/", DIRECTORY]]);
  /** Signals sent, as "pid signal". */
  readonly sent: string[] = [];
  euid = 0;
  owner = 0;
  environment: string[] = [];
  #next = 10;
  readonly #open = new Map<number, string>();
  readonly #pidfds = new Map<number, number>();

  /** This as the whole interface. */
  get native(): Native {
    const self = this as unknown as Record<string, unknown>;
    return new Proxy({} as Native, {
      get: (_, name: string) => {
        const own = self[name];
        if (typeof own !== "function") throw new Error(`a test called native.${name}`);
        return own.bind(this);
      },
    });
  }

  folder(path: string): void {
    for (let end = path.indexOf("/", 1); end > 0; end = path.indexOf("/", end + 1))
      this.tree.set(path.slice(0, end), DIRECTORY);
    this.tree.set(path, DIRECTORY);
  }

  file(path: string, text: string): void {
    this.folder(path.slice(0, path.lastIndexOf("/")));
    this.tree.set(path, text);
  }

  /** A process with /proc/PID/stat. */
  process(pid: number, startTime: number, state = "S"): void {
    this.file(`/proc/${pid}/stat`, statLine(pid, "sh", state, startTime));
  }

  end(pid: number): void {
    this.tree.delete(`/proc/${pid}/stat`);
  }

  open(dir: number, path: string, flags: number): number {
    const node = this.tree.get(this.#at(dir, path));
    if (node === undefined) return -ENOENT;
    if ((flags & O_DIRECTORY) !== 0 && node !== DIRECTORY) return -ENOTDIR;
    this.#open.set(this.#next, this.#at(dir, path));
    return this.#next++;
  }

  close(fd: number): number {
    this.#open.delete(fd);
    return 0;
  }

  read_file(dir: number, path: string): string | number {
    const node = this.tree.get(this.#at(dir, path));
    if (node === undefined) return -ENOENT;
    return typeof node === "string" ? node : -EISDIR;
  }

  write_file(dir: number, path: string, flags: number, _mode: number, data: string): number {
    const full = this.#at(dir, path);
    const node = this.tree.get(full);
    if (node === undefined && ((flags & O_CREAT) === 0 || !this.tree.has(parentOf(full)))) return -ENOENT;
    if (node !== undefined && (flags & O_EXCL) !== 0) return -EEXIST;
    const before = typeof node === "string" && (flags & O_APPEND) !== 0 ? node : "";
    this.tree.set(full, before + data);
    return data.length;
  }

  mkdir(dir: number, path: string): number {
    const full = this.#at(dir, path);
    if (this.tree.has(full)) return -EEXIST;
    if (!this.tree.has(parentOf(full))) return -ENOENT;
    this.tree.set(full, DIRECTORY);
    return 0;
  }

  unlink(dir: number, path: string): number {
    const full = this.#at(dir, path);
    if (!this.tree.has(full)) return -ENOENT;
    for (const other of this.tree.keys()) if (other.startsWith(`${full}/`)) return -ENOTEMPTY;
    this.tree.delete(full);
    return 0;
  }

  stat(dir: number, path: string): number[] | number {
    const node = this.tree.get(this.#at(dir, path));
    if (node === undefined) return -ENOENT;
    return [node === DIRECTORY ? 0o040755 : 0o100644, this.owner, 0, 0, 0, 0, 0, 0, 0, 0];
  }

  list_dir(dir: number, path: string): string | number {
    const full = this.#at(dir, path);
    if (!this.tree.has(full)) return -ENOENT;
    const names = [...this.tree.keys()].filter((other) => other !== full && parentOf(other) === full);
    return names.map((name) => `${name.slice(name.lastIndexOf("/") + 1)}\0`).join("");
  }

  getpid(): number {
    return 100;
  }

  ids(): number[] {
    return [this.euid, this.euid, 0, 0];
  }

  environ(): string {
    return this.environment.map((entry) => `${entry}\0`).join("");
  }

  getcwd(): string {
    return "/srv";
  }

  chmod(): number {
    return 0;
  }

  chdir(): number {
    return 0;
  }

  flock(): number {
    return 0;
  }

  monotonic(): number {
    return 0;
  }

  pidfd_open(pid: number): number {
    if (!this.tree.has(`/proc/${pid}/stat`)) return -3;
    this.#pidfds.set(this.#next, pid);
    return this.#next++;
  }

  pidfd_kill(pidfd: number, signal: number): number {
    const pid = this.#pidfds.get(pidfd) as number;
    this.sent.push(`${pid} ${signal}`);
    if (signal === 9) this.end(pid);
    return 0;
  }

  poll(fds: Uint32Array): number[] {
    return [...fds].map(() => 1);
  }

  #at(dir: number, path: string): string {
    if (path.startsWith("/")) return path;
    const base = this.#open.get(dir) ?? "/srv";
    return path === "" || path === "." ? base : `${base}/${path}`;
  }
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}

/** A line of /proc/PID/stat. */
export function statLine(pid: number, name: string, state: string, startTime: number): string {
  const fields = Array.from({ length: 50 }, () => "0");
  fields[0] = state;
  fields[19] = String(startTime);
  return `${pid} (${name}) ${fields.join(" ")}\n`;
}
