// The container's process: attributes, then limits, working folder, capabilities and ids in runc's order, and the exec.

import type { Capabilities, Process } from "../config/types.ts";
import { loaded } from "../lazy.ts";
import { type Compilation, callerDescriptors } from "./compilation.ts";
import { environment } from "./environment.ts";
import { startHooks } from "./hooks.ts";
import { cleanPath } from "./paths.ts";
import { setLimits } from "./rlimits.ts";
import { maySetGroups } from "./user-mappings.ts";

const DEFAULT_UMASK = 0o022;

/** A process without capabilities in config.json has none, as in runc. */
const NO_CAPABILITIES: Capabilities = { bounding: 0n, effective: 0n, inheritable: 0n, permitted: 0n, ambient: 0n };

/** After the terminal: runc sets it when the root is finished. */
export function setUmask(c: Compilation): void {
  const { umask } = c.config.process.user;
  c.ops.at(umask === undefined ? "default" : "/process/user/umask").umask(umask ?? DEFAULT_UMASK);
}

/** What needs no container yet, or still the capabilities of before. */
export function setAttributes(c: Compilation): void {
  const { ops } = c;
  const { noNewPrivileges, scheduler, ioPriority } = c.config.process;
  if (noNewPrivileges) ops.at("/process/noNewPrivileges").no_new_privs();
  if (scheduler !== undefined) {
    const { nice, priority, flags, runtime, deadline, period } = scheduler;
    const { schedulerPolicyNumber } = loaded(import("../tables/scheduler.ts"));
    const policy = schedulerPolicyNumber(scheduler.policy);
    ops.at("/process/scheduler").scheduler(policy, nice, priority, flags, runtime, deadline, period);
  }
  if (ioPriority !== undefined) {
    const { ioPriorityValue } = loaded(import("../tables/io-priority.ts"));
    ops.at("/process/ioPriority").io_priority(ioPriorityValue(ioPriority.class, ioPriority.priority));
  }
  const { personality } = c.config.linux;
  if (personality !== undefined) {
    const { personalityNumber } = loaded(import("../tables/personality.ts"));
    ops.at("/linux/personality").personality(personalityNumber(personality) ?? 0);
  }
  setLimits(c);
}

/** Capabilities, ids, the wait for `start` and the exec. */
export function startProcess(c: Compilation): void {
  const { ops, config, slots } = c;
  const wanted = config.process;
  const { env, path, needsHome } = environment(wanted.env, c.options);
  ops.at("default").cloexec_from(callerDescriptors(c.options));
  becomeUser(c, wanted, needsHome);
  ops.at("/process/args/0", wanted.args[0] ?? "").find_executable(wanted.args[0] ?? "", path);
  const { seccomp } = config.linux;
  if (seccomp !== undefined) loaded(import("./seccomp.ts")).waitFiltered(c, seccomp, env);
  else {
    ops.at("default").ready();
    if (slots.commitPipe >= 0) ops.wait_commit(slots.commitPipe);
    ops.wait_start(slots.startPipe);
  }
  startHooks(c, env);
  ops.at("/process/args", wanted.args[0] ?? "").execute(wanted.args, env);
}

function becomeUser(c: Compilation, wanted: Process, needsHome: boolean): void {
  const { ops } = c;
  const { uid, gid, additionalGids } = wanted.user;
  const { bounding, effective, inheritable, permitted, ambient } = wanted.capabilities ?? NO_CAPABILITIES;
  const cwd = cleanPath(wanted.cwd);
  ops.at("/process/cwd", cwd).chdir(cwd, 1);
  if (needsHome) ops.at("/process/user/uid", "HOME").home(uid);
  ops.at("/process/capabilities/bounding").drop_bounding(bounding);
  ops.at("default").keep_caps(1);
  ops.at("/process/user/uid").chown_stdio(uid);
  if (maySetGroups(c)) ops.at("/process/user/additionalGids").set_groups(additionalGids);
  ops.at("/process/user").set_ids(uid, gid);
  // A change of ids resets it to fs.suid_dumpable.
  if (uid !== 0 || gid !== 0) ops.at("default").dumpable(0);
  ops.at("/process/cwd", cwd).chdir(cwd, 0);
  ops.at("default").keep_caps(0);
  const more = c.config.linux.seccomp === undefined ? 0n : loaded(import("./seccomp.ts")).filterCapabilities(c);
  ops.at("/process/capabilities").set_caps(effective, permitted | more, inheritable, 1);
  ops.at("/process/capabilities/ambient").set_ambient(ambient, 1);
}
