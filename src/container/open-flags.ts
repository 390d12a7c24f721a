// open(2) flags and errno numbers that the state folder needs.

export const AT_FDCWD = -100;
export const AT_REMOVEDIR = 0x200;
export const AT_SYMLINK_NOFOLLOW = 0x100;
export const AT_EMPTY_PATH = 0x1000;

export const O_RDONLY = 0;
export const O_WRONLY = 1;
export const O_CREAT = 0o100;
export const O_EXCL = 0o200;
export const O_APPEND = 0o2000;
export const O_NONBLOCK = 0o4000;
export const O_SYNC = 0o4010000;
/** x86_64's values; aarch64 swaps these two pairs with O_DIRECT and O_LARGEFILE. */
export const O_DIRECTORY = 0o200000;
export const O_NOFOLLOW = 0o400000;

export const ENOENT = 2;
export const ESRCH = 3;
export const EINTR = 4;
export const EBUSY = 16;
export const EEXIST = 17;
export const ENODEV = 19;
export const ENOTDIR = 20;
export const EISDIR = 21;
export const EINVAL = 22;
export const EFBIG = 27;
export const ENOTEMPTY = 39;

export const S_IFMT = 0o170000;
export const S_IFDIR = 0o040000;
