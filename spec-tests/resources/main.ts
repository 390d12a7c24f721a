// The table of resource settings under berth and its peers: the same bundle is created by each, and every file of the
// container's cgroup must hold the same value. TAP on standard output, one test for each row and peer.
//
//   MODE=v1|hybrid|v2|systemd BERTH=dist/berth PEERS="runc crun" node main.mjs [BEGINNING OF A TITLE...]
//
// spec-tests/resources/run.sh runs it here, spec-tests/guest/resources.sh in the guest: one program, one table.

import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { PeerCache } from "./cache.ts";
import { configText, type Disk, type Mode, observe, type Peer, type Row, type Venue } from "./compare.ts";
import { ALONE, type Difference, differing, Known } from "./differences.ts";
import table from "./table.json" with { type: "json" };

const { rows, peers: known, differences } = table as { rows: Row[]; peers: string[]; differences: Difference[] };

function disks(): Disk[] {
  const found: Disk[] = [];
  for (const name of readdirSync("/sys/block").sort().reverse()) {
    if (/^(zram|loop|ram|sr|fd)/.test(name) && found.length === 0) continue;
    const [major, minor] = readFileSync(`/sys/block/${name}/dev`, "utf8").trim().split(":").map(Number);
    found.push({ major: major ?? 0, minor: minor ?? 0 });
  }
  return found;
}

function peer(path: string): Peer {
  const [kind = "", , version = ""] = execFileSync(path, ["--version"], { encoding: "utf8" }).split(/\s+/);
  return { kind, version: `${kind} ${version}`, path };
}

/** As little of a container as every runtime takes: it is its cgroup that counts. */
function template(rootfs: string): object {
  return {
    ociVersion: "1.0.2",
    process: { user: { uid: 0, gid: 0 }, args: ["/bin/busybox", "true"], env: ["PATH=/bin"], cwd: "/" },
    root: { path: rootfs },
    mounts: [
      { destination: "/proc", type: "proc", source: "proc" },
      { destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid"] },
    ],
    linux: { namespaces: [{ type: "pid" }, { type: "mount" }] },
  };
}

function makeRootfs(work: string): string {
  const rootfs = join(work, "rootfs");
  for (const name of ["bin", "dev", "proc"]) mkdirSync(join(rootfs, name), { recursive: true });
  copyFileSync("/bin/busybox", join(rootfs, "bin/busybox"));
  return rootfs;
}

const mode = (process.env.MODE ?? "v1") as Mode;
const base = process.env.BERTH_WORK ?? "/tmp";
const work = mkdtempSync(join(base, "resources-"));
const venue: Venue = { mode, work, tag: `${process.env.BERTH_TAG ?? "bt"}r${process.pid}` };
execFileSync("mknod", ["-m", "666", join(work, "null"), "c", "1", "3"]);
execFileSync("cp", [process.env.BERTH ?? "dist/berth", join(work, "berth")]);
const first = peer(process.env.FIRST ?? join(work, "berth"));
const peers = (process.env.PEERS ?? "runc crun").split(" ").map(peer);
const lists = new Map(peers.map((other) => [other, new Known(differences, other.version, mode)]));
const rootfs = makeRootfs(work);
const wanted = process.argv.slice(2);
const mine = rows
  .filter((row) => row.modes?.includes(mode) ?? true)
  .filter(({ title }) => wanted.length === 0 || wanted.some((begin) => title.startsWith(begin)));

const cache = new PeerCache(process.env.PEER_CACHE);
let remembered = 0;
let count = 0;
let failed = 0;
function report(title: string, problems: readonly string[], remarks: readonly string[] = [], skip = ""): void {
  count++;
  if (problems.length > 0) failed++;
  const lines = [`${problems.length > 0 ? "not ok" : "ok"} ${count} - ${title}${skip}`];
  for (const text of [...problems, ...remarks]) lines.push(`# ${text.trim().replaceAll("\n", "\n# ")}`);
  process.stdout.write(`${lines.join("\n")}\n`);
}

function words(name: string, kind: string): string {
  const path = join(work, `${name}-${kind}.error`);
  return existsSync(path) ? `${kind}: ${readFileSync(path, "utf8")}` : "";
}

async function compare(row: Row, index: number): Promise<void> {
  const name = `${venue.tag}-${index}`;
  const bundle = join(work, name);
  mkdirSync(bundle);
  writeFileSync(join(bundle, "config.json"), configText(template(rootfs), venue, name, row.resources, disks()));
  const ours = await observe(venue, first, bundle, name);
  const alone: string[] = [];
  for (const key of ALONE) if (ours.has(key)) alone.push(`${key}: ${ours.get(key)}`);
  const code = ours.get("exit code of create");
  if (code !== "0" && code !== "1") alone.push(`create ended with ${code}`);
  if (alone.length > 0) report(`${mode}: ${row.title}: ${first.kind} alone`, alone, [words(name, first.kind)]);
  for (const other of peers) {
    const kept = cache.get(mode, other, row);
    const theirs = kept ?? (await observe(venue, other, bundle, name));
    if (kept !== undefined) remembered++;
    const found = differing(ours, theirs, other.kind);
    const title = `${mode}: ${row.title}: as ${other.kind}`;
    if (!known.some((version) => other.version.startsWith(version))) {
      report(
        title,
        [],
        [...found].map(([file, text]) => `${file}: ${text}`),
        ` # SKIP nothing is known of ${other.version}`,
      );
      continue;
    }
    const { problems, reasons } = lists.get(other)?.judge(row.title, found) ?? { problems: [], reasons: [] };
    if (problems.length === 0) cache.set(mode, other, row, theirs);
    const said = code === "0" && problems.length === 0 ? [] : [words(name, first.kind), words(name, other.kind)];
    report(
      title,
      problems,
      [...reasons, ...said].filter((text) => text !== ""),
    );
  }
  rmSync(bundle, { recursive: true });
}

process.stdout.write(
  `# ${mode}: ${first.version}, ${peers.map(({ version }) => version).join(", ")}; ${mine.length} rows\n`,
);
const queue = [...mine.entries()];
const workers = Array.from({ length: Number(process.env.JOBS ?? 2) }, async () => {
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) await compare(next[1], next[0]);
});
await Promise.all(workers);
if (wanted.length === 0) {
  for (const [other, list] of lists) {
    report(`${mode}: every difference that is listed for ${other.version} was seen`, list.unused());
  }
}
cache.save();
if (remembered > 0) process.stdout.write(`# ${remembered} findings of peers are those of an earlier run\n`);
rmSync(work, { recursive: true, force: true });
process.stdout.write(`1..${count}\n`);
process.exitCode = failed > 0 ? 1 : 0;
