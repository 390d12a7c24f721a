// THE native ABI: every C function that TypeScript may call. The engine's glue (C), the koffi binding and the
// `Native` interface are generated from this table; csrc/host implements it. Nothing else crosses the border.
//
// Arguments
//   int    a number; C gets int64_t (flags, descriptors, modes, ids; -1 stands for "none")
//   path   a string that becomes a C string: `const char *`. A NUL inside is refused with -EINVAL by the binding.
//   text   a string of any bytes: `const char *, size_t`
//   texts  string[]: `const char *const *` ending in NULL, `size_t` count. A NUL inside is refused with -EINVAL.
//   words  Uint32Array, not copied: `const uint32_t *, size_t`
// Results: C returns int64_t; a negative value is -errno and reaches TypeScript as that negative number.
//   int    the value itself
//   ints   number[]; C leaves int64_t values in the result buffer (result_int) and returns 0
//   text   string; C leaves bytes in the result buffer (result_bytes) and returns 0
// Strings are UTF-8; a byte that is not valid UTF-8 is U+DC80 + (byte - 0x80) in TypeScript, both ways.
// Every descriptor that a function returns is CLOEXEC. EINTR is retried inside C, except by `poll`.

export type ArgType = "int" | "path" | "text" | "texts" | "words";
export type ResultType = "int" | "ints" | "text";

export interface NativeFunction {
  readonly args: Readonly<Record<string, ArgType>>;
  readonly result: ResultType;
  /** What it does; becomes the doc comment on every side. */
  readonly doc: string;
}

const f = <const A extends Readonly<Record<string, ArgType>>, const R extends ResultType>(
  args: A,
  result: R,
  doc: string,
): { readonly args: A; readonly result: R; readonly doc: string } => ({ args, result, doc });

export const NATIVE = {
  // --- files; `dir` is a directory descriptor or AT_FDCWD (-100) -------------------------------------------------
  open: f({ dir: "int", path: "path", flags: "int", mode: "int" }, "int", "openat(2); O_CLOEXEC is added."),
  open_in_root: f(
    { dir: "int", path: "path", flags: "int", mode: "int", resolve: "int" },
    "int",
    "openat2(2) with the given RESOLVE_ flags; O_CLOEXEC is added; EAGAIN is retried a bounded number of times.",
  ),
  close: f({ fd: "int" }, "int", "close(2)."),
  read: f({ fd: "int", max: "int" }, "text", "One read(2) of at most `max` bytes; empty at the end of the file."),
  read_all: f(
    { fd: "int", max: "int" },
    "text",
    "read(2) to the end of a file, pipe or socket; longer than `max`: -EFBIG.",
  ),
  write: f({ fd: "int", data: "text" }, "int", "write(2) until everything is written; the number of bytes."),
  read_file: f(
    { dir: "int", path: "path", max: "int" },
    "text",
    "A whole file, opened O_NONBLOCK|O_NOCTTY, below a directory descriptor O_NOFOLLOW too. Regular files (those of procfs, sysfs, cgroupfs too) only: else -EINVAL, a directory -EISDIR; longer than `max`: -EFBIG.",
  ),
  write_file: f(
    { dir: "int", path: "path", flags: "int", mode: "int", data: "text" },
    "int",
    "openat(flags|O_CLOEXEC, mode), one write(2) of everything (a short one is -EIO), close. For cgroup, procfs and state files.",
  ),
  mkdir: f({ dir: "int", path: "path", mode: "int" }, "int", "mkdirat(2), exact mode (umask does not apply)."),
  mkfifo: f({ dir: "int", path: "path", mode: "int" }, "int", "mkfifoat(3), exact mode."),
  unlink: f({ dir: "int", path: "path", flags: "int" }, "int", "unlinkat(2); flags 0x200 (AT_REMOVEDIR) for folders."),
  rename: f({ dir: "int", from: "path", to: "path" }, "int", "renameat(2) inside `dir`."),
  chmod: f({ fd: "int", mode: "int" }, "int", "fchmod(2)."),
  chown: f({ fd: "int", uid: "int", gid: "int" }, "int", "fchown(2); -1 keeps."),
  stat: f(
    { dir: "int", path: "path", flags: "int" },
    "ints",
    "fstatat(2): [mode, uid, gid, size, rdev major, rdev minor, dev major, dev minor, ino, mtime s]. AT_SYMLINK_NOFOLLOW 0x100, AT_EMPTY_PATH 0x1000.",
  ),
  statfs_type: f(
    { dir: "int", path: "path" },
    "int",
    "f_type of statfs(2) on the opened path; an empty path means `dir` itself.",
  ),
  readlink: f({ dir: "int", path: "path" }, "text", "readlinkat(2)."),
  list_dir: f(
    { dir: "int", path: "path" },
    "text",
    "Names of a directory without . and .., each followed by a NUL byte.",
  ),
  access: f(
    { dir: "int", path: "path", mode: "int" },
    "int",
    "faccessat2(2) with the effective ids: R_OK 4, W_OK 2, X_OK 1.",
  ),
  flock: f({ fd: "int", operation: "int" }, "int", "flock(2)."),
  fd_flags: f({ fd: "int" }, "int", "fcntl(F_GETFD): tells whether a descriptor is open."),
  getcwd: f({}, "text", "The raw getcwd(2) path; an unreachable one is -ENOENT."),
  chdir: f({ path: "path" }, "int", "chdir(2)."),

  // --- this process ---------------------------------------------------------------------------------------------
  getpid: f({}, "int", "getpid(2)."),
  ids: f({}, "ints", "[uid, euid, gid, egid]."),
  groups: f({}, "ints", "getgroups(2)."),
  environ: f({}, "text", "The environment, each NAME=value followed by a NUL byte."),
  kernel_release: f({}, "text", "uname(2) release."),
  clock: f({}, "ints", "CLOCK_REALTIME: [seconds, nanoseconds]."),
  monotonic: f({}, "int", "CLOCK_MONOTONIC in milliseconds."),
  set_subreaper: f({}, "int", "PR_SET_CHILD_SUBREAPER 1."),
  umask: f({ mode: "int" }, "int", "umask(2); the old one."),
  capabilities: f(
    {},
    "ints",
    "capget(2) of this thread: [effective low, effective high, permitted low, permitted high]; bounding by prctl appended [low, high].",
  ),

  // --- processes and signals ------------------------------------------------------------------------------------
  pidfd_open: f({ pid: "int" }, "int", "pidfd_open(2)."),
  pidfd_kill: f({ pidfd: "int", signal: "int" }, "int", "pidfd_send_signal(2)."),
  pidfd_getfd: f(
    { pidfd: "int", fd: "int" },
    "int",
    "pidfd_getfd(2): a copy of that process's descriptor `fd`, CLOEXEC as the kernel makes it.",
  ),
  kill: f({ pid: "int", signal: "int" }, "int", "kill(2)."),
  wait_child: f(
    { pid: "int", flags: "int" },
    "ints",
    "waitid(2) P_PID (pid > 0) or P_ALL (pid -1), flags|WEXITED: [pid, si_code, si_status]; [0, 0, 0] with WNOHANG when none is ready.",
  ),
  peek_child: f(
    {},
    "int",
    "The pid of a child that has ended and is not reaped yet (waitid WNOHANG|WNOWAIT), 0 when there is none.",
  ),
  signal_fd: f(
    { signals: "words" },
    "int",
    "Blocks the given signals and returns a signalfd(2) for them, SFD_NONBLOCK. The mask from before is what `spawn`ed processes and hooks never see: they start with an empty one.",
  ),
  eventfd: f(
    {},
    "int",
    "eventfd(2) with the counter 0, EFD_NONBLOCK: `read` gives its 8 bytes, -EAGAIN while it is 0.",
  ),
  read_signal: f({ fd: "int" }, "int", "The next signal number from a signalfd; -EAGAIN when there is none."),
  poll: f(
    { fds: "words", events: "words", timeout: "int" },
    "ints",
    "poll(2): revents of each. timeout in ms, -1 for ever. -EINTR is reported.",
  ),
  poll_here: f(
    { fds: "words", events: "words" },
    "ints",
    "As poll for ever, on the processor that this thread is on: for a short wait for somebody who goes on at another one. The kernel takes a write to a socket for the writer's last act and would wake this thread there, where one of both has to wait.",
  ),

  // --- pipes, sockets, terminals --------------------------------------------------------------------------------
  pipe: f({}, "ints", "pipe2(O_CLOEXEC): [read end, write end]."),
  fill_pipe: f(
    { fd: "int" },
    "int",
    "Fills a FIFO or pipe with zero bytes until it is full and leaves it blocking; the number of bytes. See the start protocol in docs/architecture.md.",
  ),
  socketpair: f({}, "ints", "socketpair(AF_UNIX, SOCK_SEQPACKET): [ours, theirs]."),
  connect: f(
    { path: "path", timeout: "int" },
    "int",
    "A connected AF_UNIX SOCK_STREAM socket, for a peer that may not answer: connect(2) and every later write to the socket fail with -EAGAIN after `timeout` ms. Paths longer than sun_path work.",
  ),
  connect_within: f(
    { address: "text", timeout: "int" },
    "int",
    "As connect; a leading NUL makes it an abstract address.",
  ),
  connect_datagram: f(
    { address: "text", timeout: "int" },
    "int",
    "As connect_within, SOCK_DGRAM: each later write to the socket is one datagram.",
  ),
  bind_datagram: f(
    { dir: "int", name: "path", mode: "int" },
    "int",
    "A SOCK_DGRAM socket, SOCK_NONBLOCK, bound to `name` in `dir` with that exact mode.",
  ),
  route_socket: f(
    { namespace: "int" },
    "int",
    "A socket of NETLINK_ROUTE in that network namespace (-1: our own), with errors in the kernel's words. `detail` names the call that failed.",
  ),
  send_fd: f(
    { socket: "int", data: "text", fd: "int" },
    "int",
    "One sendmsg(2) with the bytes and SCM_RIGHTS of fd (none when -1).",
  ),
  send_words: f(
    { socket: "int", words: "words" },
    "int",
    "One send(2) of the words as they lie in memory, without SIGPIPE; the number of bytes.",
  ),
  receive_fd: f(
    { socket: "int" },
    "int",
    "Receives one message with SCM_RIGHTS of one descriptor and returns it; -EPIPE when the other side closed without sending one.",
  ),
  receive_report: f(
    { socket: "int" },
    "ints",
    "The next report of init (csrc/init/report.h): [kind, op, errno, value, descriptor or -1]; its detail text is in `detail`. [0, 0, 0, 0, -1] at the end of the stream. -EAGAIN never: it blocks.",
  ),
  drain_start: f(
    { pipe: "int", abort: "int" },
    "int",
    "Drains the start pipe (csrc/init/report.h) until init's byte: 1 when init goes on, 0 when it died before; -ECANCELED when the descriptor `abort` (-1 none) becomes readable first. One pipe a process.",
  ),
  receive_start: f(
    { pipe: "int", abort: "int" },
    "ints",
    "After drain_start: reads the start pipe to its end, which is when every write end is closed: [1 when init reported a failure else 0, op, errno, value]; a failure's text is in `detail`. `abort` as there.",
  ),
  send_go: f({ socket: "int", barrier: "int" }, "int", "Releases init from the barrier with that number."),
  detail: f(
    {},
    "text",
    "The text that belongs to the last failed call or received report (kernel's mount message, a hook's output); empty when none.",
  ),
  tty_raw: f({ fd: "int" }, "int", "Raw mode as cfmakeraw(3); the old settings are kept (one terminal)."),
  tty_restore: f({}, "int", "Puts the settings from before tty_raw back; 0 when there are none."),
  tty_size: f({ fd: "int" }, "ints", "TIOCGWINSZ: [rows, columns]."),
  tty_set_size: f({ fd: "int", rows: "int", columns: "int" }, "int", "TIOCSWINSZ."),
  isatty: f({ fd: "int" }, "int", "1 or 0."),

  // --- containers -----------------------------------------------------------------------------------------------
  ns_type: f({ fd: "int" }, "int", "NS_GET_NSTYPE of a namespace file: its CLONE_NEW flag."),
  ns_owner: f(
    { fd: "int" },
    "int",
    "NS_GET_USERNS of a namespace file: the user namespace that owns it; -EPERM when that is above this process's own.",
  ),
  user_namespace: f(
    { uids: "text", gids: "text" },
    "int",
    "A new user namespace that nobody is in, with these lines as uid_map and gid_map: what an idmapped mount needs. `detail` names the file that the kernel refused.",
  ),
  user_namespace_maps: f(
    { namespace: "int" },
    "text",
    "uid_map, a NUL byte and gid_map of a user namespace, as this process's own user namespace sees them.",
  ),
  idmapped_mount: f(
    { pidfd: "int", path: "path", flags: "int", namespace: "int", recursive: "int" },
    "int",
    "A detached clone of an absolute path, as open_tree(OPEN_TREE_CLONE|flags) makes it in the mount namespace of the process but with this process's credentials, with the ids of the user namespace (mount_setattr, MOUNT_ATTR_IDMAP; AT_RECURSIVE when `recursive` is 1) unless that is -1. `detail` names the call that failed.",
  ),
  prlimit: f(
    { pid: "int", resource: "int", softLow: "int", softHigh: "int", hardLow: "int", hardHigh: "int" },
    "int",
    "prlimit64(2); each 64-bit value in two unsigned 32-bit halves.",
  ),
  rlimit: f({ resource: "int" }, "ints", "This process's limit: [soft low, soft high, hard low, hard high]."),
  bpf_load_device: f(
    { instructions: "words" },
    "int",
    "bpf(BPF_PROG_LOAD, BPF_PROG_TYPE_CGROUP_DEVICE), two words an instruction; the verifier's last words are in `detail`.",
  ),
  bpf_attach_device: f(
    { cgroup: "int", program: "int", flags: "int", replaced: "int" },
    "int",
    "bpf(BPF_PROG_ATTACH, BPF_CGROUP_DEVICE, flags); with `replaced` (-1: none) BPF_F_REPLACE of that attached program.",
  ),
  bpf_detach_device: f({ cgroup: "int", program: "int" }, "int", "bpf(BPF_PROG_DETACH, BPF_CGROUP_DEVICE)."),
  bpf_device_programs: f(
    { cgroup: "int" },
    "ints",
    "bpf(BPF_PROG_QUERY, BPF_CGROUP_DEVICE): [the attach flags, then the id of each program of this very cgroup].",
  ),
  bpf_program_id: f({ program: "int" }, "int", "The id of a loaded program (bpf(BPF_OBJ_GET_INFO_BY_FD))."),
  bpf_open_program: f({ id: "int" }, "int", "bpf(BPF_PROG_GET_FD_BY_ID): a descriptor of the loaded program."),
  spawn_begin: f(
    { sync: "int", base: "int", flags: "int", cgroup: "int", rootless: "int", background: "int" },
    "int",
    "Begins to start init from a sealed memfd by clone3(CLONE_VM|CLONE_VFORK|CLONE_PIDFD|flags). sync becomes descriptor base of init; those below base are inherited as they are. cgroup: a v2 directory for CLONE_INTO_CGROUP or -1. background: a thread does it (not in the Node host). sync and cgroup stay open until spawn_finish. See csrc/host/spawn.c.",
  ),
  spawn_finish: f(
    {},
    "ints",
    "Waits until init has been executed: [pid, pidfd]. Owed to every spawn_begin that gave 0; what failed is told here.",
  ),
  send_plan: f(
    { socket: "int", plan: "words", strings: "texts", fds: "words", rootless: "int" },
    "int",
    "Seals the plan into a memfd and sends it to init with the descriptors of its slots: fds[i] is for slot i, fds[0] and fds[1] count for nothing (sync socket and plan file). May be called before spawn_finish.",
  ),
  send_descriptors: f({ socket: "int", fds: "words" }, "int", "Sends init descriptors, for its op join_cgroups."),
  run_hook: f(
    { path: "path", args: "texts", env: "texts", input: "text", timeout: "int", abort: "int" },
    "ints",
    "Runs a program of the runtime namespace to its end: input on stdin, stdout and stderr kept (first 1 KiB) in `detail`, timeout in ms (-1 none), killed when the descriptor `abort` becomes readable (-1 none): [si_code, si_status, 0 ended|1 timed out|2 aborted].",
  ),
  run_program: f(
    { path: "path", args: "texts", env: "texts", max: "int" },
    "text",
    "Runs a program of the runtime namespace to its end, without input: its stdout and stderr together. -EFBIG, and it is killed, when they are longer than `max` bytes. `detail` tells of an end that is no success (`exit status 1`, `killed by signal 9`); empty otherwise.",
  ),
} as const satisfies Record<string, NativeFunction>;
