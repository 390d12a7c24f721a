// ps: who is in the container.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { cgroupOf } from "./support/cgroup-of.ts";
import { type Sandbox, until } from "./support/sandbox.ts";
import { suite } from "./support/suite.ts";

/** A running container with three processes; their pids, ascending. */
async function three(t: Sandbox): Promise<{ id: string; pids: number[] }> {
  await t.create("sleep 1001 & sleep 1002 & wait");
  await t.ok(["start", t.id]);
  const { pid } = await t.state();
  const children = await until("both are there", () => {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
    if (text === "") return false;
    const found = text.split(" ").filter((child) => readFileSync(`/proc/${child}/comm`, "utf8") === "sleep\n");
    return found.length === 2 && found.map(Number);
  });
  return { id: t.id, pids: [pid, ...children].sort((a, b) => a - b) };
}

const NO_TABLE = "crun's table is a list of pids";

suite("ps", (rule, runtime) => {
  rule("--format json is an array of all pids, those in cgroups below too", async (t) => {
    const { id, pids } = await three(t);
    const below = join(cgroupOf(pids[0] as number, "freezer"), "below");
    // runc looks for them in another hierarchy.
    if (runtime.kind === "berth") {
      mkdirSync(below);
      writeFileSync(join(below, "cgroup.procs"), String(pids[1]));
    }
    const { stdout } = await t.ok(["ps", "--format", "json", id]);
    expect((JSON.parse(stdout) as number[]).sort((a, b) => a - b)).toEqual(pids);
    if (runtime.kind !== "crun") expect(stdout.split("\n").length).toBe(2);
    await t.ok(["delete", "--force", id]);
  });

  rule(
    "prints the lines of ps -ef that are the container's",
    async (t) => {
      const { id, pids } = await three(t);
      const lines = (await t.ok(["ps", id])).stdout.trimEnd().split("\n");
      expect(lines[0]).toMatch(/^UID +PID +PPID .*CMD$/);
      expect(lines.slice(1).map((line) => Number(line.split(/ +/)[1]))).toEqual(pids);
      expect(lines[2]).toContain("sleep 100");
      await t.ok(["delete", "--force", id]);
    },
    { except: { crun: NO_TABLE } },
  );

  rule(
    "hands everything behind the id to ps",
    async (t) => {
      const { id, pids } = await three(t);
      const table = async (...words: string[]): Promise<string[]> =>
        (await t.ok(["ps", id, ...words])).stdout.trimEnd().split("\n");
      expect(await table("-o", "pid,comm", "-A")).toEqual([
        expect.stringMatching(/^ +PID COMMAND$/),
        ...pids.map((pid) => expect.stringMatching(new RegExp(`^ *${pid} (sh|sleep)$`))),
      ]);
      expect((await table("aux"))[0]).toMatch(/^USER +PID %CPU/);
      expect((await table("-e", "--format", "pid,args"))[0]).toMatch(/^ +PID COMMAND$/);
      await t.ok(["delete", "--force", id]);
    },
    { except: { crun: NO_TABLE } },
  );

  rule(
    "says what was wrong: no column with pids, arguments that ps refuses, an unknown format",
    async (t) => {
      const { id } = await three(t);
      expect((await t.fails(["ps", id, "-eo", "comm"])).stderr).toContain("couldn't find PID field in ps output");
      expect((await t.fails(["ps", id, "-zz"])).stderr).toMatch(/exit status 1: error: .*option/);
      expect((await t.fails(["ps", "--format", "xml", id])).stderr).toContain("invalid format option");
      // The Node host is started by a script that needs $PATH itself.
      if (runtime.name !== "node-berth") {
        const result = await t.fails(["ps", id], { env: { PATH: t.path("empty") } });
        expect(result.stderr).toContain('exec: \\"ps\\": executable file not found in $PATH');
      }
      expect((await t.fails(["ps", t.newId()])).stderr).toContain("container does not exist");
      await t.ok(["delete", "--force", id]);
    },
    { except: { crun: NO_TABLE } },
  );

  rule(
    "of a stopped container shows nobody",
    async (t) => {
      const id = await t.create("true");
      await t.ok(["start", id]);
      await t.waitFor("stopped");
      expect((await t.ok(["ps", "-f", "json", id])).stdout).toBe("null\n");
      expect((await t.ok(["ps", id])).stdout).toMatch(/^UID .*CMD\n$/);
      await t.ok(["delete", id]);
    },
    { except: { crun: NO_TABLE } },
  );

  rule(
    "copes with a ps that prints megabytes, and not with one that prints without end",
    async (t) => {
      const { id, pids } = await three(t);
      t.script("ps", `echo PID; echo ${pids[0]}; yes "1 $(printf %200s)" | head -c 8000000`);
      const env = { PATH: `${t.dir}:${process.env.PATH}` };
      expect((await t.ok(["ps", id], { env })).stdout).toBe(`PID\n${pids[0]}\n`);
      t.script("ps", "echo PID; yes");
      expect((await t.fails(["ps", id], { env })).stderr).toMatch(/file too large/i);
      await t.ok(["delete", "--force", id]);
    },
    { only: ["berth"] },
  );
});
