// linux.intelRdt: groups are made, their schemata written in the order of runtime-spec, and init is put into them, all before
// a hook runs. A file has one write(2) for each field, as the kernel takes a domain once in a write.

import type { IntelRdt } from "../config/types.ts";
import { hasSchemata, type ResctrlPlace, resctrlPlace } from "../resctrl/place.ts";
import type { Compilation } from "./compilation.ts";
import type { RuntimeStep } from "./plan.ts";

const POINTER = "/linux/intelRdt";

export function resctrlSteps({ steps, options }: Compilation, rdt: IntelRdt): void {
  const place = resctrlPlace(rdt, options.id, options.facts.resctrl);
  const { root, group, monitor } = place;
  const origin = { pointer: POINTER };
  if (rdt.closID === undefined || (group !== "" && hasSchemata(rdt))) {
    steps.push({ step: "make resctrl group", root, group, own: false, origin });
  }
  const write = (field: string, lines: readonly string[]): void => {
    const data = lines.map((line) => `${line}\n`).join("");
    if (data === "") return;
    steps.push({ step: "write schemata", root, group, data, origin: { pointer: `${POINTER}/${field}` } });
  };
  write("l3CacheSchema", rdt.l3CacheSchema === undefined ? [] : [rdt.l3CacheSchema]);
  write("memBwSchema", rdt.memBwSchema === undefined ? [] : [rdt.memBwSchema]);
  write(
    "schemata",
    rdt.schemata.filter((line) => line !== ""),
  );
  if (monitor !== undefined) {
    const enabled = { pointer: `${POINTER}/enableMonitoring` };
    steps.push({ step: "make resctrl group", root, group: monitor, own: true, origin: enabled });
  }
  joinResctrl(steps, place, false);
}

/** A process is in a monitoring group only once it is in the group around it. */
export function joinResctrl(steps: RuntimeStep[], { root, group, monitor }: ResctrlPlace, optional: boolean): void {
  const origin = { pointer: POINTER };
  const gone = optional ? ({ optional } as const) : {};
  steps.push({ step: "join resctrl group", root, group, ...gone, origin });
  if (monitor !== undefined) steps.push({ step: "join resctrl group", root, group: monitor, ...gone, origin });
}
