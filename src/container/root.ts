// Where the state folders are, and whether this is a rootless runtime: runc's rules with berth's name.

import { RuntimeError } from "../errors/runtime-error.ts";
import { must } from "../host/must.ts";
import type { Native } from "../host/native.gen.ts";
import { variableOf } from "./environ.ts";
import { euid } from "./euid.ts";
import { AT_FDCWD, EEXIST, O_DIRECTORY, O_RDONLY } from "./open-flags.ts";

const DEFAULT_ROOT = "/run/berth";
const STICKY = 0o1000;
/** The map of the initial user namespace: everything to itself. */
const UID_MAX = "4294967295";
/** The initial user namespace's inode, wherever the kernel is Linux: USER_NS_INIT_INO of linux/nsfs.h. */
const USER_NS_INIT_INO = 0xeffffffd;
/** In what native.stat returns. */
const INO = 8;

/** --root as an absolute path without `.`, `..`, `//`. Throws for `/`. */
export function absoluteRoot(native: Native, given: string): string {
  const root = absolute(native, given);
  if (root === "/")
    throw new RuntimeError({ message: "option --root must not be /", ...(given === "/" ? {} : { path: given }) });
  return root;
}

/** The path made absolute and clean, lexically. */
export function absolute(native: Native, path: string): string {
  if (path.startsWith("/")) return clean(path);
  const cwd = must(native.getcwd(), { operation: "getcwd" }) as string;
  return clean(`${cwd}/${path}`);
}

/** As Go's filepath.Clean for absolute paths. */
export function clean(path: string): string {
  const names: string[] = [];
  for (const name of path.split("/")) {
    if (name === "..") names.pop();
    else if (name !== "" && name !== ".") names.push(name);
  }
  return `/${names.join("/")}`;
}

/**
 * The root when none is given: /run/berth, or $XDG_RUNTIME_DIR/berth for whoever is not the host's root. That one is
 * made here with the sticky bit, which tells who cleans up there to leave it alone (XDG base directory specification).
 */
export function defaultRoot(native: Native): string {
  const xdg = variable(native, "XDG_RUNTIME_DIR");
  if (xdg === undefined || xdg === "" || !honoursXdg(native)) return DEFAULT_ROOT;
  const root = clean(`${xdg}/berth`);
  const made = native.mkdir(AT_FDCWD, root, 0o700);
  if (made !== -EEXIST)
    must(made, {
      message: "the path in $XDG_RUNTIME_DIR must be writable by the user",
      operation: "mkdir",
      path: root,
    });
  const fd = must(native.open(AT_FDCWD, root, O_RDONLY | O_DIRECTORY, 0), { operation: "open", path: root });
  const changed = native.chmod(fd, 0o700 | STICKY);
  native.close(fd);
  must(changed, { message: "check the permissions of the path in $XDG_RUNTIME_DIR", operation: "chmod", path: root });
  return root;
}

function honoursXdg(native: Native): boolean {
  if (euid(native) !== 0) return true;
  return inUserNamespace(native) && variable(native, "USER") !== "root";
}

/** How far this process's rights reach. */
export interface Rights {
  /** As --rootless says, or found out: not root, or root of a user namespace only. What cgroups refuse is gone without. */
  readonly rootless: boolean;
  /** It is root, of a user namespace that is not the host's. */
  readonly userNamespace: boolean;
  /** It is neither that nor the host's root. */
  readonly unprivileged: boolean;
}

/** `option` is --rootless. */
export function rightsOf(native: Native, option: boolean | "auto"): Rights {
  const unprivileged = euid(native) !== 0;
  const userNamespace = !unprivileged && inUserNamespace(native);
  return { rootless: option === "auto" ? unprivileged || userNamespace : option, userNamespace, unprivileged };
}

function inUserNamespace(native: Native): boolean {
  const namespace = native.stat(AT_FDCWD, "/proc/self/ns/user", 0);
  if (typeof namespace !== "number" && namespace[INO] === USER_NS_INIT_INO) return false;
  const map = native.read_file(AT_FDCWD, "/proc/self/uid_map", 65536);
  if (typeof map !== "string") return false;
  const fields =
    map
      .split("\n")[0]
      ?.split(" ")
      .filter((field) => field !== "") ?? [];
  return !(fields[0] === "0" && fields[1] === "0" && fields[2] === UID_MAX);
}

function variable(native: Native, name: string): string | undefined {
  return variableOf(must(native.environ(), { operation: "environ" }) as string, name);
}
