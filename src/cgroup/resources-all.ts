// Which part of the resources is whose: each controller's v1 hierarchy when it is mounted, else the unified one.

import type { Resources } from "../config/types.ts";
import { RuntimeError } from "../errors/runtime-error.ts";
import type { CgroupFacts } from "../host/facts.ts";
import type { RuntimeStep } from "../plan/plan.ts";
import { type CgroupPaths, hasController } from "./path.ts";
import { blockIOV1, blockIOV2 } from "./resources-block-io.ts";
import { asksCpu, asksCpuset, cpuset, cpuV1, cpuV2 } from "./resources-cpu.ts";
import { memoryV1, memoryV2 } from "./resources-memory.ts";
import { classID, hugetlb, pids, priorities, rdma, unified } from "./resources-small.ts";
import { LimitWriter } from "./resources-write.ts";

interface Part {
  /** JSON pointer below the resources. */
  field: string;
  asks: (resources: Resources) => boolean;
  v1: string;
  writeV1: (w: LimitWriter, resources: Resources) => void;
  /** Absent: cgroup v2 has no such controller. */
  v2?: string;
  writeV2?: (w: LimitWriter, resources: Resources) => void;
}

const PARTS: readonly Part[] = [
  { field: "/cpu", asks: asksCpuset, v1: "cpuset", writeV1: cpuset, v2: "cpuset", writeV2: cpuset },
  { field: "/cpu", asks: asksCpu, v1: "cpu", writeV1: cpuV1, v2: "cpu", writeV2: cpuV2 },
  {
    field: "/memory",
    asks: (r) => r.memory !== undefined,
    v1: "memory",
    writeV1: memoryV1,
    v2: "memory",
    writeV2: memoryV2,
  },
  { field: "/pids", asks: (r) => r.pids?.limit !== undefined, v1: "pids", writeV1: pids, v2: "pids", writeV2: pids },
  {
    field: "/blockIO",
    asks: (r) => r.blockIO !== undefined,
    v1: "blkio",
    writeV1: blockIOV1,
    v2: "io",
    writeV2: blockIOV2,
  },
  {
    field: "/hugepageLimits",
    asks: (r) => r.hugepageLimits !== undefined,
    v1: "hugetlb",
    writeV1: (w, r) => hugetlb(w, r, "limit_in_bytes"),
    v2: "hugetlb",
    writeV2: (w, r) => hugetlb(w, r, "max"),
  },
  { field: "/network/classID", asks: (r) => r.network?.classID !== undefined, v1: "net_cls", writeV1: classID },
  {
    field: "/network/priorities",
    asks: (r) => (r.network?.priorities.length ?? 0) > 0,
    v1: "net_prio",
    writeV1: priorities,
  },
  { field: "/rdma", asks: (r) => r.rdma !== undefined, v1: "rdma", writeV1: rdma, v2: "rdma", writeV2: rdma },
];

/** See resourceSteps. */
export function limitSteps(resources: Resources, paths: CgroupPaths, facts: CgroupFacts, base: string): RuntimeStep[] {
  const w: LimitWriter = new LimitWriter(base);
  // By controller, the field that asks for it first.
  const needed = new Map<string, string>();
  for (const part of PARTS) if (part.asks(resources)) writePart(w, part, resources, paths, facts, needed);
  if (resources.unified !== undefined) {
    if (facts.unified?.closed) {
      const map = resources.unified;
      refuseAll(w, () => unified(w, map, new Map()));
      return w.steps;
    }
    if (paths.unified === undefined) w.refuse("/unified", "needs cgroup v2, and no unified hierarchy is mounted");
    w.folder = paths.unified.path;
    unified(w, resources.unified, needed);
  }
  return needed.size === 0 ? w.steps : [enable(w, needed, paths, facts), ...w.steps];
}

function writePart(
  w: LimitWriter,
  part: Part,
  resources: Resources,
  paths: CgroupPaths,
  facts: CgroupFacts,
  needed: Map<string, string>,
): void {
  const hierarchy = paths.v1.find(({ name }) => hasController(name, part.v1));
  if (hierarchy !== undefined) {
    w.folder = hierarchy.path;
    part.writeV1(w, resources);
    return;
  }
  if (isClosed(facts, part.v1)) {
    refuseAll(w, () => (part.writeV2 ?? part.writeV1)(w, resources));
    return;
  }
  if (paths.unified === undefined)
    w.refuse(part.field, `needs the cgroup controller "${part.v1}", which is not mounted`);
  if (part.v2 === undefined || part.writeV2 === undefined) {
    const mode = facts.mode === "v2" ? "cgroup v2 has" : "this host has";
    w.refuse(part.field, `needs the cgroup controller "${part.v1}", which ${mode} not`);
  }
  w.folder = paths.unified.path;
  const first = w.steps.length;
  part.writeV2(w, resources);
  const write = w.steps.slice(first).find(({ step }) => step === "write cgroup file");
  if (write !== undefined) needed.set(part.v2, write.origin.pointer);
}

/** Whether it has a hierarchy that a rootless container without cgroupsPath does without. */
function isClosed({ hierarchies, unified }: CgroupFacts, controller: string): boolean {
  const v1 = hierarchies.find(({ name }) => hasController(name, controller));
  return (v1 ?? unified)?.closed === true;
}

/** What would limit nothing is no reason to fail. The words are runc's. */
function refuseAll(w: LimitWriter, write: () => void): void {
  const first = w.steps.length;
  write();
  const limit = w.steps.splice(first).find(({ step }) => step === "write cgroup file");
  if (limit === undefined) return;
  throw new RuntimeError({
    message: "rootless needs no limits + no cgrouppath when no permission is granted for cgroups",
    pointer: limit.origin.pointer,
  });
}

/** On pure v2 the others come along: without them their statistics could not be read. */
function enable(
  w: LimitWriter,
  needed: ReadonlyMap<string, string>,
  paths: CgroupPaths,
  facts: CgroupFacts,
): RuntimeStep {
  const { path, mountpoint } = paths.unified as NonNullable<CgroupPaths["unified"]>;
  return {
    step: "enable controllers",
    path,
    mountpoint,
    controllers: [...needed.keys()],
    pointers: [...needed.values()],
    others: facts.mode === "v2",
    origin: { pointer: w.pointer("") },
  };
}
