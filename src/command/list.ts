// `berth list`: the containers below the state root, as a table, as JSON, or their ids alone.

import { AT_FDCWD, AT_SYMLINK_NOFOLLOW, ENOENT, S_IFDIR, S_IFMT } from "../container/open-flags.ts";
import type { ContainerState, Status } from "../container/state.ts";
import { statusOf } from "../container/status.ts";
import { openState } from "../container/store.ts";
import { sentence } from "../errors/render.ts";
import { RuntimeError } from "../errors/runtime-error.ts";
import { must } from "../host/must.ts";
import type { Native } from "../host/native.gen.ts";
import type { Context, Outcome } from "./command.ts";
import { userNames } from "./owner.ts";
import { createdAt, pidOf, stateJson } from "./state.ts";
import { tableText } from "./table-text.ts";

const HEADER = ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"];

interface Row {
  state: ContainerState;
  status: Status;
  owner: string;
}

export function list(context: Context): Outcome {
  const quiet = context.options.bool("quiet");
  const format = context.options.string("format");
  // As in runc, nobody asks for the format of the ids alone.
  if (!quiet && format !== "table" && format !== "json") throw new RuntimeError({ message: "invalid format option" });
  const { rows, problems } = containers(context);
  const stderr = problems.length === 0 ? {} : { stderr: problems.join("") };
  if (quiet) return { stdout: rows.map(({ state }) => `${state.id}\n`).join(""), ...stderr };
  if (format === "table") return { stdout: tableText([HEADER, ...rows.map(cells)]), ...stderr };
  return { stdout: `${json(rows)}\n`, ...stderr };
}

/** A slice without elements is `null` in Go's JSON, and engines expect that. */
function json(rows: readonly Row[]): string {
  if (rows.length === 0) return "null";
  return `[${rows.map(({ state, status, owner }) => stateJson(state, status, owner, "")).join(",")}]`;
}

function cells({ state, status, owner }: Row): string[] {
  return [state.id, String(pidOf(state, status)), status, state.bundle, createdAt(state), owner];
}

/** What can be read; a folder that cannot is skipped with a line for standard error. */
function containers({ native, root, rootGiven }: Context): { rows: Row[]; problems: string[] } {
  const rows: Row[] = [];
  const problems: string[] = [];
  const nameOf = userNames(native);
  for (const id of folders(native, root, rootGiven)) {
    try {
      const { dir, uid, state } = openState(native, root, id);
      rows.push({ state, status: statusOf(native, dir, state), owner: nameOf(uid) });
      native.close(dir);
    } catch (error) {
      problems.push(`load container ${JSON.stringify(id)}: ${sentence(error)}\n`);
    }
  }
  return { rows, problems };
}

/** A default root that does not exist yet has no containers; one that was asked for must exist. */
function folders(native: Native, root: string, given: boolean): string[] {
  const names = native.list_dir(AT_FDCWD, root);
  if (names === -ENOENT && !given) return [];
  const text = must(names, { operation: "open", path: root }) as string;
  return text
    .split("\0")
    .filter((name) => name !== "" && isFolder(native, `${root}/${name}`))
    .sort();
}

function isFolder(native: Native, path: string): boolean {
  const stat = native.stat(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW);
  return typeof stat !== "number" && ((stat[0] as number) & S_IFMT) === S_IFDIR;
}
