// One create under way. Its first step may come before config.json is decoded: what is known later is filled in.

import type { Config } from "../../config/types.ts";
import { processStartTime } from "../../container/liveness.ts";
import type { StateHandle } from "../../container/store.ts";
import type { Native } from "../../host/native.gen.ts";
import { loaded } from "../../lazy.ts";
import type { Plan } from "../../plan/plan.ts";
import type { Cgroups } from "./cgroups.ts";
import type { Creation } from "./creation.ts";
import type { Ends } from "./inherited.ts";
import type { Interrupts } from "./interrupts.ts";
import type { NetDevices } from "./net-devices.ts";
import type { CreateRequest } from "./request.ts";
import type { SystemdDriver } from "./systemd.ts";
import type { UndoStack } from "./undo.ts";

export class Making implements Creation {
  readonly native: Native;
  readonly interrupts: Interrupts;
  readonly undo: UndoStack;
  readonly ends: Ends;
  readonly socket: number;
  readonly base: number;
  readonly rootless: boolean;
  readonly unprivileged: boolean;
  readonly userNamespaces: number[] = [];
  plan?: Plan;
  filter?: Uint32Array;
  systemd?: SystemdDriver;
  netDevices?: NetDevices;
  beforeReady?: () => void;
  resctrlGroups?: string[];
  cgroups: Cgroups = { old: new Set(), made: [] };
  leaves: readonly string[] = [];
  spawning = false;
  pid = 0;
  pidfd = -1;
  /** Once a hook has run, or the container exists, its end is told to the poststop hooks. */
  poststopDue = false;
  /** None that this command made is left. */
  cgroupsUndone = true;
  loaded: { config: Config; text: string } | undefined;
  state: StateHandle | undefined;
  private recorded = false;

  constructor(
    { native, interrupts, undo }: Pick<Creation, "native" | "interrupts" | "undo">,
    { rights }: CreateRequest,
    base: number,
    socket: number,
    ends: Ends,
  ) {
    this.native = native;
    this.interrupts = interrupts;
    this.undo = undo;
    this.rootless = rights.rootless;
    this.unprivileged = rights.unprivileged || rights.userNamespace;
    this.base = base;
    this.socket = socket;
    this.ends = ends;
  }

  get config(): Config {
    if (this.loaded === undefined) throw new RangeError("config.json is not decoded yet");
    return this.loaded.config;
  }

  onHook(): void {
    this.poststopDue = true;
  }

  onInit(): void {
    if (this.recorded || this.state === undefined || this.loaded === undefined) return;
    this.recorded = true;
    this.state.appendInit(this.pid, processStartTime(this.native, this.pid));
    this.state.saveConfig(this.loaded.text);
  }

  hookState(pid: number, status: "creating" | "created"): string {
    if (this.state === undefined) throw new RangeError("there is no state folder yet");
    return loaded(import("../../container/hook-state.ts")).hookState(this.state.record, status, pid);
  }
}
