// Linux security modules: process.apparmorProfile, process.selinuxLabel, linux.mountLabel. The process gets profile and
// label by its next exec: what init writes says which.

import { RuntimeError } from "../errors/runtime-error.ts";
import type { Compilation } from "./compilation.ts";
import { openProcfs, writeAttribute } from "./procfs.ts";

const PROFILE = "/process/apparmorProfile";
const LABEL = "/process/selinuxLabel";
const MOUNT_LABEL = "/linux/mountLabel";
const NO_SELINUX = "selinux label is specified in config, but selinux is disabled or not supported";

/** What the process shall have and the kernel does not is refused before anything is done, in runc's words. */
export function checkLsm({ config: { process }, options: { facts } }: Compilation): void {
  if (process.apparmorProfile !== undefined && facts.apparmor !== true) {
    throw new RuntimeError({ message: "apparmor: config provided but apparmor not supported", pointer: PROFILE });
  }
  if (process.selinuxLabel !== undefined && facts.selinux !== true) {
    throw new RuntimeError({ message: NO_SELINUX, pointer: LABEL });
  }
}

/** Makes a key ring with the process's label between the two. */
export function labelKeyring(c: Compilation, joinKeyring: () => void): void {
  const label = c.config.process.selinuxLabel;
  if (label === undefined) {
    joinKeyring();
    return;
  }
  openProcfs(c, LABEL);
  c.ops.at(LABEL, label);
  writeAttribute(c, "keycreate", label);
  joinKeyring();
  c.ops.at(LABEL);
  writeAttribute(c, "keycreate", "");
}

/** Whether the profile or the label is still to be written, through the procfs that is opened before pivot_root. */
export function needsAttributes({ config: { process } }: Compilation): boolean {
  return process.apparmorProfile !== undefined || process.selinuxLabel !== undefined;
}

/**
 * As aa_change_onexec(3). Before no_new_privs, as in runc; the kernel looks at both at the exec. AppArmor has a folder of
 * its own among the attributes since Linux 5.8: the files beside it belong to the module that comes first.
 */
export function applyProfile(c: Compilation): void {
  const profile = c.config.process.apparmorProfile;
  if (profile === undefined) return;
  c.ops.at(PROFILE, profile);
  writeAttribute(c, "apparmor/exec", `exec ${profile}`);
}

/** As setexeccon(3). Before a seccomp filter that may forbid it, after the last thing that init does for itself. */
export function labelProcess(c: Compilation): void {
  const label = c.config.process.selinuxLabel;
  if (label === undefined) return;
  c.ops.at(LABEL, label);
  writeAttribute(c, "exec", label);
}

const NOTHING: readonly string[] = [];

/** A label for mounts that no kernel looks at is left out with a warning, as in crun. */
export function checkMountLabel({ config, options: { facts }, steps }: Compilation): void {
  if (config.linux.mountLabel === undefined || facts.selinux === true) return;
  steps.push({
    step: "ignore field",
    reason: "SELinux is disabled or not supported",
    origin: { pointer: MOUNT_LABEL },
  });
}

/** The parameter of a new file system whose files shall all have linux.mountLabel: none or one. */
export function labelParameters(c: Compilation): readonly string[] {
  const label = c.config.linux.mountLabel;
  return label === undefined || c.options.facts.selinux !== true ? NOTHING : [`context=${label}`];
}

/** mqueue cannot be mounted with a label: its root gets one. */
export function labelMount(c: Compilation, mount: number): void {
  const label = c.config.linux.mountLabel;
  if (label === undefined || c.options.facts.selinux !== true) return;
  c.ops.at(MOUNT_LABEL, label).label(mount, label);
}
