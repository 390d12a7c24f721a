// Where a process is in the cgroup hierarchies of the view.

import { readFileSync } from "node:fs";
import { join } from "node:path";

export const view = process.env.BERTH_VIEW ?? "v1";

/** The folder of a process's cgroup with this controller: v1's, or the unified one. */
export function cgroupOf(pid: number, controller: string): string {
  for (const line of readFileSync(`/proc/${pid}/cgroup`, "utf8").trim().split("\n")) {
    const [, controllers = "", ...path] = line.split(":");
    // The kernel also names v1 hierarchies that the view does not show.
    if (view === "v2") {
      if (controllers === "") return join("/sys/fs/cgroup", path.join(":"));
    } else if (controllers.split(",").includes(controller)) {
      return join("/sys/fs/cgroup", controllers, path.join(":"));
    }
  }
  throw new Error(`${pid} has no ${controller} cgroup`);
}
