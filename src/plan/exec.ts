// Compiles `exec`: a process of its own in a container that is there. The joiner, outside of every cgroup of the container,
// enters its namespaces at once, by the pidfd of its init; its child, which nobody there may look into, goes into the
// cgroups, becomes what the process is to be, and waits for the runtime to let it go.
//
// The child is cloned without CLONE_VFORK: in a frozen cgroup it would keep the runtime where no signal reaches it.

import type { Config, Process } from "../config/types.ts";
import { RuntimeError } from "../errors/runtime-error.ts";
import type { HostFacts } from "../host/facts.ts";
import { loaded } from "../lazy.ts";
import type { ResctrlPlace } from "../resctrl/place.ts";
import { CLONE_NEWCGROUP, CLONE_NEWUSER, O_DIRECTORY, O_PATH } from "../tables/linux.ts";
import { PlanBuilder } from "./builder.ts";
import type { Compilation, InheritedSlots } from "./compilation.ts";
import { openConsole } from "./console.ts";
import { applyProfile, checkLsm, labelKeyring, labelProcess, needsAttributes } from "./lsm.ts";
import { joinTasks, writeOomScore } from "./namespaces.ts";
import type { Plan } from "./plan.ts";
import { setAttributes, setUmask, startProcess } from "./process.ts";
import { closeProcfs, openHostProcfs } from "./procfs.ts";
import { NONE } from "./protocol.ts";
import { raiseLimits } from "./rlimits.ts";

/** Where the process goes: absolute paths of the host. */
export interface ExecCgroups {
  /** Files of v1 cgroups, or of a unified one, that the process writes itself to. */
  files: readonly string[];
  /** The folder of the unified cgroup that it is cloned into. */
  folder?: string;
}

export interface ExecOptions {
  id: string;
  /** CLONE_NEW flags of the namespaces to join; the user namespace only when it is not the runtime's own. */
  namespaces: number;
  cgroups: ExecCgroups;
  /** --cgroup was given: it is what a cgroup that cannot be joined is about. */
  chosenCgroup: boolean;
  preserveFds: number;
  noNewKeyring: boolean;
  console: "none" | "socket" | "foreground";
  facts: HostFacts;
  /** The groups that the container is in. */
  resctrl?: ResctrlPlace;
}

/**
 * `config` is the container's, with the process that is to be executed in place of its own. The plan's steps begin when the
 * joiner has been cloned. Throws RuntimeError.
 */
export function compileExec(config: Config, options: ExecOptions): Plan {
  const ops = new PlanBuilder();
  const { facts, namespaces } = options;
  const container = ops.inherit({ what: "container" });
  const origin = { pointer: options.chosenCgroup ? "--cgroup" : "/linux/cgroupsPath" };
  const folder =
    options.cgroups.folder === undefined
      ? NONE
      : ops.inherit({ what: "cgroup directory", path: options.cgroups.folder, origin });
  const c: Compilation = {
    config: { ...config, hooks: { ...config.hooks, startContainer: [] } },
    options: {
      id: options.id,
      bundle: "/",
      preserveFds: options.preserveFds,
      listenFds: 0,
      noPivot: false,
      noNewKeyring: options.noNewKeyring,
      outlives: false,
      console: options.console,
      facts,
    },
    ops,
    steps: [],
    namespaces: { created: 0, joined: namespaces, joiner: true, spawned: 0, unshared: 0 },
    cgroups: { v1: [] },
    rootfs: "/",
    slots: inheritRest(ops, options, origin),
    cgroupFiles: [],
    root: -1,
    hostMounts: NONE,
    procfs: NONE,
    deferred: [],
    kernelMounts: [],
    bindsDev: false,
  };
  if (facts.euid !== 0 && config.process.user.additionalGids.length > 0) {
    throw new RuntimeError({
      message: "cannot set any additional groups in a rootless container",
      pointer: "/process/user/additionalGids",
    });
  }
  checkLsm(c);
  join(c, container, namespaces, folder, origin.pointer);
  enterCgroups(c, container, namespaces, folder);
  become(c);
  runtimeSteps(c, options.resctrl);
  return { init: ops.finish(), inherited: ops.inherited, runtime: c.steps, cgroups: [] };
}

function inheritRest(ops: PlanBuilder, options: ExecOptions, origin: { pointer: string }): InheritedSlots {
  const startPipe = ops.inherit({ what: "start pipe" });
  const consoleSocket = options.console === "none" ? -1 : ops.inherit({ what: "console socket" });
  const tasks: InheritedSlots["tasks"] = [];
  for (const path of options.cgroups.files) {
    tasks.push({
      slot: ops.inherit({ what: "cgroup join", path, origin }),
      path: path.slice(0, path.lastIndexOf("/")),
    });
  }
  return { startPipe, commitPipe: -1, consoleSocket, tasks, joins: [] };
}

function runtimeSteps(c: Compilation, resctrl: ResctrlPlace | undefined): void {
  const origin = { pointer: "/linux/namespaces" };
  const seccomp = c.config.linux.seccomp === undefined ? undefined : loaded(import("./seccomp.ts"));
  c.steps.push({ step: "send plan", origin }, { step: "await clone", origin });
  seccomp?.sendFilter(c);
  c.steps.push({ step: "await child", origin });
  if (resctrl !== undefined) loaded(import("./resctrl.ts")).joinResctrl(c.steps, resctrl, true);
  seccomp?.awaitListener(c);
  c.steps.push({ step: "await ready", origin: { pointer: "default" } });
}

/** The joiner. Where it is root, the user namespace and the cgroup's are left to its child: see enterCgroups. */
function join(c: Compilation, container: number, namespaces: number, folder: number, cgroupPointer: string): void {
  const { ops } = c;
  writeOomScore(c);
  ops.at("default").dumpable(0);
  ops.reset_signals();
  setAffinity(c, "initial");
  raiseLimits(c);
  // The container's own may be covered, or be something else.
  if (needsAttributes(c)) openHostProcfs(c, "/process");
  const now = namespaces & ~laterNamespaces(c);
  if (now !== 0) ops.at("/linux/namespaces", "the container's").setns(container, now);
  // A change of user namespace resets it to fs.suid_dumpable.
  if ((now & CLONE_NEWUSER) !== 0) ops.at("default").dumpable(0);
  ops.at(cgroupPointer).sibling(0, folder);
}

/**
 * Its child. A cgroup is entered with the credentials of the host, which may write there, and from the runtime's own cgroup
 * namespace: across the border of one nobody may where systemd has mounted the hierarchy (nsdelegate). As anybody but
 * root, only the user namespace gives the right to enter the others.
 */
function enterCgroups(c: Compilation, container: number, namespaces: number, folder: number): void {
  const { ops } = c;
  if (folder !== NONE) ops.at("default").close(folder);
  joinTasks(c);
  const later = namespaces & laterNamespaces(c);
  ops.at("/linux/namespaces", "the container's");
  if (later !== 0) ops.setns(container, later);
  ops.close(container);
  if ((namespaces & CLONE_NEWUSER) === 0) return;
  ops.at("default").dumpable(0);
  ops.set_ids(0, 0);
  ops.dumpable(0);
}

function laterNamespaces({ options }: Compilation): number {
  return options.facts.euid === 0 ? CLONE_NEWUSER | CLONE_NEWCGROUP : CLONE_NEWCGROUP;
}

/** What the process is to be. */
function become(c: Compilation): void {
  const { ops, options } = c;
  if (c.config.linux.seccomp !== undefined) loaded(import("./seccomp.ts")).receiveFilter(c);
  const { execCPUAffinity } = c.config.process;
  if (execCPUAffinity?.initial === undefined && execCPUAffinity?.final === undefined)
    ops.at("default").reset_affinity();
  else setAffinity(c, "final");
  ops.at("default").setsid();
  const ring = `_ses.${options.id}`;
  if (!options.noNewKeyring) labelKeyring(c, () => ops.at("default", ring).join_keyring(ring, 0));
  if (options.console !== "none") {
    c.root = ops.slot();
    ops.at("/process/terminal", "/").open(c.root, NONE, "/", O_PATH | O_DIRECTORY, 0, 0);
    openConsole(c, false);
    ops.at("default", "/").close(c.root);
  }
  setUmask(c);
  applyProfile(c);
  setAttributes(c);
  labelProcess(c);
  closeProcfs(c);
  startProcess(c);
}

function setAffinity(c: Compilation, when: keyof NonNullable<Process["execCPUAffinity"]>): void {
  const list = c.config.process.execCPUAffinity?.[when];
  if (list === undefined) return;
  const { cpuMask } = loaded(import("../tables/cpu-list.ts"));
  c.ops.at(`/process/execCPUAffinity/${when}`, list).affinity(cpuMask(list));
}
