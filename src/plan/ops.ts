// THE op table: what init (csrc/init) can do. The encoder (ops.gen.ts), the decoder's table and prototypes
// (csrc/init/ops.gen.h), the printer of `berth explain` and docs/plan-format.md are generated from it.
//
// Operands
//   u32     one word            u64      two words, low first
//   slot    a descriptor slot to use; NONE (0xffffffff) means "no directory": a path is then taken from the caller's
//           root, as AT_FDCWD with an absolute path
//   out     a descriptor slot to fill; it must be empty
//   string  index of a string without NUL   data  index of a string of any bytes
//   strings index of the first string, number of strings; none of them has a NUL
//   words   number of words, then the words (only as last operand)
//
// An op does one system call or one documented idiom, holds no policy and allocates nothing. On failure init reports
// (op index, errno, detail) and exits. After the seccomp filter is loaded there is only capset(2) (without
// no_new_privs), write(2), what hooks need, and execve(2): less than runc does there.
//
// "In root" means: resolved with openat2(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS) below the given directory slot.

export type OperandType = "u32" | "u64" | "slot" | "out" | "string" | "data" | "strings" | "words";

export interface Op {
  readonly doc: string;
  readonly operands: Readonly<Record<string, OperandType>>;
}

const op = <const O extends Readonly<Record<string, OperandType>>>(doc: string, operands: O) => ({ doc, operands });

export const OPS = {
  // --- identity and process attributes --------------------------------------------------------------------------
  dumpable: op("prctl(PR_SET_DUMPABLE).", { value: "u32" }),
  reset_signals: op("Every signal's disposition to default, the mask to empty.", {}),
  setsid: op("setsid(2).", {}),
  join_keyring: op(
    "keyctl(JOIN_SESSION_KEYRING, name), then adds the KEY_ permission bits `add`: 0x80000 (the owner's search), or 0x8 (everyone's) with a new user namespace, as runc does; 0: adds nothing, for a keyring that is there. ENOSYS is ignored.",
    {
      name: "string",
      add: "u32",
    },
  ),
  clear_inheritable: op("Inheritable and ambient capabilities to empty, permitted and effective as they are.", {}),
  set_ids: op("setresgid then setresuid by raw system calls.", { uid: "u32", gid: "u32" }),
  set_groups: op("setgroups(2).", { gids: "words" }),
  drop_bounding: op(
    "PR_CAPBSET_DROP of every capability that the kernel has and the mask lacks; nothing without CAP_SETPCAP, as in runc.",
    { keep: "u64" },
  ),
  keep_caps: op("prctl(PR_SET_KEEPCAPS).", { value: "u32" }),
  set_caps: op("capset(2), after leaving out what the bounding or permitted set cannot give when `trim` is 1.", {
    effective: "u64",
    permitted: "u64",
    inheritable: "u64",
    trim: "u32",
  }),
  set_ambient: op(
    "PR_CAP_AMBIENT_CLEAR_ALL, then raise each of the mask; one that cannot be raised is skipped when `trim` is 1.",
    {
      ambient: "u64",
      trim: "u32",
    },
  ),
  no_new_privs: op("prctl(PR_SET_NO_NEW_PRIVS, 1).", {}),
  umask: op("umask(2). Before it init itself has 0 and hooks the umask that init inherited.", { mode: "u32" }),
  rlimit: op("prlimit64(0, resource).", { resource: "u32", soft: "u64", hard: "u64" }),
  scheduler: op("sched_setattr(0).", {
    policy: "u32",
    nice: "u32",
    priority: "u32",
    flags: "u64",
    runtime: "u64",
    deadline: "u64",
    period: "u64",
  }),
  io_priority: op("ioprio_set(IOPRIO_WHO_PROCESS, 0, value).", { value: "u32" }),
  personality: op("personality(2).", { persona: "u32" }),
  reset_affinity: op("sched_setaffinity(0) to every CPU; EPERM and EINVAL are ignored.", {}),

  // --- namespaces -----------------------------------------------------------------------------------------------
  unshare: op("unshare(2).", { flags: "u32" }),
  setns: op("setns(2).", { ns: "slot", nstype: "u32" }),
  sibling: op(
    "clone3(CLONE_PARENT | flags [| CLONE_INTO_CGROUP]), no CLONE_VM: the caller reports CHILD with pid and pidfd (SCM_RIGHTS) and exits 0; the child goes on with the next op.",
    { flags: "u32", cgroup: "slot" },
  ),
  hostname: op("sethostname(2).", { name: "string" }),
  domainname: op("setdomainname(2).", { name: "string" }),
  loopback_up: op("ioctl SIOCSIFFLAGS on lo: IFF_UP.", {}),

  // --- protocol with the runtime --------------------------------------------------------------------------------
  sync: op(
    "Reports BARRIER with the number and waits until the runtime sends it back; the runtime's death (EOF) ends init.",
    { barrier: "u32" },
  ),
  announce: op("Sends BARRIER with this number and goes on: the runtime does something meanwhile.", { barrier: "u32" }),
  join_cgroups: op(
    "Waits for the runtime's message with a descriptor of each of these files, and writes `0` to it: this process is moved there.",
    { files: "strings" },
  ),
  receive_mount: op(
    "As sync, but what releases init brings the descriptor of a detached mount, which the runtime alone could make.",
    { mount: "out", barrier: "u32" },
  ),
  ready: op("Reports READY, by write(2) alone.", {}),
  wait_commit: op(
    "Blocks in a write(2) of one byte to the full commit pipe until the runtime has recorded the container and drains it. When the runtime dies first, SIGPIPE ends init: nothing waits for ever. Needs no read, so that any seccomp filter lets it pass.",
    { pipe: "slot" },
  ),
  wait_start: op(
    "Blocks in a write(2) of one byte, STARTED, to the full pipe until `start` drains it. From then on failures are reported there instead of on the sync socket. Before it, init gives its own pages back by madvise(2), whose failure is ignored.",
    { pipe: "slot" },
  ),

  // --- seccomp --------------------------------------------------------------------------------------------------
  receive_filter: op(
    "Receives the seccomp filter, 1 to 4096 struct sock_filter in one message of the runtime, which comes when it has been compiled; the runtime's death (EOF) ends init. Kept for filter_and_wait.",
    {},
  ),
  reserve_launch: op(
    "Maps room for so many pointers, so that `hook` and `execute` need no mmap(2) once the filter is loaded.",
    { pointers: "u32" },
  ),
  filter_and_wait: op(
    "Gives init's own pages back as wait_start does, seccomp(SECCOMP_SET_MODE_FILTER, flags), then what ready, wait_commit (unless `commit` is NONE) and wait_start do, by write(2) alone. With SECCOMP_FILTER_FLAG_NEW_LISTENER (0x8) LISTENER with the descriptor's number is reported at once. `privileged` 1: CAP_SYS_ADMIN, if permitted, is made effective for it, and one capset(2) after it gives the three sets, less what they cannot have.",
    {
      flags: "u32",
      privileged: "u32",
      effective: "u64",
      permitted: "u64",
      inheritable: "u64",
      commit: "slot",
      pipe: "slot",
    },
  ),

  // --- files and descriptors ------------------------------------------------------------------------------------
  open: op("openat2(2) with O_CLOEXEC.", {
    fd: "out",
    dir: "slot",
    path: "string",
    flags: "u32",
    mode: "u32",
    resolve: "u32",
  }),
  close: op("close(2) and empties the slot.", { fd: "slot" }),
  write: op("One write(2) of the whole string.", { fd: "slot", data: "data" }),
  write_file: op("openat2(O_WRONLY|O_CLOEXEC|O_NOCTTY, resolve), one write(2), close.", {
    dir: "slot",
    path: "string",
    resolve: "u32",
    data: "data",
  }),
  check_device: op("fstat: the descriptor is the character device major:minor, else EINVAL.", {
    fd: "slot",
    major: "u32",
    minor: "u32",
  }),
  check_fs: op("fstatfs: f_type is `magic`, else EINVAL.", { fd: "slot", magic: "u32" }),
  refuse_fs: op(
    "fstatfs: f_type is not `magic`, else EPERM: a mount target that leads into procfs by a symlink of the image.",
    {
      fd: "slot",
      magic: "u32",
    },
  ),
  target: op(
    "The mount target `path` in root as O_PATH descriptor. Missing folders are made 0755 one by one below the descriptor already reached, the last one as `kind`: 0 folder, 1 file (0644), 2 what the descriptor `like` is. An existing last component of the other kind is ENOTDIR or EISDIR. `nofollow` 1 refuses a symlink as last component (ELOOP).",
    { fd: "out", root: "slot", path: "string", kind: "u32", like: "slot", nofollow: "u32" },
  ),
  make_node: op(
    "mknod in root (parent folders made 0755) with exact mode, then, through a verified O_PATH|O_NOFOLLOW descriptor, owner. An existing node of the same type and number is kept and gets mode and owner; anything else is EEXIST. mode has the type bits.",
    { root: "slot", path: "string", mode: "u32", major: "u32", minor: "u32", uid: "u32", gid: "u32" },
  ),
  make_symlink: op(
    "symlinkat in root (parent folders made 0755); an existing entry is kept, or replaced when `replace` is 1 (never a folder).",
    {
      root: "slot",
      path: "string",
      to: "string",
      replace: "u32",
    },
  ),
  make_dir: op("mkdir -p in root, mode for the folders that are missing; an existing folder is fine.", {
    root: "slot",
    path: "string",
    mode: "u32",
  }),
  label: op("fsetxattr(2) of security.selinux on the root of a mount, without a NUL at the end of the context.", {
    mount: "slot",
    context: "data",
  }),
  copy_tree: op(
    "Copies the folder's content (regular files, folders, symlinks, modes, owners, times, xattrs) for tmpcopyup; devices, sockets and FIFOs are made anew by mknod; bounded depth; opens nothing that is not a regular file or folder.",
    {
      from: "slot",
      to: "slot",
    },
  ),

  // --- mounts (descriptor-based API only) -----------------------------------------------------------------------
  open_tree: op(
    "open_tree(2) with OPEN_TREE_CLOEXEC; an empty path means `dir` itself (AT_EMPTY_PATH). flags: OPEN_TREE_CLONE, AT_RECURSIVE, AT_SYMLINK_NOFOLLOW.",
    {
      fd: "out",
      dir: "slot",
      path: "string",
      flags: "u32",
    },
  ),
  new_mount: op(
    "fsopen, fsconfig of each parameter (`key=value` as string, split at the first `=`; `key` as flag), create, fsmount with MOUNT_ATTR_ attributes: a detached mount. When `mode_of` is a slot that `target` has not just made, `mode=` is that folder's. The file system's own message becomes the detail.",
    { fd: "out", fstype: "string", attributes: "u32", mode_of: "slot", parameters: "strings" },
  ),
  mount_attributes: op(
    "mount_setattr(2) on the mount of the descriptor; recursive 1 adds AT_RECURSIVE. propagation is MS_SHARED, MS_SLAVE, MS_PRIVATE, MS_UNBINDABLE or 0.",
    {
      mount: "slot",
      set: "u64",
      clear: "u64",
      propagation: "u32",
      recursive: "u32",
    },
  ),
  parent_propagation: op(
    "mount_setattr(2) of the propagation, not recursive, on the mount that the folder lies in: `..` is opened until statx(2) says STATX_ATTR_MOUNT_ROOT.",
    { folder: "slot", propagation: "u32" },
  ),
  root_propagation: op("mount_setattr(2) on `/` of the current namespace.", { propagation: "u32", recursive: "u32" }),
  move_mount: op("move_mount(2) of a detached mount onto the target descriptor, empty paths on both sides.", {
    mount: "slot",
    target: "slot",
  }),
  bind_new: op(
    "Makes the folder `name` in the top folder of a mount that is new, and binds the source there: mkdirat(2), open_tree(2) with OPEN_TREE_CLONE|AT_RECURSIVE, mount_setattr(2) unless set and clear are 0, move_mount(2), for which a symlink is no folder.",
    { folder: "slot", name: "string", source: "string", set: "u64", clear: "u64" },
  ),
  read_only_path: op(
    "In root, when it exists: a recursive clone of the path mounted on it, read-only (recursively) and otherwise with the attributes it has. Missing: nothing.",
    { root: "slot", path: "string" },
  ),
  mask_path: op(
    "In root, when it exists: a folder is covered by a clone of `folder`, anything else by a clone of `file`; where they are attached nowhere yet, they are themselves moved there first (before Linux 6.15 a detached mount cannot be cloned). Missing: nothing. That it vanishes in between is an error.",
    { root: "slot", path: "string", file: "slot", folder: "slot" },
  ),
  pivot_root: op(
    'fchdir to the slot, pivot_root(".", "."), old root made slave recursively and detached, chdir to /.',
    { root: "slot" },
  ),
  move_root: op(
    'For --no-pivot: detaches every procfs and sysfs mount outside the new root, move_mount of the root onto /, chroot("."), chdir to /.',
    { root: "slot" },
  ),
  change_root: op(
    'fchdir to the slot, chroot("."), chdir to /. Without a mount namespace the last root is mounted nowhere: its mounts end with the last process in it.',
    { root: "slot" },
  ),

  // --- terminal and standard streams ----------------------------------------------------------------------------
  open_pty: op(
    "Opens `ptmx` beneath the devpts slot (O_NOFOLLOW; devpts magic checked), unlocks it, TIOCGPTPEER; sets the size unless both are 0.",
    {
      master: "out",
      peer: "out",
      devpts: "slot",
      rows: "u32",
      columns: "u32",
    },
  ),
  send_pty: op(
    "Sends the master over the socket: payload `/dev/pts/N`, SCM_RIGHTS. The runtime's sync socket is not used for it.",
    { socket: "slot", master: "slot" },
  ),
  use_as_stdio: op("dup3 of the slot onto 0, 1 and 2.", { fd: "slot" }),
  controlling_tty: op("ioctl(0, TIOCSCTTY).", {}),
  replace_null_stdio: op(
    "Each of 0, 1, 2 that is the null device (1:3) is replaced by the null device that the O_PATH slot is, opened O_RDWR through /proc/self/fd, which must be procfs. The slot is EINVAL when it is anything else: that is never opened.",
    { null: "slot" },
  ),
  chown_stdio: op(
    "fchown(uid, -1) of 0, 1, 2 unless it is the null device or already uid's; EINVAL, EPERM and EROFS are ignored as in runc.",
    { uid: "u32" },
  ),

  // --- the end --------------------------------------------------------------------------------------------------
  chdir: op(
    "chdir(2), then the raw getcwd(2) path must begin with `/` (CVE-2024-21626), else ENOENT. `optional` 1: EACCES is left to a later chdir; where it worked, the later chdir only repeats the check.",
    { path: "string", optional: "u32" },
  ),
  cloexec_from: op("close_range(first, ~0, CLOSE_RANGE_CLOEXEC).", { first: "u32" }),
  hook: op(
    "Runs a hook here: fork, exec with args and env, stdin is `before` + this process's pid + `after`, stdout and stderr kept (first bytes) as detail. Killed after `timeout` ms (0: none). A failure is ECHILD with the exit status in `value`, or the negative signal number, ETIMEDOUT, or exec's errno.",
    { path: "string", args: "strings", env: "strings", before: "data", after: "data", timeout: "u32" },
  ),
  find_executable: op(
    "Looks args[0] up in `path` (a PATH value; an empty part is the cwd), or relative to the cwd when it has a slash: a regular file that may be executed. A name with a slash fails with its own errno (EACCES when it may not be executed or is a folder), any other with ENOENT, as in Go's LookPath. Kept for `execute`.",
    { name: "string", path: "string" },
  ),
  home: op(
    "When env lacks HOME: HOME from the uid's line of /etc/passwd (a regular file, O_NONBLOCK, at most 1 MiB read, lines over 4 KiB skipped), else `/`; kept for `execute`, where it replaces an empty HOME.",
    {
      uid: "u32",
    },
  ),
  execute: op(
    "execve of what find_executable found, with args, env and the HOME that `home` kept. Descriptors that are CLOEXEC close; EOF on the start pipe tells success.",
    {
      args: "strings",
      env: "strings",
    },
  ),

  // --- exec -----------------------------------------------------------------------------------------------------------
  affinity: op("sched_setaffinity(0) to a mask of CPUs, the lowest 32 first.", { cpus: "words" }),
} as const satisfies Record<string, Op>;

export type OpName = keyof typeof OPS;
