// Compiles `create`: Config, host facts and options to everything that will be done, in runc's order. docs/architecture.md
// shows both sides. Pure: the same input gives the same bytes.

import { cgroupLeaves, cgroupSteps, lateLimits } from "../cgroup/create.ts";
import { deviceSteps } from "../cgroup/devices.ts";
import { type CgroupPaths, cgroupPaths } from "../cgroup/path.ts";
import { resourceSteps } from "../cgroup/resources.ts";
import type { Config, NamespaceType } from "../config/types.ts";
import { RuntimeError } from "../errors/runtime-error.ts";
import { loaded } from "../lazy.ts";
import { CLONE_NEWNET } from "../tables/linux.ts";
import { namespaceFlag } from "../tables/namespaces.ts";
import { PlanBuilder } from "./builder.ts";
import type { Compilation, InheritedSlots } from "./compilation.ts";
import { openConsole } from "./console.ts";
import { makeDevices, replaceNullStdio } from "./devices.ts";
import { createHooks, hasBarrierHooks, hookSteps } from "./hooks.ts";
import { mapMountSteps } from "./idmap.ts";
import { applyProfile, checkLsm, checkMountLabel, labelKeyring, labelProcess, needsAttributes } from "./lsm.ts";
import { openMasks, protectPaths } from "./masked-paths.ts";
import { compileMounts } from "./mounts.ts";
import { hasUserNamespace, type NamespaceSet, namespaceSet } from "./namespace-set.ts";
import { enterCgroups, enterNamespaces } from "./namespaces.ts";
import { absolutePath } from "./paths.ts";
import type { CreateOptions, Inherited, Plan, RuntimeStep } from "./plan.ts";
import { setAttributes, setUmask, startProcess } from "./process.ts";
import { closeProcfs, openProcfs } from "./procfs.ts";
import { BARRIER, NONE } from "./protocol.ts";
import { changeRoot, closeRoot, makeCwd, openRoot, setReadOnly } from "./rootfs.ts";
import { sysctlPointer, writeSysctls } from "./sysctl.ts";
import type { UnitPlan } from "./unit.ts";
import { userMappingSteps } from "./user-mappings.ts";

type JoinedNamespace = Extract<Inherited, { what: "namespace" }>;

/** What init is cloned with and into: the beginning of the plan, known before the rest is compiled. */
export interface Beginning {
  readonly cgroups: CgroupPaths;
  readonly limits: readonly RuntimeStep[];
  readonly namespaces: NamespaceSet;
  /** Up to "spawn". */
  readonly steps: readonly RuntimeStep[];
  /** Of Plan.cgroups. */
  readonly leaves: string[];
  /** The steps that follow "spawn" and make cgroups. */
  readonly cgroupSteps: readonly RuntimeStep[];
  /** With systemd. */
  readonly unit?: UnitPlan;
}

/** Throws RuntimeError for cgroups and namespaces that cannot be had. */
export function compileBeginning(config: Config, options: CreateOptions): Beginning {
  const { facts } = options;
  const movesItself = facts.cgroup.mode !== "v2" || options.oldUnified === true || options.systemd !== undefined;
  const namespaces = namespaceSet(config.linux.namespaces, movesItself);
  const unit =
    options.systemd === undefined
      ? undefined
      : loaded(import("./unit.ts")).planUnit(config, options, namespaces.joiner);
  const cgroups = unit?.cgroups ?? cgroupPaths(config.linux.cgroupsPath, options.id, facts.cgroup);
  const resources = unit?.resources ?? config.linux.resources;
  const limits = resourceSteps(resources, cgroups, facts.cgroup, "/linux/resources");
  const { unified, v1 } =
    unit === undefined ? cgroupSteps(cgroups, facts.cgroup, limits) : { unified: unit.before, v1: [] };
  const cgroup = options.oldUnified || unit !== undefined ? undefined : cgroups.unified?.path;
  const spawn = { step: "spawn", flags: namespaces.spawned, origin: { pointer: "/linux/namespaces" } } as const;
  const steps: RuntimeStep[] = [...unified, cgroup === undefined ? spawn : { ...spawn, cgroup }];
  const beginning = { cgroups, limits, namespaces, steps, leaves: cgroupLeaves(cgroups), cgroupSteps: v1 };
  return unit === undefined ? beginning : { ...beginning, unit };
}

/** Throws RuntimeError for what config.json asks and no plan can do. The plan's steps begin with those of `beginning`. */
export function compileCreate(
  config: Config,
  options: CreateOptions,
  beginning: Beginning = compileBeginning(config, options),
): Plan {
  const { cgroups, namespaces, unit } = beginning;
  const ops = new PlanBuilder();
  const c: Compilation = {
    config,
    options,
    ops,
    steps: [...beginning.steps],
    namespaces,
    cgroups,
    ...(unit === undefined ? {} : { unit }),
    rootfs: absolutePath(options.bundle, config.root.path),
    slots: inheritAll(ops, config, options),
    cgroupFiles: unit === undefined ? cgroupFiles(cgroups, options) : [],
    root: -1,
    hostMounts: NONE,
    procfs: NONE,
    deferred: [],
    kernelMounts: [],
    bindsDev: false,
  };
  checkRootless(c);
  checkLsm(c);
  checkMountLabel(c);
  runtimeSteps(c, beginning);
  initOps(c);
  const plan: Plan = { init: ops.finish(), inherited: ops.inherited, runtime: c.steps, cgroups: beginning.leaves };
  if (unit !== undefined) plan.unit = unit.unit;
  return plan;
}

function initOps(c: Compilation): void {
  const { ops, config, options } = c;
  enterNamespaces(c);
  ops.at("default").setsid();
  if (!options.noNewKeyring) labelKeyring(c, () => joinKeyring(c));
  if (config.linux.netDevices !== undefined) loaded(import("./net-devices.ts")).awaitNetDevices(c);
  if ((c.namespaces.created & CLONE_NEWNET) !== 0) ops.at("/linux/namespaces", "lo").loopback_up();

  openRoot(c);
  compileMounts(c);
  makeDevices(c);
  replaceNullStdio(c);
  const masks = openMasks(c);
  c.fillCgroups?.();
  enterCgroups(c);
  // A terminal is opened later.
  if (options.console === "none") announceDevices(c);
  if (config.linux.sysctl.size > 0) openProcfs(c, "/linux/sysctl");
  else if (needsAttributes(c)) openProcfs(c, "/process");
  if (config.linux.seccomp !== undefined) loaded(import("./seccomp.ts")).receiveFilter(c);
  createHooks(c);

  changeRoot(c);
  makeCwd(c);
  openConsole(c);
  if (options.console !== "none") announceDevices(c);
  setReadOnly(c);
  setUmask(c);
  if (config.hostname !== undefined) ops.at("/hostname", config.hostname).hostname(config.hostname);
  if (config.domainname !== undefined) ops.at("/domainname", config.domainname).domainname(config.domainname);
  applyProfile(c);
  writeSysctls(c);
  if (config.process.selinuxLabel === undefined) closeProcfs(c);
  protectPaths(c, masks);
  closeRoot(c);

  setAttributes(c);
  labelProcess(c);
  closeProcfs(c);
  startProcess(c);
}

/** After it init needs no device. Where hooks run, their barrier tells that. */
function announceDevices(c: Compilation): void {
  if (!hasBarrierHooks(c)) c.ops.at("/linux/resources/devices").announce(BARRIER.devices);
}

/**
 * What berth does meanwhile. Limits come while init mounts, once a joiner has gone, which may be one process too many.
 * The device rules come once /dev is made: until then init makes and opens nodes.
 */
function runtimeSteps(c: Compilation, { limits, cgroupSteps }: Beginning): void {
  const { steps, namespaces, cgroups, cgroupFiles, config, unit } = c;
  const pushDeviceRules = (): void => {
    const { devices, resources } = config.linux;
    if (unit !== undefined) steps.push(...unit.properties);
    for (const step of deviceSteps(resources.devices, cgroups, c.options.facts.cgroup, devices)) steps.push(step);
  };
  const origin = { pointer: "/linux/namespaces" };
  steps.push({ step: "send plan", origin }, ...cgroupSteps);
  if (cgroupFiles.length > 0) {
    steps.push({ step: "send cgroups", files: cgroupFiles, origin: { pointer: "/linux/cgroupsPath" } });
  }
  steps.push({ step: "await clone", origin });
  if (unit !== undefined) steps.push(...unit.enter(limits));
  userMappingSteps(c);
  if (namespaces.joiner) steps.push({ step: "await child", origin });
  if (unit !== undefined) steps.push(...unit.late(limits));
  else if (limits.length > 0) steps.push(...lateLimits(limits));
  if (c.options.facts.cgroup.mode === "v2" && config.mounts.some(({ source }) => source === "cgroup")) {
    loaded(import("./delegation.ts")).delegateCgroup(c);
  }
  if (config.linux.netDevices !== undefined) {
    loaded(import("./net-devices.ts")).netDeviceSteps(c, config.linux.netDevices);
  }
  if (config.linux.intelRdt !== undefined) loaded(import("./resctrl.ts")).resctrlSteps(c, config.linux.intelRdt);
  mapMountSteps(c);
  const seccomp = config.linux.seccomp === undefined ? undefined : loaded(import("./seccomp.ts"));
  seccomp?.sendFilter(c);
  const early = hasBarrierHooks(c);
  if (early) hookSteps(c, pushDeviceRules);
  else {
    steps.push({ step: "await barrier", barrier: BARRIER.devices, origin: { pointer: "/linux/resources/devices" } });
    pushDeviceRules();
  }
  seccomp?.awaitListener(c);
  steps.push({ step: "await ready", origin: { pointer: "default" } });
}

function joinKeyring(c: Compilation): void {
  // KEY_OTH_SEARCH where the ids are another namespace's, else KEY_USR_SEARCH: runc's choice.
  c.ops.at("default", `_ses.${c.options.id}`);
  c.ops.join_keyring(`_ses.${c.options.id}`, hasUserNamespace(c.namespaces) ? 0x8 : 0x80000);
}

/** v1; and an old unified cgroup, which no process can be cloned into while it is checked. */
function cgroupFiles({ v1, unified }: CgroupPaths, { oldUnified }: CreateOptions): string[] {
  const files = v1.map(({ path }) => `${path}/tasks`);
  if (oldUnified && unified !== undefined) files.push(`${unified.path}/cgroup.procs`);
  return files;
}

function inheritAll(ops: PlanBuilder, config: Config, options: CreateOptions): InheritedSlots {
  const startPipe = ops.inherit({ what: "start pipe" });
  const commitPipe = options.outlives ? ops.inherit({ what: "commit pipe" }) : -1;
  const consoleSocket = options.console === "none" ? -1 : ops.inherit({ what: "console socket" });
  const joins: InheritedSlots["joins"] = [];
  const { namespaces } = config.linux;
  for (let i = 0; i < namespaces.length; i++) {
    const { type, path } = namespaces[i] as (typeof namespaces)[number];
    if (path === undefined) continue;
    const pointer = `/linux/namespaces/${i}/path`;
    const nstype = namespaceFlag(type);
    const entry = { what: "namespace", type, path, nstype, origin: { pointer } } as const;
    const slot = ops.inherit({ ...entry, ...claims(config, type) });
    joins.push({ slot, nstype, pointer, path });
  }
  return { startPipe, commitPipe, consoleSocket, tasks: [], joins };
}

/** What has to be true of a namespace that is joined, besides its type. */
function claims({ linux }: Config, type: NamespaceType): Pick<JoinedNamespace, "changed" | "moved" | "ids"> {
  const { uidMappings: uids, gidMappings: gids, sysctl, netDevices } = linux;
  if (type === "user" && (uids.length > 0 || gids.length > 0)) return { ids: { uids, gids } };
  if (type !== "network") return {};
  const moved = netDevices === undefined ? {} : { moved: "/linux/netDevices" };
  for (const key of sysctl.keys()) if (key.startsWith("net")) return { changed: sysctlPointer(key), ...moved };
  return moved;
}

function checkRootless({ config, options }: Compilation): void {
  if (options.facts.euid === 0 || config.process.user.additionalGids.length === 0) return;
  throw new RuntimeError({
    message: "cannot set any additional groups in a rootless container",
    pointer: "/process/user/additionalGids",
  });
}
