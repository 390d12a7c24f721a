// npm run bench [-- ROUNDS]: what one command of each runtime costs as a whole process, side by side, as Markdown.
//
// Every round measures every runtime once, so that a busy moment of the machine hits all of them, in random order, so that
// none always comes after the same one (the kernel is at the last one's network namespace for a while). "warm": the same
// runtime ran directly before, uncounted. "cold": 60 ms of idle time before. Nothing is between the timer and the
// runtime: bench/timer.c clones, waits and prints; no shell, no Node. All runtimes get the same bundle (`runc spec`,
// terminal false, /bin/true), the same cgroup view, the state folder on a tmpfs as /run is, their standard streams on
// files and a null device of our own (runtimes change the owner of their streams: a part of what is measured).

import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, realpathSync, statSync, writeFileSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import { makeRootfs } from "../spec-tests/support/rootfs.ts";

interface Runtime {
  name: string;
  path: string;
}

interface Sample {
  ms: number;
  kib: number;
}

type Command = "run" | "create" | "start" | "state" | "kill" | "delete";
type Heat = "warm" | "cold";

const LIFECYCLE = ["create", "start", "state", "kill", "delete"] as const;
const IDLE = ["@idle", "60"];
const FLOOR = "floor";

const work = process.env.BERTH_WORK ?? fail("start it with bench/bench.sh");
const rounds = Number(process.argv[2] ?? process.env.BENCH_ROUNDS ?? 40);
const timer = "dist/bench/timer";
const samples = new Map<string, Sample[]>();

function fail(message: string): never {
  process.stderr.write(`bench: ${message}\n`);
  process.exit(1);
}

function which(name: string): string | undefined {
  const found = spawnSync("sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).stdout.trim();
  return found === "" ? undefined : realpathSync(found);
}

/** RUNTIMES="name=path ..." or what there is: dist/berth, crun, runc. */
function runtimes(): Runtime[] {
  const given = process.env.RUNTIMES?.split(/\s+/).filter((word) => word.includes("="));
  if (given !== undefined) {
    return given.map((word) => {
      const at = word.indexOf("=");
      return { name: word.slice(0, at), path: realpathSync(word.slice(at + 1)) };
    });
  }
  const list: Runtime[] = [];
  if (existsSync("dist/berth")) list.push({ name: "berth", path: realpathSync("dist/berth") });
  else process.stderr.write("bench: dist/berth is not there: npm run build\n");
  for (const name of ["crun", "runc"]) {
    const path = which(name);
    if (path !== undefined) list.push({ name, path });
    else process.stderr.write(`bench: ${name} is not installed\n`);
  }
  return list;
}

function makeBundle(list: readonly Runtime[]): string {
  const bundle = join(realpathSync("dist/bench"), "bundle");
  makeRootfs(join(bundle, "rootfs"));
  const config = join(bundle, "config.json");
  const writer = list.find((runtime) => runtime.name === "runc") ?? list[0] ?? fail("no runtime");
  execFileSync("rm", ["-f", config]);
  execFileSync(writer.path, ["spec"], { cwd: bundle });
  const json = JSON.parse(readFileSync(config, "utf8")) as { process: { terminal: boolean; args: string[] } };
  json.process.terminal = false;
  json.process.args = ["/bin/true"];
  writeFileSync(config, JSON.stringify(json, null, 2));
  // The container of the lifecycle must still run when `state` and `kill` come.
  const waiting = join(realpathSync("dist/bench"), "waiting");
  mkdirSync(waiting, { recursive: true });
  const root = { path: join(bundle, "rootfs"), readonly: true };
  const lasting = { ...json, root, process: { ...json.process, args: ["/bin/sleep", "1000"] } };
  writeFileSync(join(waiting, "config.json"), JSON.stringify(lasting, null, 2));
  return bundle;
}

/** Runs the timer over the words of several programs; one sample for each that is no @word. */
function time(programs: readonly (readonly string[])[]): Sample[] {
  const words = programs.flatMap((program, index) => (index === 0 ? program : [";", ...program]));
  const log = join(work, "log");
  writeFileSync(log, "");
  const result = spawnSync(timer, [join(work, "null"), log, ...words], { encoding: "utf8" });
  if (result.status !== 0) fail(`${words.join(" ")}\n${result.stdout}${result.stderr}${readFileSync(log, "utf8")}`);
  return result.stdout
    .trim()
    .split("\n")
    .map((line) => {
      const [ns, kib] = line.split(" ").map(Number);
      return { ms: (ns ?? 0) / 1e6, kib: kib ?? 0 };
    });
}

function keep(runtime: string, command: Command, heat: Heat, sample: Sample | undefined): void {
  if (sample === undefined) fail(`no sample for ${runtime} ${command}`);
  const key = `${runtime} ${command} ${heat}`;
  const list = samples.get(key);
  if (list === undefined) samples.set(key, [sample]);
  else list.push(sample);
}

function measureRun(name: string, program: readonly string[]): void {
  keep(name, "run", "warm", time([program, program])[1]);
  keep(name, "run", "cold", time([program, IDLE, program])[1]);
}

function lifecycle(runtime: Runtime, bundle: string, heat: Heat): Sample[] {
  const root = ["--root", join(work, runtime.name)];
  const pid = join(work, "pid");
  const words: Record<(typeof LIFECYCLE)[number], string[]> = {
    create: [runtime.path, ...root, "create", "--bundle", bundle, "--pid-file", pid, "life"],
    start: [runtime.path, ...root, "start", "life"],
    state: [runtime.path, ...root, "state", "life"],
    kill: [runtime.path, ...root, "kill", "life", "KILL"],
    delete: [runtime.path, ...root, "delete", "life"],
  };
  const all = LIFECYCLE.flatMap((command) => {
    const before = command === "delete" ? [["@gone", pid]] : [];
    return heat === "cold" ? [...before, IDLE, words[command]] : [...before, words[command]];
  });
  return time(all);
}

function measureLifecycle(runtime: Runtime, bundle: string): void {
  // Once uncounted, then warm: the same commands ran directly before.
  lifecycle(runtime, bundle, "warm");
  for (const heat of ["warm", "cold"] as const) {
    const result = lifecycle(runtime, bundle, heat);
    LIFECYCLE.forEach((command, index) => {
      keep(runtime.name, command, heat, result[index]);
    });
  }
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  const upper = sorted[half] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? upper) + upper) / 2;
}

function medianMs(runtime: string, command: Command, heat: Heat): number {
  return median((samples.get(`${runtime} ${command} ${heat}`) ?? []).map((sample) => sample.ms));
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [row(head), row(head.map((_, index) => (index === 0 ? "---" : "---:"))), ...rows.map(row)].join("\n");
}

function timeTable(list: readonly Runtime[], heat: Heat): string {
  const first = list[0]?.name ?? "";
  const others = [...list.slice(1).map((runtime) => runtime.name), FLOOR];
  const head = ["command", ...list.map((r) => r.name), FLOOR, ...others.map((name) => `${first} / ${name}`)];
  const rows = (["run", ...LIFECYCLE] as const).map((command) => {
    const ms = (name: string) => medianMs(name, command, heat);
    const cell = (value: number) => (Number.isNaN(value) ? "" : value.toFixed(2));
    return [
      command,
      ...list.map((runtime) => cell(ms(runtime.name))),
      cell(ms(FLOOR)),
      ...others.map((name) => cell(ms(first) / ms(name))),
    ];
  });
  return table(head, rows);
}

function memoryTable(list: readonly Runtime[]): string {
  const rows = (["run", ...LIFECYCLE] as const).map((command) => [
    command,
    ...list.map((runtime) => {
      const all = samples.get(`${runtime.name} ${command} warm`) ?? [];
      return (median(all.map((sample) => sample.kib)) / 1024).toFixed(2);
    }),
  ]);
  return table(["command", ...list.map((runtime) => runtime.name)], rows);
}

function sharedLibraries(path: string): string[] {
  const result = spawnSync("ldd", [path], { encoding: "utf8" });
  if (result.status !== 0) return [];
  const words = result.stdout.split(/\s+/).filter((word) => word.startsWith("/"));
  return [...new Set(words.map((word) => realpathSync(word)))].filter((word) => word !== path);
}

function sizeTable(list: readonly Runtime[]): string {
  const mib = (paths: readonly string[]) =>
    (paths.reduce((sum, path) => sum + statSync(path).size, 0) / (1 << 20)).toFixed(2);
  const rows = list.map(({ name, path }) => {
    const libraries = sharedLibraries(path);
    return [name, mib([path]), String(libraries.length), mib([path, ...libraries])];
  });
  return table(["executable", "MiB", "shared libraries", "MiB with them"], rows);
}

function version(runtime: Runtime): string {
  const text = spawnSync(runtime.path, ["--version"], { encoding: "utf8" }).stdout.trim().split("\n");
  return `${text[0] ?? "?"}`;
}

const list = runtimes();
const bundle = makeBundle(list);
const waiting = join(realpathSync("dist/bench"), "waiting");
for (const runtime of list) mkdirSync(join(work, runtime.name));
const measurements = list.map((runtime) => () => {
  const program = [runtime.path, "--root", join(work, runtime.name), "run", "--bundle", bundle, "once"];
  measureRun(runtime.name, program);
  measureLifecycle(runtime, waiting);
});
measurements.push(() => measureRun(FLOOR, [realpathSync("dist/bench/floor"), join(bundle, "rootfs"), "/bin/true"]));
for (let i = 0; i < rounds; i++) for (const measure of shuffled(measurements)) measure();

const cpu = /model name\s*:\s*(.*)/.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1] ?? "?";
process.stdout.write(
  `${[
    `Linux ${release()}, cgroup view: ${process.env.BERTH_VIEW}, ${cpu}; ${rounds} rounds, ${list.map(version).join(", ")}`,
    `Milliseconds, median, warm (the same command ran directly before)`,
    timeTable(list, "warm"),
    `Milliseconds, median, cold (60 ms idle before)`,
    timeTable(list, "cold"),
    `Peak resident MiB of the command and what it waited for, median`,
    memoryTable(list),
    sizeTable(list),
  ].join("\n\n")}\n`,
);
