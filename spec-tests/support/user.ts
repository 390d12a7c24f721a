// A user without privileges: an account with subordinate ids that only this test run's mount namespace knows, and calls of the
// runtime in its name.

import { execFileSync } from "node:child_process";
import { appendFileSync, chmodSync, chownSync, copyFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { view } from "./cgroup-of.ts";
import { type CallOptions, Runtime, tag, workFolder } from "./runtime.ts";
import type { Edit } from "./sandbox.ts";
import { Sandbox } from "./sandbox.ts";

export const UID = 5000;
/** The first of 65536 subordinate ids. */
export const SUB = 300000;
const NAME = "berthtest";
const IDS = ["--reuid", String(UID), "--regid", String(UID), "--clear-groups"];

const LINES: Record<string, string> = {
  passwd: `${NAME}:x:${UID}:${UID}::/:/bin/sh\n`,
  group: `${NAME}:x:${UID}:\n`,
  subuid: `${NAME}:${SUB}:65536\n`,
  subgid: `${NAME}:${SUB}:65536\n`,
};

/** Makes the account, once. */
export function makeUser(): void {
  const folder = join(workFolder(), "account");
  if (existsSync(folder)) return;
  mkdirSync(folder, { mode: 0o755 });
  for (const [name, line] of Object.entries(LINES)) {
    const own = join(folder, name);
    if (existsSync(`/etc/${name}`)) copyFileSync(`/etc/${name}`, own);
    else writeFileSync(`/etc/${name}`, "");
    appendFileSync(own, line);
    chmodSync(own, 0o644);
    execFileSync("mount", ["--bind", own, `/etc/${name}`]);
  }
}

/** The runtime where the user can reach it. */
export function reachable(runtime: Runtime): Runtime {
  const folder = join(workFolder(), "rootless");
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  const copy = join(folder, runtime.name);
  if (!existsSync(copy)) copyFileSync(runtime.path, copy);
  chmodSync(copy, 0o755);
  return new Runtime(copy);
}

/** The sandbox with the user as caller: its folder belongs to the user. */
export class UserSandbox extends Sandbox {
  /** Words before those that make the caller the user. */
  before: string[] = [];
  env: Record<string, string> = {};
  /** Root of a user namespace of the user's instead, with all subordinate ids. */
  inNamespace = false;

  constructor(runtime: Runtime) {
    super(reachable(runtime));
    chownSync(this.dir, UID, UID);
  }

  override start(args: readonly string[], options: CallOptions = {}): ReturnType<Sandbox["start"]> {
    const unshare = this.inNamespace ? ["unshare", "--user", "--map-root-user", "--map-auto", "--mount"] : [];
    const env = Object.entries({ PATH: "/usr/bin:/bin:/usr/sbin", ...this.env }).map(
      ([name, value]) => `${name}=${value}`,
    );
    const prefix = [...this.before, "setpriv", ...IDS, "env", "-i", ...env, ...(options.prefix ?? []), ...unshare];
    return super.start(args, { ...options, prefix });
  }

  /** A cgroup of the user's own in every hierarchy of the view, and the caller in a cgroup below it; its path. */
  delegate(): string {
    const path = `/${tag()}-delegated`;
    const tops = execFileSync("sh", ["-c", view === "v2" ? "echo /sys/fs/cgroup" : "echo /sys/fs/cgroup/*"], {
      encoding: "utf8",
    });
    for (const top of tops.trim().split(" ")) this.#delegateIn(`${top}${path}`);
    // Only from there may the user put a process beside it.
    const unified = { v1: undefined, hybrid: "/sys/fs/cgroup/unified", v2: "/sys/fs/cgroup" }[view];
    if (unified !== undefined) {
      this.before = ["sh", "-c", `echo $$ >${unified}${path}/own/cgroup.procs; exec "$@"`, "sh"];
    }
    return path;
  }

  #delegateIn(folder: string): void {
    const { parent } = splitPath(folder);
    if (!existsSync(`${parent}/cgroup.procs`)) return;
    this.later(() => {
      execFileSync("find", [folder, "-depth", "-type", "d", "-exec", "rmdir", "{}", ";"]);
    });
    for (const own of [folder, `${folder}/own`]) {
      mkdirSync(own);
      chownSync(own, UID, UID);
      for (const file of ["cgroup.procs", "cgroup.subtree_control", "cgroup.threads", "tasks"]) {
        if (existsSync(`${own}/${file}`)) chownSync(`${own}/${file}`, UID, UID);
      }
      // v1: nothing can be in a set of no CPUs.
      for (const file of ["cpuset.cpus", "cpuset.mems"]) {
        if (view !== "v2" && existsSync(`${own}/${file}`)) {
          execFileSync("sh", ["-c", `cat ${splitPath(own).parent}/${file} >${own}/${file}`]);
        }
      }
    }
  }
}

function splitPath(path: string): { parent: string } {
  return { parent: path.slice(0, path.lastIndexOf("/")) };
}

const one = (hostID: number) => [{ containerID: 0, hostID, size: 1 }];
const many = () => [...one(UID), { containerID: 1, hostID: SUB, size: 65536 }];

/** What `spec --rootless` makes of it: one id, the host's network, no resources. */
export const singleId: Edit = (config) => {
  const { linux } = config;
  linux.namespaces = linux.namespaces.filter(({ type }) => type !== "network");
  linux.namespaces.push({ type: "user" });
  linux.uidMappings = one(UID);
  linux.gidMappings = one(UID);
  delete linux.resources;
  config.mounts = config.mounts.map((mount) =>
    mount.type === "sysfs"
      ? { destination: "/sys", type: "none", source: "/sys", options: ["rbind", "nosuid", "noexec", "nodev", "ro"] }
      : mount,
  );
  for (const mount of config.mounts) mount.options = mount.options?.filter((option) => option !== "gid=5") ?? [];
};

/** Subordinate ids. */
export const subordinate: Edit = (config) => {
  config.linux.namespaces.push({ type: "user" });
  config.linux.uidMappings = many();
  config.linux.gidMappings = many();
  delete config.linux.resources;
};
