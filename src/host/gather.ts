// Looks at the host once, before the plan is compiled: kernel, ids, limits and cgroups.

import type { Config } from "../config/types.ts";
import { RuntimeError } from "../errors/runtime-error.ts";
import { loaded } from "../lazy.ts";
import type { CgroupFacts, HostFacts } from "./facts.ts";
import { gatherCgroups } from "./gather-cgroups.ts";
import { must } from "./must.ts";
import type { Native } from "./native.gen.ts";

const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
/** mount_setattr(2), cgroup.kill and CLOSE_RANGE_CLOEXEC are all there from this version on. */
const OLDEST = { major: 5, minor: 15 } as const;

/**
 * Throws RuntimeError when the kernel is too old or /proc is not there. `mode`: of cgroups, where that is known already.
 * `userNamespace`: this process is root of a user namespace only.
 */
export function gatherFacts(
  native: Native,
  config: Config,
  mode?: CgroupFacts["mode"],
  userNamespace = false,
): HostFacts {
  const kernel = kernelVersion(must(native.kernel_release(), { operation: "uname" }) as string);
  const { process, linux } = config;
  const labels = process.apparmorProfile ?? process.selinuxLabel ?? linux.mountLabel;
  const ids = must(native.ids(), { operation: "getuid" }) as number[];
  return {
    kernel,
    euid: ids[1] as number,
    egid: ids[3] as number,
    cgroup: gatherCgroups(native, mode),
    kcore: typeof native.stat(AT_FDCWD, "/proc/kcore", AT_SYMLINK_NOFOLLOW) !== "number",
    rlimits: limits(native, config),
    ...(userNamespace ? loaded(import("./gather-namespace.ts")).gatherNamespace(native) : undefined),
    ...(linux.intelRdt === undefined ? undefined : resctrlFacts(native)),
    ...(labels === undefined ? undefined : loaded(import("./gather-lsm.ts")).gatherLsm(native, config)),
  };
}

function resctrlFacts(native: Native): Pick<HostFacts, "resctrl"> {
  const resctrl = loaded(import("./gather-resctrl.ts")).gatherResctrl(native);
  return resctrl === undefined ? {} : { resctrl };
}

/** "6.1.0-18-amd64" is [6, 1]. */
export function kernelVersion(release: string): [number, number] {
  const dot = release.indexOf(".");
  const major = Number.parseInt(release, 10);
  const minor = Number.parseInt(release.slice(dot + 1), 10);
  if (dot < 1 || Number.isNaN(major) || Number.isNaN(minor)) {
    throw new RuntimeError({ message: `the kernel calls itself ${JSON.stringify(release)}, which is no version` });
  }
  if (major < OLDEST.major || (major === OLDEST.major && minor < OLDEST.minor)) {
    throw new RuntimeError({
      message: `Linux ${release} is too old: Berth needs ${OLDEST.major}.${OLDEST.minor} or newer`,
    });
  }
  return [major, minor];
}

const HIGH = 0x100000000n;

function limits(native: Native, config: Config): HostFacts["rlimits"] {
  const found = new Map<number, { soft: bigint; hard: bigint }>();
  for (const { resource } of config.process.rlimits) {
    const words = must(native.rlimit(resource), { operation: "getrlimit", pointer: "/process/rlimits" }) as number[];
    const value = (at: number): bigint => BigInt(words[at] as number) + BigInt(words[at + 1] as number) * HIGH;
    found.set(resource, { soft: value(0), hard: value(2) });
  }
  return found;
}
