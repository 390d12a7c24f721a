// Kernel constants of the operations, named as in the kernel's headers (linux/sched.h, fcntl.h, mount.h, openat2.h, magic.h, stat.h).

export const CLONE_NEWTIME = 0x80;
export const CLONE_NEWNS = 0x20000;
export const CLONE_NEWCGROUP = 0x2000000;
export const CLONE_NEWUTS = 0x4000000;
export const CLONE_NEWIPC = 0x8000000;
export const CLONE_NEWUSER = 0x10000000;
export const CLONE_NEWPID = 0x20000000;
export const CLONE_NEWNET = 0x40000000;

export const O_RDONLY = 0;
export const O_WRONLY = 0o1;
export const O_RDWR = 0o2;
export const O_NOCTTY = 0o400;
/** As on x86; arm has other numbers for these two. */
export const O_DIRECTORY = 0o200000;
export const O_NOFOLLOW = 0o400000;
export const O_PATH = 0o10000000;

export const OPEN_TREE_CLONE = 0x1;
export const AT_SYMLINK_NOFOLLOW = 0x100;
export const AT_RECURSIVE = 0x8000;

export const RESOLVE_NO_XDEV = 0x1;
export const RESOLVE_NO_MAGICLINKS = 0x2;
export const RESOLVE_NO_SYMLINKS = 0x4;
export const RESOLVE_BENEATH = 0x8;
export const RESOLVE_IN_ROOT = 0x10;

export const PROC_SUPER_MAGIC = 0x9fa0;
export const RDTGROUP_SUPER_MAGIC = 0x7655821;
export const TMPFS_MAGIC = 0x1021994;

export const S_IFIFO = 0o10000;
export const S_IFCHR = 0o20000;
export const S_IFBLK = 0o60000;

export const RLIMIT_NOFILE = 7;
