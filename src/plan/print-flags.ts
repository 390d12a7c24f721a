// Numbers of operands as the names that headers and config.json have for them.

import { capabilitiesOf } from "../tables/capabilities.ts";
import * as linux from "../tables/linux.ts";
import { MOUNT_ATTR, PROPAGATION } from "../tables/mount-options.ts";
import { personalityDomain } from "../tables/personality.ts";
import { rlimitName } from "../tables/rlimits.ts";
import { schedulerFlagsOf, schedulerPolicyName } from "../tables/scheduler.ts";
import { BARRIER } from "./protocol.ts";

type Names = readonly (readonly [number, string])[];

/** The names of the bits that are set; bits without a name as one hexadecimal number. */
function names(value: number, table: Names): string[] {
  const found: string[] = [];
  let rest = value;
  for (const [bits, name] of table) {
    if ((rest & bits) !== bits) continue;
    found.push(name);
    rest &= ~bits;
  }
  if (rest !== 0) found.push(`0x${(rest >>> 0).toString(16)}`);
  return found;
}

const CLONE: Names = [
  [linux.CLONE_NEWUSER, "CLONE_NEWUSER"],
  [linux.CLONE_NEWNS, "CLONE_NEWNS"],
  [linux.CLONE_NEWPID, "CLONE_NEWPID"],
  [linux.CLONE_NEWNET, "CLONE_NEWNET"],
  [linux.CLONE_NEWIPC, "CLONE_NEWIPC"],
  [linux.CLONE_NEWUTS, "CLONE_NEWUTS"],
  [linux.CLONE_NEWCGROUP, "CLONE_NEWCGROUP"],
  [linux.CLONE_NEWTIME, "CLONE_NEWTIME"],
];
export const cloneFlags = (value: number): string[] => names(value, CLONE);

const ATTRIBUTES: Names = [
  [MOUNT_ATTR.RDONLY, "ro"],
  [MOUNT_ATTR.NOSUID, "nosuid"],
  [MOUNT_ATTR.NODEV, "nodev"],
  [MOUNT_ATTR.NOEXEC, "noexec"],
  [MOUNT_ATTR._ATIME, "atime"],
  [MOUNT_ATTR.NOATIME, "noatime"],
  [MOUNT_ATTR.STRICTATIME, "strictatime"],
  [MOUNT_ATTR.NODIRATIME, "nodiratime"],
  [MOUNT_ATTR.NOSYMFOLLOW, "nosymfollow"],
  [MOUNT_ATTR.IDMAP, "idmap"],
];
export const attributes = (value: number): string[] => names(value, ATTRIBUTES);

export const propagation = (value: number): string[] =>
  names(
    value,
    Object.entries(PROPAGATION).map(([name, flag]) => [flag, name] as const),
  );

const OPEN: Names = [
  [linux.O_PATH, "O_PATH"],
  [linux.O_DIRECTORY, "O_DIRECTORY"],
  [linux.O_NOFOLLOW, "O_NOFOLLOW"],
  [linux.O_NOCTTY, "O_NOCTTY"],
  [linux.O_RDWR, "O_RDWR"],
  [linux.O_WRONLY, "O_WRONLY"],
];
export const openFlags = (value: number): string[] => names(value, OPEN);

const RESOLVE: Names = [
  [linux.RESOLVE_IN_ROOT, "RESOLVE_IN_ROOT"],
  [linux.RESOLVE_BENEATH, "RESOLVE_BENEATH"],
  [linux.RESOLVE_NO_XDEV, "RESOLVE_NO_XDEV"],
  [linux.RESOLVE_NO_SYMLINKS, "RESOLVE_NO_SYMLINKS"],
  [linux.RESOLVE_NO_MAGICLINKS, "RESOLVE_NO_MAGICLINKS"],
];
export const resolveFlags = (value: number): string[] => names(value, RESOLVE);

const OPEN_TREE: Names = [
  [linux.OPEN_TREE_CLONE, "OPEN_TREE_CLONE"],
  [linux.AT_RECURSIVE, "AT_RECURSIVE"],
  [linux.AT_SYMLINK_NOFOLLOW, "AT_SYMLINK_NOFOLLOW"],
];
export const openTreeFlags = (value: number): string[] => names(value, OPEN_TREE);

/** 020666 is ["S_IFCHR", "0666"]. */
export function fileMode(value: number): string[] {
  const type = value & 0o170000;
  const permissions = `0${(value & 0o7777).toString(8).padStart(3, "0")}`;
  const name = type === linux.S_IFCHR ? "S_IFCHR" : type === linux.S_IFBLK ? "S_IFBLK" : "S_IFIFO";
  return type === 0 ? [permissions] : [name, permissions];
}

export const capabilities = (mask: bigint): string[] => capabilitiesOf(mask);
export const resource = (value: number): string => rlimitName(value) ?? String(value);
export const schedulerPolicy = (value: number): string => schedulerPolicyName(value) ?? String(value);
export const schedulerFlags = (mask: number): string[] => schedulerFlagsOf(mask);
export const persona = (value: number): string => personalityDomain(value) ?? String(value);

const FILTER: Names = [
  [1 << 1, "SECCOMP_FILTER_FLAG_LOG"],
  [1 << 2, "SECCOMP_FILTER_FLAG_SPEC_ALLOW"],
  [1 << 3, "SECCOMP_FILTER_FLAG_NEW_LISTENER"],
  [1 << 5, "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"],
];
export const filterFlags = (value: number): string[] => names(value, FILTER);

/** "infinity" for no limit. */
export const limit = (value: bigint): string => (value === 0xffffffffffffffffn ? "infinity" : value.toString());

export function barrier(value: number): string {
  return Object.entries(BARRIER).find(([, number]) => number === value)?.[0] ?? String(value);
}

export function fileSystem(magic: number): string {
  return magic === linux.PROC_SUPER_MAGIC ? "procfs" : `0x${magic.toString(16)}`;
}
