// For tests: a process in a cgroup that tells which device nodes it may use. It asks by access(2), which the devices cgroup
// decides like an open, but which never reaches a driver: any number can be tried.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { ACCESS, type DeviceException } from "../cgroup/device-policy.ts";

/** Reads commands as lines and answers each by a line. */
const SCRIPT = `
const { accessSync } = require("node:fs");
const nodes = JSON.parse(process.argv[1]);
const allowed = ([path, mode]) => { try { accessSync(path, mode); return true; } catch { return false; } };
let watched, always, ever, rounds;
const look = () => {
  for (let i = 0; i < 100 && watched.length > 0; i++, rounds++) {
    for (const n of watched) if (allowed(nodes[n])) ever[n] = true; else always[n] = false;
  }
  if (watched.length > 0) setImmediate(look);
};
require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
  if (line === "ask") console.log(JSON.stringify(nodes.map(allowed)));
  if (line.startsWith("watch ")) {
    watched = JSON.parse(line.slice(6));
    [rounds, always, ever] = [0, nodes.map(() => true), nodes.map(() => false)];
    console.log("{}");
    look();
  }
  if (line === "stop") {
    watched = [];
    console.log(JSON.stringify({ rounds, always, ever }));
  }
});
console.log("{}");
`;

export interface Watched {
  rounds: number;
  /** For each request: never refused since `watch`; allowed at least once. */
  always: boolean[];
  ever: boolean[];
}

export class Prober {
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #lines: AsyncIterator<string>;

  /** Of the requests' access r and w count alone. The process joins the cgroups before it begins. */
  constructor(requests: readonly DeviceException[], cgroups: readonly string[]) {
    this.#folder = mkdtempSync(join(tmpdir(), "berth-prober-"));
    const nodes = requests.map((request): [string, number] => [this.#node(request), mode(request.access)]);
    const commands = [
      ...new Set(requests.map((one) => `mknod ${this.#node(one)} ${one.type} ${one.major} ${one.minor}`)),
    ];
    writeFileSync(join(this.#folder, "make.sh"), commands.join("\n"));
    execFileSync("sh", ["-e", join(this.#folder, "make.sh")]);
    const enter = cgroups.map((path) => `echo $$ > ${path}/cgroup.procs`).join("; ");
    const script = `${enter}; exec "$0" -e "$1" "$2"`;
    this.#child = spawn("sh", ["-ec", script, "node", SCRIPT, JSON.stringify(nodes)], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#lines = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  }

  /** Whether each request is allowed. */
  ask(): Promise<boolean[]> {
    return this.#command("ask") as Promise<boolean[]>;
  }

  /** Asks for these requests again and again, until `stop`. */
  watch(indices: readonly number[]): Promise<unknown> {
    return this.#command(`watch ${JSON.stringify(indices)}`);
  }

  stop(): Promise<Watched> {
    return this.#command("stop") as Promise<Watched>;
  }

  /** Waits until the process runs in its cgroups. */
  async ready(): Promise<void> {
    await this.#lines.next();
  }

  async end(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.kill("SIGKILL");
    await ended;
    rmSync(this.#folder, { recursive: true });
  }

  async #command(line: string): Promise<unknown> {
    this.#child.stdin?.write(`${line}\n`);
    return JSON.parse((await this.#lines.next()).value);
  }

  #node({ type, major, minor }: DeviceException): string {
    return join(this.#folder, `${type}-${major}-${minor}`);
  }
}

/** R_OK and W_OK. */
function mode(access: number): number {
  return ((access & ACCESS.r) !== 0 ? 4 : 0) | ((access & ACCESS.w) !== 0 ? 2 : 0);
}
