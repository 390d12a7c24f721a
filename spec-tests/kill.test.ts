// kill and delete --force where init's end is not everybody's end: shared pid namespaces, processes that fork and exit.

import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { cgroupOf } from "./support/cgroup-of.ts";
import type { Config } from "./support/config.ts";
import { type Sandbox, until } from "./support/sandbox.ts";
import { suite } from "./support/suite.ts";

const sharedPid = (config: Config): void => {
  config.linux.namespaces = config.linux.namespaces.filter(({ type }) => type !== "pid");
};

/** init and three more; each writes down the signals it gets, and lives on. */
const FAMILY = `for n in 1 2 3; do
  (trap "echo $n >> /got" USR1; touch /ready$n; while :; do sleep 0.01; done) &
done
trap "echo 0 >> /got" USR1; touch /ready0; while :; do sleep 0.01; done`;

async function family(t: Sandbox, edit?: (config: Config) => void): Promise<number> {
  await t.create(FAMILY, edit);
  await t.ok(["start", t.id]);
  await until("all are ready", () => ["0", "1", "2", "3"].every((n) => t.exists(`bundle/rootfs/ready${n}`)));
  return (await t.state()).pid;
}

const procs = (pid: number): string[] => {
  const text = readFileSync(`${cgroupOf(pid, "freezer")}/cgroup.procs`, "utf8").trim();
  return text === "" ? [] : text.split("\n");
};

suite("kill", (rule, runtime) => {
  const gone = (t: Sandbox): boolean => t.read("bundle/rootfs/got").includes("0");

  rule("reaches init alone, in a shared pid namespace too", async (t) => {
    await family(t, sharedPid);
    await t.ok(["kill", t.id, "USR1"]);
    await until("it came", () => t.exists("bundle/rootfs/got") && gone(t));
    expect(t.read("bundle/rootfs/got")).toBe("0\n");
    await t.ok(["delete", "--force", t.id]);
  });

  for (const [kind, edit] of [
    ["its own", undefined],
    ["a shared", sharedPid],
  ] as const) {
    rule(`--all reaches every process of a container with ${kind} pid namespace`, async (t) => {
      const pid = await family(t, edit);
      const before = procs(pid).length;
      await t.ok(["kill", "--all", t.id, "USR1"]);
      await until("all got it", () => {
        if (!t.exists("bundle/rootfs/got")) return false;
        return t.read("bundle/rootfs/got").split("\n").sort().join("") === "0123";
      });
      expect((await t.state()).status).toBe("running");
      expect(before).toBeGreaterThanOrEqual(4);
      await t.ok(["kill", "--all", t.id, "KILL"]);
      await t.waitFor("stopped");
      await t.ok(["delete", t.id]);
      expect(await t.left()).toEqual([]);
    });
  }

  rule(
    "KILL ends every process of a container with a shared pid namespace",
    async (t) => {
      await family(t, sharedPid);
      await t.ok(["kill", t.id, "KILL"]);
      await t.waitFor("stopped");
      await t.ok(["delete", t.id]);
      expect(await t.left()).toEqual([]);
    },
    { except: { crun: "crun needs --all for that" } },
  );

  rule("--all of a stopped container is no error, and ends what was left in a shared pid namespace", async (t) => {
    await t.create("sleep 1000 & exit 0", sharedPid);
    await t.ok(["start", t.id]);
    await t.waitFor("stopped");
    await t.ok(["kill", "--all", t.id, "KILL"]);
    await t.ok(["kill", "--all", t.id, "TERM"]);
    if (runtime.kind === "berth")
      expect((await t.fails(["kill", t.id, "TERM"])).stderr).toContain("container not running");
    await t.ok(["delete", t.id]);
    expect(await t.left()).toEqual([]);
  });
});

/** Nobody lives long: each process makes the next one and ends. What was listed is gone when it is killed. */
const RELAY = "relay() { (relay) & exit; }\nfor n in $(seq 20); do (relay) & done; touch /ready; exec sleep 1000";

suite("delete of processes that are always others", (rule) => {
  for (const [command, kind, edit] of [
    ["delete --force", "its own", undefined],
    ["delete --force", "a shared", sharedPid],
  ] as const) {
    rule(
      `${command}, ${kind} pid namespace, without any limit: one try`,
      async (t) => {
        await t.create(RELAY, edit);
        await t.ok(["start", t.id]);
        await until("they run", () => t.exists("bundle/rootfs/ready"));
        await t.ok([...command.split(" "), t.id]);
        expect(await t.left()).toEqual([]);
      },
      { except: { runc: "runc 1.1 kills what it has read", crun: "crun 1.8 kills what it has read" } },
    );
  }

  rule(
    "delete of a stopped container with a shared pid namespace ends them too",
    async (t) => {
      await t.create(RELAY.replace("exec sleep 1000", "exit"), sharedPid);
      await t.ok(["start", t.id]);
      await until("they run", () => t.exists("bundle/rootfs/ready"));
      await t.waitFor("stopped");
      await t.ok(["delete", t.id]);
      expect(await t.left()).toEqual([]);
    },
    { except: { runc: "runc 1.1 kills what it has read", crun: "crun 1.8 kills what it has read" } },
  );
});
