// A step of the runtime as one line.

import type { Config, Hook } from "../config/types.ts";
import type { RuntimeStep } from "./plan.ts";
import { barrier, cloneFlags, limit, openTreeFlags, resource } from "./print-flags.ts";
import { mapFile } from "./user-mappings.ts";

function writeLine(step: Extract<RuntimeStep, { step: "write cgroup file" }>): string {
  const { path, file, data, otherwise, optional, retry, patient, above } = step;
  let line = `${step.step} ${JSON.stringify(data)} to ${path}/${file}`;
  if (otherwise !== undefined) line += `, without it ${JSON.stringify(otherwise.data)} to ${otherwise.file}`;
  if (optional) line += ", if it is there";
  if (above !== undefined) line += `, if ${above.file} is below ${above.value}`;
  if (patient) line += ", again for a while if a removed cgroup still holds the share";
  return retry ? `${line}, again after the next if it does not fit` : line;
}

/** Lines of uid_map on one line: `0 100000 65536, 65536 0 1`. */
const mappings = (lines: string): string => lines.trimEnd().split("\n").join(", ");

const place = ({ root, group }: { root: string; group: string }): string => (group === "" ? root : `${root}/${group}`);

/** The line without number and origin. */
export function stepLine(step: RuntimeStep, config: Config): string {
  switch (step.step) {
    case "mkdir cgroup":
    case "check cgroup empty":
      return `${step.step} ${step.path}`;
    case "inherit cgroup file":
      return `${step.step} ${step.path}/${step.file}`;
    case "write cgroup file":
      return writeLine(step);
    case "ignore field":
      return `warn: ignored, ${step.reason}`;
    case "enable controllers": {
      const others = step.others ? [step.controllers.length === 0 ? "all controllers" : "and all others"] : [];
      return `enable ${[...step.controllers, ...others].join(" ")} down to ${step.path}`;
    }
    case "start unit":
      return `start unit ${step.unit}, which is at ${step.cgroup.path}, with init in it`;
    case "set unit properties":
      return `${step.step} of ${step.unit}`;
    case "join cgroup":
      return `move init into ${step.path}`;
    case "delegate cgroup":
      return `give ${step.path} to user ${step.uid}`;
    case "attach device program":
      return `${step.step} to ${step.path} (${step.program.length / 2} instructions)`;
    case "spawn":
      return ["spawn init", cloneFlags(step.flags).join("|"), step.cgroup === undefined ? "" : `into ${step.cgroup}`]
        .filter((part) => part !== "")
        .join(" ");
    case "send cgroups":
      return `open ${step.files.join(", ")} for init`;
    case "await clone":
      return step.step;
    case "send plan":
      return "send the plan to init";
    case "await barrier":
    case "release barrier":
      return `${step.step} ${barrier(step.barrier)}`;
    case "await child":
      return "await child: init is the joiner's second clone";
    case "send filter":
      return "send init the seccomp filter, compiled meanwhile";
    case "await listener":
      return `await listener: a copy of it goes to ${step.path}`;
    case "await ready":
      return step.step;
    case "write proc file":
      return `write ${JSON.stringify(step.data)} to /proc/PID/${step.file}`;
    case "map ids":
      return `write ${JSON.stringify(step.data)} to /proc/PID/${mapFile(step.helper)}, without the right to by ${step.helper}`;
    case "make user namespace":
      return `${step.step} uids ${mappings(step.uids)} gids ${mappings(step.gids)}`;
    case "open user namespace":
      return `${step.step} ${step.path}`;
    case "map mount": {
      const flags = openTreeFlags(step.flags).map((flag) => `|${flag}`);
      const clone = `OPEN_TREE_CLONE${flags.join("")} ${step.source}`;
      if (step.namespace < 0) return `clone ${clone}, send it to init`;
      const kind = step.recursive ? "map ids recursively" : "map ids";
      return `${kind} of ${clone} by user namespace ${step.namespace}, send it to init`;
    }
    case "find network device": {
      const name = step.name?.includes("%") === true ? "" : `, whose name ${step.name ?? step.device} is free there`;
      return `${step.step} ${step.device}${name}`;
    }
    case "move network device":
      return `${step.step} ${step.device} to init's namespace as ${step.name ?? step.device}, with its addresses, and bring it up`;
    case "make resctrl group":
      return `${step.step} ${place(step)}${step.own ? "" : " if it is not there"}`;
    case "write schemata":
      return `write ${JSON.stringify(step.data)} to ${place(step)}/schemata`;
    case "join resctrl group":
      return `write the pid of init to ${place(step)}/tasks${step.optional ? ", if it is there" : ""}`;
    case "raise rlimit":
      return `raise rlimit ${resource(step.resource)} soft ${limit(step.soft)} hard ${limit(step.hard)}`;
    case "hook": {
      const hook = config.hooks[step.kind][step.index] as Hook;
      return `hook ${step.kind} ${(hook.args ?? [hook.path]).join(" ")}`;
    }
  }
}
