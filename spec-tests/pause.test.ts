// pause and resume: every process of the container, for as long as it is asked.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { cgroupOf, view } from "./support/cgroup-of.ts";
import type { Config } from "./support/config.ts";
import { type Sandbox, sleep, until } from "./support/sandbox.ts";
import { suite } from "./support/suite.ts";

/** Two processes that write on and on. */
const TICKING = "while :; do echo >>/a; sleep 0.01; done & while :; do echo >>/b; sleep 0.01; done";

const sharedPid = (config: Config): void => {
  config.linux.namespaces = config.linux.namespaces.filter(({ type }) => type !== "pid");
};

async function running(t: Sandbox, script: string, edit?: (config: Config) => void): Promise<string> {
  await t.create(script, edit);
  await t.ok(["start", t.id]);
  return t.id;
}

const ticks = (t: Sandbox): number =>
  ["a", "b"]
    .map((name) => (t.exists(`bundle/rootfs/${name}`) ? t.read(`bundle/rootfs/${name}`).length : 0))
    .sort((x, y) => x - y)[0] ?? 0;

suite("pause", (rule) => {
  rule("stops every process of the container, resume lets them go on", async (t) => {
    const id = await running(t, TICKING);
    await until("both run", () => ticks(t) > 2);
    await t.ok(["pause", id]);
    expect((await t.state()).status).toBe("paused");
    const before = [t.read("bundle/rootfs/a"), t.read("bundle/rootfs/b")];
    await sleep(100);
    expect([t.read("bundle/rootfs/a"), t.read("bundle/rootfs/b")]).toEqual(before);
    await t.ok(["resume", id]);
    expect((await t.state()).status).toBe("running");
    const then = ticks(t);
    await until("both go on", () => ticks(t) > then + 2);
    await t.ok(["delete", "--force", id]);
  });

  rule(
    "also stops what is in cgroups below, and everything that is being forked",
    async (t) => {
      const fork = "f() { while :; do ( : ) & : ; done; }; for i in 1 2 3 4; do f & done; touch /ready; wait";
      const id = await running(t, fork, sharedPid);
      await until("it forks", () => t.exists("bundle/rootfs/ready"));
      const { pid } = await t.state();
      const below = join(cgroupOf(pid, "freezer"), "below");
      mkdirSync(below);
      const [child = ""] = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ");
      writeFileSync(join(below, "cgroup.procs"), child);
      for (let round = 0; round < 5; round++) {
        await t.ok(["pause", id]);
        const events = view === "v2" ? "cgroup.events" : "freezer.state";
        // On v2 a signal of a child that has just ended may wake what is frozen for a moment.
        await until("all are frozen", () => /frozen 1|FROZEN/.test(readFileSync(join(below, events), "utf8")));
        await t.ok(["resume", id]);
      }
      await t.ok(["delete", "--force", id]);
      expect(await t.left()).toEqual([]);
    },
    { except: { crun: "crun 1.8 does not try again" } },
  );

  rule(
    "takes a created container, which can be started after resume",
    async (t) => {
      const id = await t.create("touch /started; sleep 1000");
      await t.ok(["pause", id]);
      expect((await t.state()).status).toBe("paused");
      const refused = await t.fails(["start", id]);
      expect(refused.stderr).toMatch(/paused/);
      await t.ok(["resume", id]);
      expect((await t.state()).status).toBe("created");
      await t.ok(["start", id]);
      await until("it runs", () => t.exists("bundle/rootfs/started"));
      await t.ok(["delete", "--force", id]);
    },
    { except: { crun: "crun 1.8 says created" } },
  );

  rule(
    "is refused for a paused or stopped container, resume for one that is not paused",
    async (t) => {
      const id = await running(t, "sleep 1000");
      const says = async (args: string[], words: string): Promise<void> => {
        const { code, stderr } = await t.fails(args);
        expect([code, stderr.trim().split("\n").length]).toEqual([1, 1]);
        expect(stderr).toContain(words);
      };
      await says(["resume", id], "container not paused");
      await t.ok(["pause", id]);
      await says(["pause", id], "container not running");
      await says(["delete", id], `cannot delete container ${id} that is not stopped: paused`);
      await t.ok(["kill", id, "KILL"]);
      await t.waitFor("stopped");
      await says(["pause", id], "container not running");
      await says(["resume", id], "container not paused");
      await t.ok(["delete", id]);
      await says(["pause", id], "container does not exist");
      await says(["resume", id], "container does not exist");
    },
    { except: { crun: "crun says it in its own words" } },
  );

  for (const [kind, edit] of [
    ["its own", undefined],
    ["a shared", sharedPid],
  ] as const) {
    rule(
      `a paused container with ${kind} pid namespace dies of KILL`,
      async (t) => {
        const id = await running(t, TICKING, edit);
        await until("both run", () => ticks(t) > 2);
        await t.ok(["pause", id]);
        await t.ok(["kill", id, "KILL"]);
        await t.waitFor("stopped");
        await t.ok(["delete", id]);
        expect(await t.left()).toEqual([]);
      },
      { except: { crun: "crun 1.8 leaves it frozen" } },
    );

    rule(`a paused container with ${kind} pid namespace is removed by delete --force`, async (t) => {
      const id = await running(t, TICKING, edit);
      await until("both run", () => ticks(t) > 2);
      await t.ok(["pause", id]);
      await t.ok(["delete", "--force", id]);
      expect(await t.left()).toEqual([]);
    });
  }

  rule("a signal that was sent meanwhile comes after resume", async (t) => {
    const id = await running(t, "trap 'touch /got; exit' TERM; touch /ready; while :; do sleep 0.01; done");
    await until("the trap is set", () => t.exists("bundle/rootfs/ready"));
    await t.ok(["pause", id]);
    await t.ok(["kill", id, "TERM"]);
    await sleep(50);
    expect(t.exists("bundle/rootfs/got")).toBe(false);
    await t.ok(["resume", id]);
    await until("the signal came", () => t.exists("bundle/rootfs/got"));
    await t.waitFor("stopped");
    await t.ok(["delete", id]);
  });
});
