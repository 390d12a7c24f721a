// `berth events`: statistics of the container's cgroups and OOM notifications, one JSON object a line, in runc's envelope:
// {"type":"stats","id":"c1","data":{...}} and {"type":"oom","id":"c1"}.

import { emptyStats, type Stats } from "../cgroup/stats.ts";
import { pageSizesOf } from "../cgroup/stats-page-sizes.ts";
import { statsOfV1 } from "../cgroup/stats-v1.ts";
import { statsOfV2 } from "../cgroup/stats-v2.ts";
import { type Leaves, openLeaves } from "../container/cgroup-leaves.ts";
import { openProcess } from "../container/liveness.ts";
import { type OomWatch, watchOom } from "../container/oom.ts";
import { AT_FDCWD, EINTR } from "../container/open-flags.ts";
import type { ContainerState } from "../container/state.ts";
import { checkOwner, openState } from "../container/store.ts";
import { RuntimeError } from "../errors/runtime-error.ts";
import { warn } from "../errors/warning.ts";
import type { CgroupFacts } from "../host/facts.ts";
import { gatherCgroups } from "../host/gather-cgroups.ts";
import { nativeError } from "../host/must.ts";
import type { Native } from "../host/native.gen.ts";
import { writeJson } from "../json/write.ts";
import { loaded } from "../lazy.ts";
import { parseDuration } from "../tables/duration.ts";
import type { Context, Outcome } from "./command.ts";
import { statsJson } from "./events-json.ts";

const POLLIN = 1;
const NS_PER_MS = 1e6;
const HUGE_PAGES = "/sys/kernel/mm/hugepages";

export function events({ native, root, options, args }: Context): Outcome {
  const container = openState(native, root, args[0] as string);
  checkOwner(native, container);
  const { state } = container;
  const interval = parseDuration(options.string("interval") ?? "") ?? 0;
  if (interval <= 0) throw new RuntimeError({ message: "duration interval must be greater than 0" });
  const pidfd = state.init === undefined ? undefined : openProcess(native, state.init.pid, state.init.startTime);
  if (pidfd === undefined) throw new RuntimeError({ message: `container with id ${state.id} is not running` });

  const facts = gatherCgroups(native);
  const leaves = openLeaves(native, state.cgroups, facts);
  const { resctrl } = state;
  const rdt = () => (resctrl === undefined ? {} : loaded(import("./events-rdt.ts")).rdtStats(native, resctrl));
  const stats = (): string => eventLine("stats", state.id, statsJson(readStats(native, state, facts, leaves), rdt()));
  if (options.bool("stats")) return { stdout: stats() };
  const oom = watchOom(native, leaves);
  const intervalMs = Math.max(1, Math.ceil(interval / NS_PER_MS));
  return { stream: (print) => follow({ native, id: state.id, pidfd, oom, intervalMs, stats }, print) };
}

function eventLine(type: "stats" | "oom", id: string, data?: ReturnType<typeof statsJson>): string {
  return `${writeJson({ type, id, data })}\n`;
}

/** Throws RuntimeError; a container that was made without root has only what could be read. */
function readStats(native: Native, state: ContainerState, facts: CgroupFacts, leaves: Leaves): Stats {
  try {
    const pageSizes = readPageSizes(native);
    if (facts.mode !== "v2") return statsOfV1((controller) => leaves.v1(controller), pageSizes);
    return leaves.unified === undefined ? emptyStats() : statsOfV2(leaves.unified, pageSizes);
  } catch (error) {
    if (!state.rootless) throw error;
    return emptyStats();
  }
}

function readPageSizes(native: Native): string[] {
  const names = native.list_dir(AT_FDCWD, HUGE_PAGES);
  return typeof names === "string" ? pageSizesOf(names.split("\0")) : [];
}

interface Source {
  native: Native;
  id: string;
  /** Of init: the stream ends with it. */
  pidfd: number;
  oom: OomWatch;
  intervalMs: number;
  /** The line to print. */
  stats: () => string;
}

/** The first statistics come after one interval; ticks that passed while nobody could take them are dropped, as in Go. */
function follow(source: Source, print: (text: string) => void): void {
  const { native, pidfd, oom, intervalMs } = source;
  let next = native.monotonic() + intervalMs;
  for (;;) {
    const fds = Uint32Array.of(pidfd, oom.fd);
    const left = Math.max(0, next - native.monotonic());
    const ready = native.poll(fds, Uint32Array.of(POLLIN, oom.events), left);
    if (ready === -EINTR) continue;
    if (typeof ready === "number") throw nativeError(ready, { operation: "poll" });
    const ended = ready[0] !== 0;
    const woken = ready[1] !== 0;
    // An OOM that ended init is reported before the end.
    if ((ended || woken) && oom.happened()) print(eventLine("oom", source.id));
    if (ended || (woken && oom.isOver())) return;
    const now = native.monotonic();
    if (now < next) continue;
    const line = sample(source);
    if (line !== undefined) print(line);
    next += Math.ceil((now + 1 - next) / intervalMs) * intervalMs;
  }
}

/** One that cannot be taken does not end the stream, as in runc. While the container ends that is no news. */
function sample({ native, pidfd, stats }: Source): string | undefined {
  try {
    return stats();
  } catch (error) {
    const ended = native.poll(Uint32Array.of(pidfd), Uint32Array.of(POLLIN), 0);
    if (typeof ended === "number" || ended[0] === 0) warn(error);
    return undefined;
  }
}
