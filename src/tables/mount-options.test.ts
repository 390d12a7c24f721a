import { describe, expect, test } from "vitest";
import { MOUNT_ATTR as A, mountOptionNames, PROPAGATION, parseMountOptions } from "./mount-options.ts";

const PLAIN = {
  bind: false,
  recursiveBind: false,
  remount: false,
  attrSet: 0,
  attrClear: 0,
  recSet: 0,
  recClear: 0,
  propagation: [],
  superblock: [],
  data: [],
  tmpcopyup: false,
  copySymlink: false,
  srcNofollow: false,
  destNofollow: false,
};

function parsed(text: string) {
  return parseMountOptions(text === "" ? [] : text.split(" "));
}

describe("mount options", () => {
  test.each<[string, object]>([
    ["", {}],
    ["defaults silent loud iversion noiversion", {}],
    ["ro nosuid nodev noexec", { attrSet: A.RDONLY | A.NOSUID | A.NODEV | A.NOEXEC }],
    ["rw suid dev exec", { attrClear: A.RDONLY | A.NOSUID | A.NODEV | A.NOEXEC }],
    ["nodiratime nosymfollow", { attrSet: A.NODIRATIME | A.NOSYMFOLLOW }],
    ["diratime symfollow", { attrClear: A.NODIRATIME | A.NOSYMFOLLOW }],
    ["ro rw", { attrClear: A.RDONLY }],
    ["rw ro", { attrSet: A.RDONLY }],
    ["noatime", { attrSet: A.NOATIME, attrClear: A._ATIME }],
    ["strictatime", { attrSet: A.STRICTATIME, attrClear: A._ATIME }],
    ["relatime", { attrClear: A._ATIME }],
    ["atime", { attrClear: A._ATIME }],
    ["nostrictatime", { attrClear: A._ATIME }],
    ["norelatime", {}],
    ["noatime relatime", { attrSet: A.NOATIME, attrClear: A._ATIME }],
    ["noatime strictatime", { attrSet: A.STRICTATIME, attrClear: A._ATIME }],
    ["noatime atime", { attrClear: A._ATIME }],
    [
      "rro rnosuid rnodev rnoexec rnodiratime rnosymfollow",
      { recSet: A.RDONLY | A.NOSUID | A.NODEV | A.NOEXEC | A.NODIRATIME | A.NOSYMFOLLOW },
    ],
    [
      "rrw rsuid rdev rexec rdiratime rsymfollow",
      { recClear: A.RDONLY | A.NOSUID | A.NODEV | A.NOEXEC | A.NODIRATIME | A.NOSYMFOLLOW },
    ],
    ["rnoatime", { recSet: A.NOATIME, recClear: A._ATIME }],
    ["rstrictatime", { recSet: A.STRICTATIME, recClear: A._ATIME }],
    ["rrelatime", { recClear: A._ATIME }],
    ["ratime", { recClear: A._ATIME }],
    ["rnostrictatime", { recClear: A._ATIME }],
    ["rnorelatime", { recClear: A._ATIME }],
    ["bind", { bind: true }],
    ["rbind", { bind: true, recursiveBind: true }],
    ["bind rbind ro", { bind: true, recursiveBind: true, attrSet: A.RDONLY }],
    ["remount ro", { remount: true, attrSet: A.RDONLY }],
    ["shared", { propagation: [{ flag: PROPAGATION.shared, recursive: false }] }],
    [
      "rslave shared",
      {
        propagation: [
          { flag: PROPAGATION.slave, recursive: true },
          { flag: PROPAGATION.shared, recursive: false },
        ],
      },
    ],
    ["private", { propagation: [{ flag: PROPAGATION.private, recursive: false }] }],
    ["runbindable", { propagation: [{ flag: PROPAGATION.unbindable, recursive: true }] }],
    ["sync dirsync mand lazytime", { superblock: ["sync", "dirsync", "mand", "lazytime"] }],
    ["async nomand nolazytime", { superblock: ["async", "nomand", "nolazytime"] }],
    ["sync async lazytime nolazytime", { superblock: ["async", "nolazytime"] }],
    ["rsync rdirsync rmand rasync rnomand", { superblock: ["async", "dirsync", "nomand"] }],
    ["tmpcopyup mode=755 size=65536k", { tmpcopyup: true, data: ["mode=755", "size=65536k"] }],
    ["mode=755,size=5k,,x", { data: ["mode=755", "size=5k", "x"] }],
    ['context="a:c0,c1",x', { data: ['context="a:c0,c1"', "x"] }],
    ["copy-symlink", { copySymlink: true }],
    ["src-nofollow dest-nofollow", { srcNofollow: true, destNofollow: true }],
    ["idmap", { idmap: "idmap" }],
    ["ridmap", { idmap: "ridmap" }],
    ["idmap=uids=0-1-2", { idmap: "idmap=uids=0-1-2" }],
    ["constructor __proto__ RO nosuch=1", { data: ["constructor", "__proto__", "RO", "nosuch=1"] }],
  ])("%s", (text, expected) => {
    expect(parsed(text)).toEqual({ ...PLAIN, ...expected });
  });

  test("a new access time always comes with a cleared field, as mount_setattr demands", () => {
    const words = ["noatime", "atime", "relatime", "norelatime", "strictatime", "nostrictatime"];
    for (const a of words) {
      for (const b of words) {
        for (const prefix of ["", "r"]) {
          const o = parsed(`${prefix}${a} ${prefix}${b}`);
          const [set, clear] = prefix === "" ? [o.attrSet, o.attrClear] : [o.recSet, o.recClear];
          if (set & A._ATIME) expect(clear & A._ATIME).toBe(A._ATIME);
          expect([0, A._ATIME]).toContain(clear & A._ATIME);
          expect(set & clear & ~A._ATIME).toBe(0);
        }
      }
    }
  });

  test("every option that runc knows is known", () => {
    const runc =
      "async atime bind defaults dev diratime dirsync exec iversion lazytime loud mand noatime nodev nodiratime noexec " +
      "noiversion nolazytime nomand norelatime nostrictatime nosuid nosymfollow private ratime rbind rdev rdiratime " +
      "relatime remount rexec rnoatime rnodev rnodiratime rnoexec rnorelatime rnostrictatime rnosuid rnosymfollow ro " +
      "rprivate rrelatime rro rrw rshared rslave rstrictatime rsuid rsymfollow runbindable rw shared silent slave " +
      "strictatime suid symfollow sync tmpcopyup unbindable idmap ridmap";
    for (const name of runc.split(" ")) expect(mountOptionNames()).toContain(name);
  });

  test("every known name is read as something other than data", () => {
    expect(mountOptionNames()).toHaveLength(70);
    for (const name of mountOptionNames()) expect(parsed(name).data, name).toEqual([]);
  });
});
