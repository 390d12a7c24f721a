// The state folder `<root>/<id>/`: reserved by mkdir, described by appended records, removed as a whole.
//
// No lock is needed for this: mkdir(2) decides who creates, unlink(2) of exec.fifo who starts, unlink(2) of state.json
// who removes, and a record is one write(2) with O_APPEND. Appending never creates the file: when `delete --force` took
// the folder from under a create that hung, the create learns it from the next append.

import { MESSAGE } from "../errors/messages.ts";
import { RuntimeError } from "../errors/runtime-error.ts";
import { must, nativeError } from "../host/must.ts";
import type { Native } from "../host/native.gen.ts";
import { loaded } from "../lazy.ts";
import { euid } from "./euid.ts";
import { checkId } from "./id.ts";
import { processStartTime } from "./liveness.ts";
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_REMOVEDIR,
  AT_SYMLINK_NOFOLLOW,
  EEXIST,
  EFBIG,
  ENOENT,
  ENOTDIR,
  ENOTEMPTY,
  O_APPEND,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_RDONLY,
  O_WRONLY,
} from "./open-flags.ts";
import { decodeRecords, encodeRecord } from "./records.ts";
import type { ContainerState, StartOps, StateInput, StateStatic } from "./state.ts";

const STATE = "state.json";
/** The text of the bundle's config.json as it was at create: what `exec` starts from. */
const CONFIG = "config.json";
const CONFIG_MAX = 16 << 20;
/** UTF-16 units of the first record: config.json is no longer, but some of its bytes are six characters here. */
const FIRST_MAX = 16 << 20;
/** What can be written can be read: three bytes for each unit, and what is appended. */
const STATE_MAX = 64 << 20;
export const START_FIFO = "exec.fifo";

/** A state folder that this command has reserved. */
export class StateHandle {
  /** Descriptor of the folder, O_RDONLY. */
  readonly dir: number;
  readonly path: string;
  readonly #native: Native;
  #record: StateStatic | undefined;

  constructor(native: Native, path: string, dir: number) {
    this.#native = native;
    this.path = path;
    this.dir = dir;
  }

  /** The first record. */
  get record(): StateStatic {
    if (this.#record === undefined) throw new RangeError("nothing is recorded yet");
    return this.#record;
  }

  /**
   * Writes the first record: what `delete --force` is to remove from now on. Throws when the folder has been taken away
   * meanwhile.
   */
  begin(input: StateInput): void {
    const native = this.#native;
    const pid = must(native.getpid(), { operation: "getpid" }) as number;
    const creator = { pid, startTime: processStartTime(native, "self") };
    const record: StateStatic = { ...input, annotations: sorted(input.annotations), creator, uid: euid(native) };
    const text = encodeRecord(record);
    const flags = O_WRONLY | O_CREAT | O_EXCL | O_APPEND;
    this.#wrote(text.length > FIRST_MAX ? -EFBIG : native.write_file(this.dir, STATE, flags, 0o600, text));
    this.#record = record;
  }

  /** Records init, right after the clone. Throws when the folder has been taken away meanwhile. */
  appendInit(pid: number, startTime: number): void {
    this.#append({ init: { pid, startTime } });
  }

  /** Records that the container is created; the time in RFC 3339. */
  appendCreated(facts: { created: string; startOps?: StartOps }): void {
    this.#append(facts);
  }

  /** Keeps the text of config.json for `exec`. */
  saveConfig(text: string): void {
    const written = this.#native.write_file(this.dir, CONFIG, O_WRONLY | O_CREAT | O_EXCL, 0o600, text);
    must(written, { message: "cannot save config.json", operation: "write", path: `${this.path}/${CONFIG}` });
  }

  /**
   * Removes the folder with everything in it: the undo of reserveState. Already gone is fine. True when the container
   * was still ours to remove: a `delete` that was faster has also run the poststop hooks.
   */
  remove(): boolean {
    const ours = claimRemoval(this.#native, this);
    removeFolder(this.#native, this.path, this.dir);
    return ours;
  }

  close(): void {
    this.#native.close(this.dir);
  }

  #append(record: object): void {
    this.#wrote(this.#native.write_file(this.dir, STATE, O_WRONLY | O_APPEND, 0, encodeRecord(record)));
  }

  #wrote(written: number): void {
    if (written === -ENOENT) {
      throw new RuntimeError({ message: "the container was deleted while it was being created", path: this.path });
    }
    must(written, {
      message: "cannot record the container's state",
      operation: "write",
      path: `${this.path}/${STATE}`,
    });
  }
}

/** Throws when the id is bad or in use. For a message in time; reserveState alone decides. */
export function checkUnused(native: Native, root: string, id: string): void {
  checkId(id);
  const path = `${root}/${id}`;
  const found = native.stat(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW);
  if (typeof found !== "number") throw new RuntimeError({ message: MESSAGE.exists, path: id });
  if (found !== -ENOENT) throw nativeError(found, { operation: "stat", path });
}

/** Reserves `<root>/<id>`; nothing is recorded yet. Throws when the id is bad or in use; then nothing was made. */
export function reserveState(native: Native, root: string, id: string): StateHandle {
  checkId(id);
  const path = `${root}/${id}`;
  let made = native.mkdir(AT_FDCWD, path, 0o711);
  if (made === -ENOENT) {
    makeRoot(native, root);
    made = native.mkdir(AT_FDCWD, path, 0o711);
  }
  if (made === -EEXIST) throw new RuntimeError({ message: MESSAGE.exists, path: id });
  must(made, { operation: "mkdir", path });
  const dir = native.open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
  if (dir < 0) {
    native.unlink(AT_FDCWD, path, AT_REMOVEDIR);
    throw nativeError(dir, { operation: "open", path });
  }
  return new StateHandle(native, path, dir);
}

function sorted(annotations: ReadonlyMap<string, string>): [string, string][] {
  return [...annotations].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

/** An open state folder. */
export interface Folder {
  dir: number;
  path: string;
  /** Owner of the folder. */
  uid: number;
  /** Undefined while (or because) the first record is not there. */
  state?: ContainerState;
  /** Why the records cannot be read. */
  damage?: unknown;
}

export type Loaded = Folder & { state: ContainerState };

/** Opens `<root>/<id>` and reads it; undefined when there is no such folder. */
export function openFolder(native: Native, root: string, id: string): Folder | undefined {
  checkId(id);
  const path = `${root}/${id}`;
  const dir = native.open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
  if (dir === -ENOENT || dir === -ENOTDIR) return undefined;
  must(dir, { operation: "open", path });
  const stat = must(native.stat(dir, "", AT_EMPTY_PATH), { operation: "stat", path }) as number[];
  const folder: Folder = { dir, path, uid: stat[1] as number };
  try {
    const state = readState(native, dir, path);
    if (state !== undefined) folder.state = folder.uid === euid(native) ? state : distrusted(native, state);
  } catch (error) {
    folder.damage = error;
  }
  return folder;
}

/** Another user's state is shown, but may name any path: what is no cgroup is not looked into. */
function distrusted(native: Native, state: ContainerState): ContainerState {
  const { isCgroup } = loaded(import("./cgroup-folder.ts"));
  return { ...state, cgroups: state.cgroups.filter((path) => isCgroup(native, path)) };
}

/** The container's folder and state; throws "container does not exist" when there is none. */
export function openState(native: Native, root: string, id: string): Loaded {
  const folder = openFolder(native, root, id);
  if (folder?.state !== undefined) return folder as Loaded;
  if (folder !== undefined) native.close(folder.dir);
  if (folder?.damage !== undefined) throw folder.damage;
  throw new RuntimeError({ message: MESSAGE.notExist, path: id });
}

/** Throws when another user owns the folder: its hooks, cgroups and pids are not ours to believe. */
export function checkOwner(native: Native, folder: Folder): void {
  const uid = euid(native);
  if (folder.uid === uid) return;
  throw new RuntimeError({
    message: `the state folder belongs to uid ${folder.uid}, not to uid ${uid}`,
    path: folder.path,
  });
}

/** The records as they are now; undefined when the file or its first record is missing. */
export function readState(native: Native, dir: number, path: string): ContainerState | undefined {
  const text = native.read_file(dir, STATE, STATE_MAX);
  if (text === -ENOENT) return undefined;
  return decodeRecords(must(text, { operation: "read", path: `${path}/${STATE}` }) as string);
}

/** The text that saveConfig has written. Throws when it is not there. */
export function savedConfig(native: Native, { dir, path }: Pick<Folder, "dir" | "path">): string {
  const facts = { message: "the container's saved config.json", operation: "read", path: `${path}/${CONFIG}` };
  return must(native.read_file(dir, CONFIG, CONFIG_MAX), facts) as string;
}

/** Removes state.json: of several who delete at once, true for exactly one. */
export function claimRemoval(native: Native, folder: Pick<Folder, "dir" | "path">): boolean {
  const removed = native.unlink(folder.dir, STATE, 0);
  if (removed === -ENOENT) return false;
  must(removed, { operation: "unlink", path: `${folder.path}/${STATE}` });
  return true;
}

/** Removes a state folder with everything in it. */
export function removeFolder(native: Native, path: string, dir: number): void {
  native.unlink(dir, CONFIG, 0); // what else is there is an exception
  let removed = native.unlink(AT_FDCWD, path, AT_REMOVEDIR);
  if (removed === -ENOTEMPTY || removed === -EEXIST) {
    removeEntries(native, path, dir);
    removed = native.unlink(AT_FDCWD, path, AT_REMOVEDIR);
  }
  if (removed !== -ENOENT) must(removed, { operation: "rmdir", path });
}

function removeEntries(native: Native, path: string, dir: number): void {
  const names = native.list_dir(dir, ".");
  if (typeof names !== "string") return;
  for (const name of names.split("\0")) if (name !== "") removeEntry(native, path, dir, name);
}

function removeEntry(native: Native, path: string, dir: number, name: string): void {
  const inner = native.open(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
  if (inner < 0) {
    const removed = native.unlink(dir, name, 0);
    if (removed !== -ENOENT) must(removed, { operation: "unlink", path: `${path}/${name}` });
    return;
  }
  try {
    removeEntries(native, `${path}/${name}`, inner);
    const removed = native.unlink(dir, name, AT_REMOVEDIR);
    if (removed !== -ENOENT) must(removed, { operation: "rmdir", path: `${path}/${name}` });
  } finally {
    native.close(inner);
  }
}

/** mkdir -p of the state root, 0700 as runc. */
function makeRoot(native: Native, root: string): void {
  const made = native.mkdir(AT_FDCWD, root, 0o700);
  if (made === -EEXIST) return;
  if (made === -ENOENT && root.lastIndexOf("/") > 0) {
    makeRoot(native, root.slice(0, root.lastIndexOf("/")));
    const again = native.mkdir(AT_FDCWD, root, 0o700);
    if (again !== -EEXIST) must(again, { operation: "mkdir", path: root });
    return;
  }
  must(made, { operation: "mkdir", path: root });
}
