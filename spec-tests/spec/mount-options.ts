// The table of Linux mount options in config.md: each with its level and what shows that it works.

export type Effect =
  /** On a tmpfs: words of /proc/mounts that are there and that are not. */
  | { on: "tmpfs"; options: string[]; has?: string[]; not?: string[] }
  /** On rbind of a folder below which a tmpfs is mounted with `below`: the words of that tmpfs inside. */
  | { on: "below"; below: string; has?: string[]; not?: string[] }
  /** The optional fields of mountinfo, without their numbers; of the mount alone or also of those below it. */
  | { on: "propagation"; fields: RegExp; recursive: boolean }
  /** Has a test of its own. */
  | { on: "test"; tests: string[] };

export interface SpecOption {
  name: string;
  level: "MUST" | "SHOULD" | "MAY";
  effect: Effect;
}

const must = (name: string, effect: Effect): SpecOption => ({ name, level: "MUST", effect });
const should = (name: string, effect: Effect): SpecOption => ({ name, level: "SHOULD", effect });
const tmpfs = (options: string, has: string[] = [], not: string[] = []): Effect => ({
  on: "tmpfs",
  options: options.split(","),
  has,
  not,
});
const below = (options: string, has: string[] = [], not: string[] = []): Effect => ({
  on: "below",
  below: options,
  has,
  not,
});
const propagation = (fields: RegExp, recursive: "alone" | "all"): Effect => ({
  on: "propagation",
  fields,
  recursive: recursive === "all",
});
const SHARED = /shared/;
const SLAVE = /^(master)?$/;
const PRIVATE = /^$/;
const UNBINDABLE = /^unbindable$/;
const test = (...tests: string[]): Effect => ({ on: "test", tests });

const BIND = test("mounts: bind leaves the mounts below behind, rbind takes them along");
const IDMAP = test("idmap: idmap changes the mount alone, ridmap those below it");

export const OPTIONS: readonly SpecOption[] = [
  must("async", tmpfs("sync,async", ["rw"], ["sync"])),
  must("atime", tmpfs("noatime,atime", ["rw"], ["noatime"])),
  must("bind", BIND),
  must("defaults", tmpfs("defaults", ["rw"], ["nosuid", "nodev", "noexec"])),
  must("dev", tmpfs("nodev,dev", ["rw"], ["nodev"])),
  must("diratime", tmpfs("nodiratime,diratime", ["rw"], ["nodiratime"])),
  must("dirsync", tmpfs("dirsync", ["dirsync"])),
  must("exec", tmpfs("noexec,exec", ["rw"], ["noexec"])),
  must("iversion", tmpfs("iversion", ["rw"])),
  must("lazytime", tmpfs("lazytime", ["lazytime"])),
  must("loud", tmpfs("loud", ["rw"])),
  must("noatime", tmpfs("noatime", ["noatime"])),
  must("nodev", tmpfs("nodev", ["nodev"])),
  must("nodiratime", tmpfs("nodiratime", ["nodiratime"])),
  must("noexec", tmpfs("noexec", ["noexec"])),
  must("noiversion", tmpfs("noiversion", ["rw"])),
  must("nolazytime", tmpfs("lazytime,nolazytime", ["rw"], ["lazytime"])),
  must("norelatime", tmpfs("norelatime", ["rw"], ["noatime"])),
  must("nostrictatime", tmpfs("strictatime,nostrictatime", ["relatime"])),
  must("nosuid", tmpfs("nosuid", ["nosuid"])),
  should("nosymfollow", tmpfs("nosymfollow", ["nosymfollow"])),
  must("private", propagation(PRIVATE, "alone")),
  should("ratime", below("noatime", [], ["noatime"])),
  must("rbind", BIND),
  should("rdev", below("nodev", [], ["nodev"])),
  should("rdiratime", below("nodiratime", [], ["nodiratime"])),
  must("relatime", tmpfs("relatime", ["relatime"])),
  must("remount", test("spec/mounts: remount changes a mount that is there and leaves what is in it")),
  should("rexec", below("noexec", [], ["noexec"])),
  should("rnoatime", below("relatime", ["noatime"])),
  should("rnodiratime", below("relatime", ["nodiratime"])),
  should("rnoexec", below("relatime", ["noexec"])),
  should("rnorelatime", below("relatime", ["rw"], ["noatime"])),
  should("rnostrictatime", below("strictatime", ["relatime"])),
  should("rnosuid", below("relatime", ["nosuid"])),
  should("rnosymfollow", below("relatime", ["nosymfollow"])),
  must("ro", tmpfs("ro", ["ro"])),
  must("rprivate", propagation(PRIVATE, "all")),
  should("rrelatime", below("noatime", ["relatime"], ["noatime"])),
  should("rro", below("rw", ["ro"])),
  should("rrw", below("ro", ["rw"])),
  must("rshared", propagation(SHARED, "all")),
  must("rslave", propagation(SLAVE, "all")),
  should("rstrictatime", below("noatime", [], ["noatime", "relatime"])),
  should("rsuid", below("nosuid", [], ["nosuid"])),
  should("rsymfollow", below("nosymfollow", [], ["nosymfollow"])),
  must("runbindable", propagation(UNBINDABLE, "all")),
  must("rw", tmpfs("ro,rw", ["rw"], ["ro"])),
  must("shared", propagation(SHARED, "alone")),
  must("silent", tmpfs("silent", ["rw"])),
  must("slave", propagation(SLAVE, "alone")),
  must("strictatime", tmpfs("strictatime", ["rw"], ["relatime", "noatime"])),
  must("suid", tmpfs("nosuid,suid", ["rw"], ["nosuid"])),
  should("symfollow", tmpfs("nosymfollow,symfollow", ["rw"], ["nosymfollow"])),
  must("sync", tmpfs("sync", ["sync"])),
  must("unbindable", propagation(UNBINDABLE, "alone")),
  should("idmap", IDMAP),
  should("ridmap", IDMAP),
];
