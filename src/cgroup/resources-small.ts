// The controllers that have one or two files: pids, hugetlb, net_cls, net_prio, rdma; and the unified map.

import type { Resources } from "../config/types.ts";
import type { LimitWriter } from "./resources-write.ts";

/** 0 becomes 1, as in runc: no process could be made in either, and systemd knows no 0. A negative one is no limit. */
export function pids(w: LimitWriter, { pids: section }: Resources): void {
  const limit = section?.limit as bigint;
  w.write("pids.max", limit < 0n ? "max" : limit || 1n, "/pids/limit");
}

/** Both kinds of accounting; the kernel may lack that of reservations. */
export function hugetlb(w: LimitWriter, { hugepageLimits = [] }: Resources, suffix: "limit_in_bytes" | "max"): void {
  for (let i = 0; i < hugepageLimits.length; i++) {
    const { pageSize, limit } = hugepageLimits[i] as { pageSize: string; limit: bigint };
    const field = `/hugepageLimits/${i}/limit`;
    w.write(`hugetlb.${pageSize}.${suffix}`, limit, field);
    w.write(`hugetlb.${pageSize}.rsvd.${suffix}`, limit, field, { optional: true });
  }
}

export function classID(w: LimitWriter, { network }: Resources): void {
  w.write("net_cls.classid", network?.classID as number, "/network/classID");
}

export function priorities(w: LimitWriter, { network }: Resources): void {
  for (const [i, { name, priority }] of (network?.priorities ?? []).entries()) {
    w.write("net_prio.ifpriomap", `${name} ${priority}`, `/network/priorities/${i}`);
  }
}

/** The same file on v1 and v2. */
export function rdma(w: LimitWriter, { rdma: devices }: Resources): void {
  for (const [name, { hcaHandles, hcaObjects }] of devices ?? []) {
    let line = name;
    if (hcaHandles !== undefined) line += ` hca_handle=${hcaHandles}`;
    if (hcaObjects !== undefined) line += ` hca_object=${hcaObjects}`;
    w.write("rdma.max", line, `/rdma/${pointerToken(name)}`);
  }
}

/**
 * A value of several lines is written line by line, as runc and crun do: io.max takes one device a write. What comes
 * before the dot is the controller; the files of cgroup itself need none.
 */
export function unified(w: LimitWriter, map: ReadonlyMap<string, string>, needed: Map<string, string>): void {
  for (const [file, value] of map) {
    const field = `/unified/${pointerToken(file)}`;
    const controller = file.slice(0, file.indexOf("."));
    if (controller !== "cgroup" && !needed.has(controller)) needed.set(controller, w.pointer(field));
    const lines = value.split("\n");
    for (const line of lines) if (line !== "" || lines.length === 1) w.write(file, line, field);
  }
}

/** RFC 6901. */
function pointerToken(token: string): string {
  return token.split("~").join("~0").split("/").join("~1");
}
