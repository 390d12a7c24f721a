// linux.seccomp. The filter is compiled while init mounts, sent to it, and loaded last: with noNewPrivileges runc does the
// same; without, runc loads it before it drops capabilities. Here only CAP_SYS_ADMIN is kept for it, so that fewer calls have to be allowed.

import type { Config } from "../config/types.ts";
import { flagBits } from "../seccomp/actions.ts";
import type { CompileOptions, Seccomp } from "../seccomp/types.ts";
import type { Compilation } from "./compilation.ts";
import { NONE } from "./protocol.ts";

/** Executables are built for it so far. */
const MACHINE = "SCMP_ARCH_X86_64";
const CAP_SYS_ADMIN = 1n << 21n;
const POINTER = "/linux/seccomp";
/** crun's: anything but "0" refuses names that no architecture knows. */
const FAIL_UNKNOWN = "run.oci.seccomp_fail_unknown_syscall";

/** A profile's notifications need somebody who listens. */
export const hasListener = ({ syscalls }: Seccomp): boolean =>
  syscalls.some(({ action }) => action === "SCMP_ACT_NOTIFY");

/** Whether names that no architecture has are errors, as for crun. */
export function failsUnknown({ annotations }: Config): boolean {
  const annotation = annotations.get(FAIL_UNKNOWN);
  return annotation !== undefined && annotation !== "0";
}

/** init's side: in the order of messages, before the barrier of the hooks. */
export function receiveFilter({ ops, config }: Compilation): void {
  if (config.linux.seccomp !== undefined) ops.at(POINTER).receive_filter();
}

/** The runtime's side: the compiler's work goes on while init mounts. */
export function sendFilter({ steps, config, options }: Compilation): void {
  if (config.linux.seccomp === undefined) return;
  const compile: CompileOptions = { arch: MACHINE, kernel: options.facts.kernel };
  if (failsUnknown(config)) compile.failUnknown = true;
  steps.push({ step: "send filter", compile, origin: { pointer: POINTER } });
}

/** Before "await ready": init has a filter whose notifications somebody listens to. */
export function awaitListener({ steps, config }: Compilation): void {
  const { seccomp } = config.linux;
  if (seccomp === undefined || !hasListener(seccomp)) return;
  const { listenerPath = "", listenerMetadata } = seccomp;
  const origin = { pointer: `${POINTER}/listenerPath` };
  if (listenerMetadata === undefined) steps.push({ step: "await listener", path: listenerPath, origin });
  else steps.push({ step: "await listener", path: listenerPath, metadata: listenerMetadata, origin });
}

/** What is to be permitted beyond the profile of the process until the filter is loaded. */
export function filterCapabilities({ config }: Compilation): bigint {
  return config.linux.seccomp === undefined || config.process.noNewPrivileges ? 0n : CAP_SYS_ADMIN;
}

/** In place of ready, wait_commit and wait_start. `env` is what hooks without their own get. */
export function waitFiltered(c: Compilation, seccomp: Seccomp, env: readonly string[]): void {
  const { ops, slots } = c;
  const { capabilities, noNewPrivileges, args } = c.config.process;
  const { effective = 0n, permitted = 0n, inheritable = 0n } = capabilities ?? {};
  let pointers = args.length + env.length;
  for (const hook of c.config.hooks.startContainer) {
    pointers = Math.max(pointers, (hook.args ?? [hook.path]).length + (hook.env ?? env).length);
  }
  ops.at(POINTER).reserve_launch(pointers);
  const flags = flagBits(seccomp.flags, hasListener(seccomp));
  const commit = slots.commitPipe < 0 ? NONE : slots.commitPipe;
  const privileged = noNewPrivileges ? 0 : 1;
  ops.filter_and_wait(flags, privileged, effective, permitted, inheritable, commit, slots.startPipe);
}
