// --l3-cache-schema and --mem-bw-schema: new limits for the container's resctrl group.

import type { Options } from "../../cli/reading.ts";
import { type RecordedResctrl, readGroupFile, resctrlPath, writeGroupFile } from "../../container/resctrl.ts";
import { RuntimeError } from "../../errors/runtime-error.ts";
import { gatherResctrl } from "../../host/gather-resctrl.ts";
import { must } from "../../host/must.ts";
import type { Native } from "../../host/native.gen.ts";

/** Flag, what its line begins with, what this machine must be able to do. */
const FLAGS = [
  ["l3-cache-schema", "L3", "l3"],
  ["mem-bw-schema", "MB", "mb"],
] as const;

/**
 * Writes what the flags say. What it returns takes that back: the lines of the same resources as they were before. Throws
 * RuntimeError, after which nothing has changed.
 */
export function updateResctrl(native: Native, options: Options, recorded: RecordedResctrl | undefined): () => void {
  const given = FLAGS.map(([flag, resource, ability]) => {
    const line = options.string(flag) ?? "";
    return { flag, line, resource, ability };
  }).filter(({ line }) => line !== "");
  if (given.length === 0) return () => {};
  if (recorded === undefined) {
    throw new RuntimeError({
      message: `--${given[0]?.flag}: updating a non-existent Intel RDT configuration is not supported`,
    });
  }
  const facts = gatherResctrl(native);
  for (const { flag, line, ability } of given) {
    if (facts?.[ability] !== true)
      throw new RuntimeError({ message: `--${flag}: this machine's resctrl cannot do it` });
    if (line.includes("\n")) throw new RuntimeError({ message: `invalid value for ${flag}: must be one line` });
  }
  const { root, group } = recorded;
  const path = resctrlPath(root, group, "schemata");
  const before = must(readGroupFile(native, root, group, "schemata"), { operation: "read", path }) as string;
  const written: string[] = [];
  const takeBack = (): void => {
    for (const resource of written.splice(0)) {
      const line = before.split("\n").find((one) => one.trimStart().startsWith(`${resource}:`));
      if (line !== undefined) writeGroupFile(native, root, group, "schemata", `${line.trim()}\n`);
    }
  };
  try {
    for (const { flag, line, resource } of given) {
      writeGroupFile(native, root, group, "schemata", `${line}\n`, `--${flag}`);
      written.push(resource);
    }
  } catch (error) {
    takeBack();
    throw error;
  }
  return takeBack;
}
