// An op of init as one line: `move_mount proc → /proc`.

import type { DecodedOp } from "./decode.ts";
import { OPS, type OperandType } from "./ops.ts";
import { type Shown, type Slots, show } from "./print-operands.ts";

export type ShownOperands = Record<string, Shown>;

/** Every operand but the slots that the op fills. */
export function shownOperands({ op, operands }: DecodedOp, slots: Slots): ShownOperands {
  const shown: ShownOperands = {};
  for (const [name, type] of Object.entries(OPS[op].operands) as [string, OperandType][]) {
    if (type !== "out") shown[name] = show(op, name, type, operands[name] as never, slots);
  }
  return shown;
}

const list = (value: Shown | undefined): string => {
  const items = Array.isArray(value) ? value : value === undefined ? [] : [value];
  return items.length === 0 ? "none" : items.join(",");
};
const bits = (value: Shown | undefined): string =>
  Array.isArray(value) && value.length > 0 ? ` ${value.join("|")}` : "";
const quoted = (value: Shown | undefined): string => JSON.stringify(value ?? "");
/** A path as a shell would show it, quoted only where that is needed. */
const word = (value: Shown | undefined): string => {
  const text = String(value ?? "");
  return /^[^\s"'\p{Cc}\ud800-\udfff]+$/u.test(text) ? text : JSON.stringify(text);
};
const words = (value: Shown | undefined): string =>
  Array.isArray(value) ? value.map((v) => word(v as Shown)).join(" ") : "";

type Line = (o: ShownOperands) => string;

/** What is said behind the op's name. Ops that are not listed: operand=value. */
const LINES: Readonly<Record<string, Line>> = {
  dumpable: (o) => `${o.value}`,
  join_keyring: (o) => word(o.name),
  set_ids: (o) => `uid ${o.uid} gid ${o.gid}`,
  set_groups: (o) => list(o.gids),
  drop_bounding: (o) => `keep ${list(o.keep)}`,
  keep_caps: (o) => `${o.value}`,
  set_caps: (o) => `effective ${list(o.effective)} permitted ${list(o.permitted)} inheritable ${list(o.inheritable)}`,
  set_ambient: (o) => list(o.ambient),
  umask: (o) => list(o.mode),
  rlimit: (o) => `${o.resource} soft ${o.soft} hard ${o.hard}`,
  personality: (o) => `${o.persona}`,
  unshare: (o) => bits(o.flags).trim(),
  setns: (o) => `${o.ns}${bits(o.nstype)}`,
  sibling: (o) => `second clone${bits(o.flags)}`,
  hostname: (o) => word(o.name),
  domainname: (o) => word(o.name),
  sync: (o) => `${o.barrier}`,
  receive_mount: () => "from the runtime",
  wait_commit: () => "until the container is recorded",
  wait_start: () => "until `start`",
  filter_and_wait: (o) => {
    const caps = `effective ${list(o.effective)} permitted ${list(o.permitted)} inheritable ${list(o.inheritable)}`;
    return `${list(o.flags)}${o.privileged === 1 ? `, then ${caps}` : ""}; ready, until \`start\``;
  },
  open: (o) => `${word(o.path)}${o.dir === "none" ? "" : ` in ${o.dir}`}${bits(o.flags)}${bits(o.resolve)}`,
  close: (o) => `${o.fd}`,
  write: (o) => `${quoted(o.data)} to ${o.fd}`,
  write_file: (o) => `${quoted(o.data)} to ${word(o.path)}${o.dir === "none" ? "" : ` in ${o.dir}`}${bits(o.resolve)}`,
  check_device: (o) => `${o.fd} is character device ${o.major}:${o.minor}`,
  check_fs: (o) => `${o.fd} is on ${o.magic}`,
  refuse_fs: (o) => `${o.fd} is not on ${o.magic}`,
  target: (o) =>
    `${word(o.path)} ${o.kind === "like" ? `like ${o.like}` : o.kind}${o.nofollow === 1 ? " nofollow" : ""}`,
  make_node: (o) =>
    `${word(o.path)} ${words(o.mode)}${o.major === 0 && o.minor === 0 ? "" : ` ${o.major}:${o.minor}`} owner ${o.uid}:${o.gid}`,
  make_symlink: (o) => `${word(o.path)} → ${word(o.to)}${o.replace === 1 ? " replace" : ""}`,
  make_dir: (o) => `${word(o.path)} ${list(o.mode)}`,
  label: (o) => `${o.mount} ${quoted(o.context)}`,
  copy_tree: (o) => `${o.from} → ${o.to}`,
  open_tree: (o) => `${o.path === "" ? o.dir : word(o.path)}${bits(o.flags)}`,
  new_mount: (o) => {
    const mode = o.mode_of === "none" ? "" : ` mode of ${o.mode_of}`;
    return `${word(o.fstype)} ${list(o.attributes)} (${words(o.parameters)})${mode}`;
  },
  mount_attributes: (o) => {
    const part = (name: string, value: Shown | undefined): string =>
      Array.isArray(value) && value.length > 0 ? ` ${name}${value.join(",")}` : "";
    const changes = `${part("set ", o.set)}${part("clear ", o.clear)}${part("", o.propagation)}`;
    return `${o.mount}${changes}${o.recursive === 1 ? " recursive" : ""}`;
  },
  parent_propagation: (o) => `mount of ${o.folder}${bits(o.propagation)}`,
  root_propagation: (o) => `/${bits(o.propagation)}${o.recursive === 1 ? " recursive" : ""}`,
  move_mount: (o) => `${o.mount} → ${o.target}`,
  read_only_path: (o) => `${word(o.path)}${o.root === "/" ? "" : ` in ${o.root}`}`,
  mask_path: (o) => `${word(o.path)}${o.root === "/" ? "" : ` in ${o.root}`} with ${o.file} or ${o.folder}`,
  pivot_root: (o) => `${o.root}`,
  move_root: (o) => `${o.root}`,
  change_root: (o) => `${o.root}`,
  open_pty: (o) => `in ${o.devpts}${o.rows === 0 && o.columns === 0 ? "" : ` ${o.columns}x${o.rows}`}`,
  send_pty: (o) => `${o.master} → ${o.socket}`,
  use_as_stdio: (o) => `${o.fd}`,
  replace_null_stdio: (o) => `${o.null}`,
  chown_stdio: (o) => `uid ${o.uid}`,
  chdir: (o) => `${word(o.path)}${o.optional === 1 ? " if allowed" : ""}`,
  cloexec_from: (o) => `${o.first}`,
  hook: (o) => `${words(o.args)} env [${words(o.env)}]${o.timeout === 0 ? "" : ` timeout ${o.timeout} ms`}`,
  find_executable: (o) => `${word(o.name)} in PATH=${word(o.path)}`,
  home: (o) => `uid ${o.uid}`,
  execute: (o) => `${words(o.args)} env [${words(o.env)}]`,
};

/** The line without number and origin. */
export function opLine(decoded: DecodedOp, slots: Slots): string {
  const shown = shownOperands(decoded, slots);
  const line = LINES[decoded.op];
  if (line !== undefined) return `${decoded.op} ${line(shown)}`.trimEnd();
  const rest = Object.entries(shown).map(([name, value]) => `${name}=${list(value)}`);
  return [decoded.op, ...rest].join(" ");
}
