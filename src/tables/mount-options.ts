// What each mount option means: per-mount attributes (mount_setattr), superblock flags (fsconfig), propagation, or
// something that Berth itself does. Names: runtime-spec config.md "Linux mount options", those of runc, and crun's own.
// An option that is not in the table is file-system data, as the spec asks.

/** Bits of mount_setattr(2) and fsmount(2). */
export const MOUNT_ATTR = {
  RDONLY: 0x1,
  NOSUID: 0x2,
  NODEV: 0x4,
  NOEXEC: 0x8,
  /** The access-time choice; RELATIME is 0. */
  _ATIME: 0x70,
  NOATIME: 0x10,
  STRICTATIME: 0x20,
  NODIRATIME: 0x80,
  IDMAP: 0x100000,
  NOSYMFOLLOW: 0x200000,
} as const;

/** Propagation types as mount_setattr(2) takes them. */
export const PROPAGATION = { unbindable: 1 << 17, private: 1 << 18, slave: 1 << 19, shared: 1 << 20 } as const;

export interface Propagation {
  /** One of PROPAGATION. */
  flag: number;
  recursive: boolean;
}

export interface MountOptions {
  /** `bind` or `rbind`. */
  bind: boolean;
  recursiveBind: boolean;
  remount: boolean;
  /**
   * MOUNT_ATTR_ bits of this mount alone, ready for mount_setattr: whenever an access-time choice is made, attrClear has
   * all of _ATIME. A new mount takes attrSet alone. `ro` is here, the superblock stays as it is.
   */
  attrSet: number;
  attrClear: number;
  /** The same for the mount and all below it (rro, rnosuid, ...). */
  recSet: number;
  recClear: number;
  /** To apply in this order after the mount; usually none or one. */
  propagation: readonly Propagation[];
  /** Superblock flags as fsconfig(FSCONFIG_SET_FLAG) spells them; without meaning for a bind mount. */
  superblock: readonly string[];
  /** File-system data: `key=value` or `key`. */
  data: readonly string[];
  tmpcopyup: boolean;
  /** crun: a source that is a symlink is copied as symlink. */
  copySymlink: boolean;
  /** crun: the last component of source or destination must not be a symlink. */
  srcNofollow: boolean;
  destNofollow: boolean;
  /** `idmap`, `ridmap` or crun's `idmap=...`, as written. */
  idmap?: string;
}

// An entry is a kind, and a value below 1 << 24.
const KIND = 24;
const SET = 1 << KIND;
const CLEAR = 2 << KIND;
const REC_SET = 3 << KIND;
const REC_CLEAR = 4 << KIND;
const PROPAGATE = 5 << KIND;
const SUPER = 6 << KIND;
const OWN = 7 << KIND;

/** Stands for "relatime was asked for" while options are collected; the kernel's own value for it is 0. */
const RELATIME = 0x40;
const RECURSIVE = 1;

// Superblock flags: a set and a cleared state for each, two bits apart from one another.
const SYNC = 1;
const ASYNC = 2;
const DIRSYNC = 4;
const MAND = 8;
const NOMAND = 16;
const LAZYTIME = 32;
const NOLAZYTIME = 64;
const SUPER_NAMES: readonly (readonly [number, string])[] = [
  [SYNC, "sync"],
  [ASYNC, "async"],
  [DIRSYNC, "dirsync"],
  [MAND, "mand"],
  [NOMAND, "nomand"],
  [LAZYTIME, "lazytime"],
  [NOLAZYTIME, "nolazytime"],
];

const BIND = 1;
const RBIND = 2;
const REMOUNT = 4;
const TMPCOPYUP = 8;
const COPY_SYMLINK = 16;
const SRC_NOFOLLOW = 32;
const DEST_NOFOLLOW = 64;
const IDMAP = 128;
/** Accepted, and nothing to do: `defaults`, kernel log verbosity, the i_version counter (always on where it exists). */
const NOTHING = 0;

// The literal has no prototype: an option named "constructor" is data like any other unknown one.
const OPTIONS: Readonly<Record<string, number>> = {
  // @ts-expect-error a literal with __proto__: null is a record without inherited names
  __proto__: null,
  ro: SET | MOUNT_ATTR.RDONLY,
  rw: CLEAR | MOUNT_ATTR.RDONLY,
  nosuid: SET | MOUNT_ATTR.NOSUID,
  suid: CLEAR | MOUNT_ATTR.NOSUID,
  nodev: SET | MOUNT_ATTR.NODEV,
  dev: CLEAR | MOUNT_ATTR.NODEV,
  noexec: SET | MOUNT_ATTR.NOEXEC,
  exec: CLEAR | MOUNT_ATTR.NOEXEC,
  nodiratime: SET | MOUNT_ATTR.NODIRATIME,
  diratime: CLEAR | MOUNT_ATTR.NODIRATIME,
  nosymfollow: SET | MOUNT_ATTR.NOSYMFOLLOW,
  symfollow: CLEAR | MOUNT_ATTR.NOSYMFOLLOW,
  noatime: SET | MOUNT_ATTR.NOATIME,
  atime: CLEAR | MOUNT_ATTR.NOATIME,
  strictatime: SET | MOUNT_ATTR.STRICTATIME,
  nostrictatime: CLEAR | MOUNT_ATTR.STRICTATIME,
  relatime: SET | RELATIME,
  norelatime: CLEAR | RELATIME,

  rro: REC_SET | MOUNT_ATTR.RDONLY,
  rrw: REC_CLEAR | MOUNT_ATTR.RDONLY,
  rnosuid: REC_SET | MOUNT_ATTR.NOSUID,
  rsuid: REC_CLEAR | MOUNT_ATTR.NOSUID,
  rnodev: REC_SET | MOUNT_ATTR.NODEV,
  rdev: REC_CLEAR | MOUNT_ATTR.NODEV,
  rnoexec: REC_SET | MOUNT_ATTR.NOEXEC,
  rexec: REC_CLEAR | MOUNT_ATTR.NOEXEC,
  rnodiratime: REC_SET | MOUNT_ATTR.NODIRATIME,
  rdiratime: REC_CLEAR | MOUNT_ATTR.NODIRATIME,
  rnosymfollow: REC_SET | MOUNT_ATTR.NOSYMFOLLOW,
  rsymfollow: REC_CLEAR | MOUNT_ATTR.NOSYMFOLLOW,
  rnoatime: REC_SET | MOUNT_ATTR.NOATIME,
  ratime: REC_CLEAR | MOUNT_ATTR.NOATIME,
  rstrictatime: REC_SET | MOUNT_ATTR.STRICTATIME,
  rnostrictatime: REC_CLEAR | MOUNT_ATTR.STRICTATIME,
  rrelatime: REC_SET | RELATIME,
  rnorelatime: REC_CLEAR | RELATIME,

  shared: PROPAGATE | PROPAGATION.shared,
  rshared: PROPAGATE | PROPAGATION.shared | RECURSIVE,
  slave: PROPAGATE | PROPAGATION.slave,
  rslave: PROPAGATE | PROPAGATION.slave | RECURSIVE,
  private: PROPAGATE | PROPAGATION.private,
  rprivate: PROPAGATE | PROPAGATION.private | RECURSIVE,
  unbindable: PROPAGATE | PROPAGATION.unbindable,
  runbindable: PROPAGATE | PROPAGATION.unbindable | RECURSIVE,

  sync: SUPER | SYNC,
  async: SUPER | ASYNC,
  dirsync: SUPER | DIRSYNC,
  mand: SUPER | MAND,
  nomand: SUPER | NOMAND,
  lazytime: SUPER | LAZYTIME,
  nolazytime: SUPER | NOLAZYTIME,
  // crun's recursive spellings; the kernel has no recursive form of a superblock flag.
  rsync: SUPER | SYNC,
  rasync: SUPER | ASYNC,
  rdirsync: SUPER | DIRSYNC,
  rmand: SUPER | MAND,
  rnomand: SUPER | NOMAND,

  defaults: OWN | NOTHING,
  silent: OWN | NOTHING,
  loud: OWN | NOTHING,
  iversion: OWN | NOTHING,
  noiversion: OWN | NOTHING,
  bind: OWN | BIND,
  rbind: OWN | RBIND,
  remount: OWN | REMOUNT,
  tmpcopyup: OWN | TMPCOPYUP,
  "copy-symlink": OWN | COPY_SYMLINK,
  "src-nofollow": OWN | SRC_NOFOLLOW,
  "dest-nofollow": OWN | DEST_NOFOLLOW,
  idmap: OWN | IDMAP,
  ridmap: OWN | IDMAP,
};

/** Every option name that Berth knows, in no particular order (for `features` and tests). */
export function mountOptionNames(): string[] {
  return Object.keys(OPTIONS);
}

const NO_PROPAGATION: readonly Propagation[] = [];
const NO_STRINGS: readonly string[] = [];

/** The attribute masks of collected set and cleared bits, with the access-time bits folded into the kernel's one choice. */
function foldSet(set: number): number {
  const atime = set & MOUNT_ATTR.STRICTATIME ? MOUNT_ATTR.STRICTATIME : set & MOUNT_ATTR.NOATIME;
  return (set & ~MOUNT_ATTR._ATIME) | atime;
}

/** An access-time word makes a choice, which starts from a cleared field. `choices` are the cleared words that do so. */
function foldClear(set: number, clear: number, choices: number): number {
  const chosen = (set & MOUNT_ATTR._ATIME) | (clear & choices);
  return (clear & ~MOUNT_ATTR._ATIME) | (chosen ? MOUNT_ATTR._ATIME : 0);
}

/** mount(2) takes data as one text and splits it at commas outside double quotes; fsconfig takes one parameter at a time. */
function splitData(option: string): string[] {
  const parts: string[] = [];
  let start = 0;
  let quoted = false;
  for (let i = 0; i <= option.length; i++) {
    if (option[i] === '"') quoted = !quoted;
    if (i < option.length && (quoted || option[i] !== ",")) continue;
    if (i > start) parts.push(option.slice(start, i));
    start = i + 1;
  }
  return parts;
}

/** The last word of each pair wins. */
function addSuper(flags: number, flag: number): number {
  if (flag === SYNC || flag === ASYNC) return (flags & ~(SYNC | ASYNC)) | flag;
  if (flag === MAND || flag === NOMAND) return (flags & ~(MAND | NOMAND)) | flag;
  if (flag === LAZYTIME || flag === NOLAZYTIME) return (flags & ~(LAZYTIME | NOLAZYTIME)) | flag;
  return flags | flag;
}

const parsed = new WeakMap<readonly string[], MountOptions>();

/** What the options of a mount ask for; parsed once for the checks of config.json and the plan. */
export function mountOptions(options: readonly string[]): MountOptions {
  const known = parsed.get(options);
  if (known !== undefined) return known;
  const result = parseMountOptions(options);
  parsed.set(options, result);
  return result;
}

/**
 * Reads the `options` of a mount. Later options override earlier ones, as in mount(8) and runc. Never fails: what may
 * not be combined is refused by the checks of src/config.
 */
export function parseMountOptions(options: readonly string[]): MountOptions {
  let set = 0;
  let clear = 0;
  let recSet = 0;
  let recClear = 0;
  let own = 0;
  let superFlags = 0;
  let idmap: string | undefined;
  let propagation: Propagation[] | undefined;
  let data: string[] | undefined;
  for (let i = 0; i < options.length; i++) {
    const option = options[i] as string;
    const entry = OPTIONS[option];
    if (entry === undefined) {
      if (option.startsWith("idmap=") || option.startsWith("ridmap=")) {
        idmap = option;
        continue;
      }
      if (data === undefined) data = [];
      if (option.includes(",")) data.push(...splitData(option));
      else if (option !== "") data.push(option);
      continue;
    }
    const kind = entry & (0xff << KIND);
    const value = entry & ((1 << KIND) - 1);
    if (kind === SET) {
      set |= value;
      clear &= ~value;
    } else if (kind === CLEAR) {
      clear |= value;
      set &= ~value;
    } else if (kind === REC_SET) {
      recSet |= value;
      recClear &= ~value;
    } else if (kind === REC_CLEAR) {
      recClear |= value;
      recSet &= ~value;
    } else if (kind === PROPAGATE) {
      const one = { flag: value & ~RECURSIVE, recursive: (value & RECURSIVE) !== 0 };
      if (propagation === undefined) propagation = [one];
      else propagation.push(one);
    } else if (kind === SUPER) {
      superFlags = addSuper(superFlags, value);
    } else {
      own |= value;
      if (value === IDMAP) idmap = option;
    }
  }
  const result: MountOptions = {
    bind: (own & (BIND | RBIND)) !== 0,
    recursiveBind: (own & RBIND) !== 0,
    remount: (own & REMOUNT) !== 0,
    attrSet: foldSet(set),
    // Not recursive, `norelatime` alone changes nothing, as in mount(2); recursive it does in runc.
    attrClear: foldClear(set, clear, MOUNT_ATTR.NOATIME | MOUNT_ATTR.STRICTATIME),
    recSet: foldSet(recSet),
    recClear: foldClear(recSet, recClear, MOUNT_ATTR._ATIME),
    propagation: propagation ?? NO_PROPAGATION,
    superblock: superFlags === 0 ? NO_STRINGS : SUPER_NAMES.filter((s) => superFlags & s[0]).map((s) => s[1]),
    data: data ?? NO_STRINGS,
    tmpcopyup: (own & TMPCOPYUP) !== 0,
    copySymlink: (own & COPY_SYMLINK) !== 0,
    srcNofollow: (own & SRC_NOFOLLOW) !== 0,
    destNofollow: (own & DEST_NOFOLLOW) !== 0,
  };
  if (idmap !== undefined) result.idmap = idmap;
  return result;
}
