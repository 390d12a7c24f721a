// One row of the table under one runtime: create, read every file of the container's cgroup that takes a value, delete.

import { spawn } from "node:child_process";
import {
  closeSync,
  type Dirent,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

/** What a mode of cgroups is called in the table: "v2" is cgroup v2 by files, "systemd" cgroup v2 by systemd. */
export type Mode = "v1" | "hybrid" | "v2" | "systemd";

export interface Row {
  title: string;
  /** linux.resources. "#123" stands for a number that JSON.parse would round, "$MAJOR" for a disk's number. */
  resources: object;
  /** All when absent. */
  modes?: Mode[];
}

export interface Peer {
  /** "runc", "crun", "berth". */
  kind: string;
  /** "runc 1.3.6+ds1": the first words of --version without the word version. */
  version: string;
  path: string;
}

/** Name of a file (with its controllers on v1), property or outcome → value. */
export type Findings = ReadonlyMap<string, string>;

export interface Venue {
  mode: Mode;
  /** Folder for state, output and bundles. */
  work: string;
  /** Prefix of ids and cgroups. */
  tag: string;
}

/** Values that change by themselves or belong to the moment. */
const MOVING =
  /^(cgroup\.(procs|threads|event_control|kill)|tasks|.*\.pressure|.*(peak|failcnt|max_usage_in_bytes|force_empty|reclaim|usage|reset_stats|stat|slabinfo))$/;
const PROPERTIES = [
  "MemoryMax",
  "MemoryLow",
  "MemorySwapMax",
  "CPUWeight",
  "CPUQuotaPerSecUSec",
  "CPUQuotaPeriodUSec",
  "TasksMax",
  "AllowedCPUs",
  "AllowedMemoryNodes",
  "IOWeight",
  "Delegate",
];

interface Ended {
  code: number | null;
  text: string;
}

/** Standard streams on files: runtimes change their owner, and what is created keeps them open. */
export function call(venue: Venue, name: string, words: readonly string[]): Promise<Ended> {
  const path = join(venue.work, `${name}.out`);
  const output = openSync(path, "w");
  const input = openSync(join(venue.work, "null"), "r+");
  const [program = "", ...args] = words;
  const child = spawn(program, args, { stdio: [input, output, output], timeout: 60_000, killSignal: "SIGKILL" });
  closeSync(output);
  closeSync(input);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code) => resolve({ code, text: readFileSync(path, "utf8") }));
  });
}

function readFolder(found: Map<string, string>, folder: string, prefix: string): void {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const writable = (statSync(path).mode & 0o222) !== 0;
    if (!statSync(path).isFile() || MOVING.test(name) || !(writable || name === "devices.list")) continue;
    try {
      const text = readFileSync(path, "utf8").trim();
      found.set(prefix + name, name === "devices.list" ? text.split("\n").sort().join("\n") : text);
    } catch {
      // Write only, or not for this device.
    }
  }
}

function mountOf(controllers: string): string {
  if (controllers === "") return existsSync("/sys/fs/cgroup/cgroup.controllers") ? "" : "unified";
  return controllers.replace("name=", "").split(",")[0] ?? "";
}

/** The cgroups of a process: their paths (without the container's own name) and the values of their files. */
export function readCgroups(pid: number, name: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const line of readFileSync(`/proc/${pid}/cgroup`, "utf8").trim().split("\n")) {
    const [, controllers = "", ...rest] = line.split(":");
    const path = rest.join(":");
    const folder = join("/sys/fs/cgroup", mountOf(controllers), path);
    found.set(`cgroup ${controllers}`, path.replaceAll(name, "NAME"));
    if (path.includes(name) && existsSync(folder))
      readFolder(found, folder, controllers === "" ? "" : `${controllers}/`);
  }
  return found;
}

async function readUnit(venue: Venue, key: string, unit: string, found: Map<string, string>): Promise<void> {
  const properties = PROPERTIES.flatMap((property) => ["-p", property]);
  const shown = await call(venue, `${key}-unit`, ["systemctl", "show", unit, ...properties]);
  for (const line of shown.text.trim().split("\n")) {
    const [property = "", ...value] = line.split("=");
    found.set(`unit ${property}`, value.join("="));
  }
}

/** Empty for a folder that went meanwhile: other rows run at the same time. */
function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

/** What is left of a container after its deletion or a failed create. */
function leftOf(name: string, state: string): string[] {
  const found: string[] = [];
  const look = (folder: string, depth: number): void => {
    for (const entry of entriesOf(folder)) {
      if (!entry.isDirectory()) continue;
      const path = join(folder, entry.name);
      if (entry.name.includes(name)) found.push(path);
      else if (depth > 0) look(path, depth - 1);
    }
  };
  look("/sys/fs/cgroup", 2);
  if (existsSync(state)) found.push(...readdirSync(state).filter((entry) => entry === name));
  return found;
}

/** crun leaves cgroups of a failed create; the next runtime must not find them. */
function removeTree(folder: string): void {
  for (const entry of entriesOf(folder)) if (entry.isDirectory()) removeTree(join(folder, entry.name));
  try {
    rmdirSync(folder);
  } catch {
    // Gone, or not empty: the next create says so.
  }
}

/** config.json of a row, with what the placeholders stand for. */
export function configText(template: object, venue: Venue, name: string, resources: object, disks: Disk[]): string {
  const config = structuredClone(template) as { linux: Record<string, unknown>; annotations?: Record<string, string> };
  // Without any rule crun allows every device.
  config.linux.resources = { devices: [{ allow: false, access: "rwm" }], ...resources };
  config.linux.cgroupsPath = venue.mode === "systemd" ? `system.slice:berth:${name}` : `/${name}`;
  // crun would put its processes one folder below the scope.
  if (venue.mode === "systemd") config.annotations = { "run.oci.systemd.subgroup": "" };
  let text = JSON.stringify(config, null, 1);
  for (const [index, disk] of disks.entries()) {
    const suffix = index === 0 ? "" : String(index + 1);
    text = text.replaceAll(`"$MAJOR${suffix}"`, String(disk.major)).replaceAll(`"$MINOR${suffix}"`, String(disk.minor));
  }
  return text.replaceAll(/"#(\d+)"/g, "$1");
}

export interface Disk {
  major: number;
  minor: number;
}

/** Creates the bundle's container, reads its cgroups, deletes it. `name` is also the last part of the cgroup's path. */
export async function observe(venue: Venue, peer: Peer, bundle: string, name: string): Promise<Findings> {
  const key = `${name}-${peer.kind}`;
  const root = join(venue.work, `state-${peer.kind}`);
  const words = [peer.path, "--root", root, ...(venue.mode === "systemd" ? ["--systemd-cgroup"] : [])];
  const pidFile = join(venue.work, `${key}.pid`);
  const created = await call(venue, key, [...words, "create", "--bundle", bundle, "--pid-file", pidFile, name]);
  let found = new Map<string, string>();
  if (created.code === 0) {
    found = readCgroups(Number(readFileSync(pidFile, "utf8")), name);
    // crun tells systemd other numbers than it writes into the files: not compared.
    if (venue.mode === "systemd" && peer.kind !== "crun") await readUnit(venue, key, `berth-${name}.scope`, found);
  }
  if (created.code === 0) {
    const deleted = await call(venue, `${key}-delete`, [...words, "delete", "--force", name]);
    if (deleted.code !== 0) found.set("delete", deleted.text);
  }
  found.set("exit code of create", String(created.code));
  const left = leftOf(name, root);
  if (left.length > 0) {
    found.set("left behind", left.join(" ").replaceAll(name, "NAME"));
    await call(venue, `${key}-delete`, [...words, "delete", "--force", name]);
    for (const path of left) if (path.startsWith("/sys/fs/cgroup/")) removeTree(path);
  }
  if (created.code !== 0) writeFileSync(join(venue.work, `${key}.error`), created.text);
  return found;
}
