// Which compiler and flags make which kind of output.

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { DIST } from "./paths.ts";

export interface Toolchain {
  cc: string;
  /** For our own C. */
  ours: readonly string[];
  /** For QuickJS. */
  quickJs: readonly string[];
  link: readonly string[];
  /** The executable gets a heap image. */
  image?: true;
}

const GCC = process.env.CC ?? "gcc";

/** Where csrc/engine/image.h keeps what boot leaves: two pages for variables, then the heap. */
export const IMAGE_START = 0x1000_0000;
/** The bytecode of what the image holds loaded; only the build needs it. */
export const PRELOADED_START = 0x1800_0000;
const IMAGE = [
  `-Wl,--section-start=image=0x${IMAGE_START.toString(16)}`,
  `-Wl,--section-start=imageheap=0x${(IMAGE_START + 0x2000).toString(16)}`,
  `-Wl,--section-start=preloaded=0x${PRELOADED_START.toString(16)}`,
];

/**
 * The executable. musl, because a static glibc asks the processor some forty times for its features before main, each a
 * trap in a virtual machine: 0.28 of 0.40 ms of an empty program where this was measured; musl's takes 0.126 ms. Static
 * non-PIE starts faster than PIE: there is nothing to relocate. CMSG_NXTHDR of musl's headers converts signs; libberth.so
 * is compiled with that warning.
 */
export function release(): Toolchain {
  const ours = ["-O2", "-fno-pie", "-idirafter", kernelHeaders()];
  return {
    cc: process.env.MUSL_CC ?? "musl-gcc",
    ours: [...ours, "-Wno-sign-conversion"],
    quickJs: ["-O2", "-fno-pie"],
    link: [
      "-static",
      "-no-pie",
      "-s",
      "-Wl,--gc-sections",
      "-Wl,--build-id=none",
      "-Wl,-z,noseparate-code",
      ...IMAGE,
      "-lm",
    ],
    image: true,
  };
}

const ADDRESS = ["-g", "-O1", "-fsanitize=address", "-fno-omit-frame-pointer"];
const SANITIZE = [...ADDRESS, "-fsanitize=undefined", "-fno-sanitize-recover=all"];

/** Undefined behaviour is looked for in our own C only. */
export const SANITIZED: Toolchain = { cc: GCC, ours: SANITIZE, quickJs: ADDRESS, link: [...SANITIZE, "-lm"] };

/** libberth.so: Node's own C library is glibc. Only the functions of the ABI are visible. */
export const SHARED: Toolchain = {
  cc: GCC,
  ours: ["-O2", "-fPIC", "-fvisibility=hidden"],
  quickJs: [],
  link: ["-shared", "-s", "-Wl,--gc-sections", "-Wl,-z,now", "-Wl,-z,defs"],
};

/** init: no libc, no start files, nothing to relocate, as few pages as possible: a waiting init keeps what it touched. */
export const FREESTANDING: Toolchain = {
  cc: GCC,
  ours: [
    "-Os",
    "-ffreestanding",
    "-fno-pie",
    "-fno-stack-protector",
    "-fno-asynchronous-unwind-tables",
    "-fno-builtin",
    "-fcf-protection=none",
  ],
  quickJs: [],
  link: [
    "-static",
    "-no-pie",
    "-nostdlib",
    "-s",
    "-Wl,--gc-sections",
    "-Wl,--build-id=none",
    "-Wl,-z,noseparate-code",
    "-Wl,-z,norelro",
    "-Wl,-z,noexecstack",
  ],
};

/** The kernel's headers alone: musl-gcc does not look into /usr/include, where they lie beside glibc's. */
function kernelHeaders(): string {
  const folder = join(DIST, "obj/kernel-headers");
  if (existsSync(join(folder, "asm/unistd.h"))) return folder;
  const multiarch = execFileSync(GCC, ["-print-multiarch"], { encoding: "utf8" }).trim();
  const asm = [`/usr/include/${multiarch}/asm`, "/usr/include/asm"].find((path) => existsSync(path));
  if (asm === undefined) throw new Error("the kernel's headers (linux-libc-dev) are missing");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const name of ["linux", "asm-generic"]) symlinkSync(join("/usr/include", name), join(folder, name));
  symlinkSync(asm, join(folder, "asm"));
  return folder;
}
