// The order of system calls around the clones, as strace sees it: what keeps a hostile container from the runtime.

import { spawnSync } from "node:child_process";
import { expect } from "vitest";
import { type Config, withUserNamespace } from "./support/config.ts";
import { runtimes } from "./support/runtime.ts";
import type { Sandbox } from "./support/sandbox.ts";
import { suite } from "./support/suite.ts";

interface Call {
  pid: number;
  name: string;
  /** As strace begins to print it: the call itself, without its result where it was interrupted by another process. */
  text: string;
}

/** The calls of `run`, in order of their beginning. */
async function trace(t: Sandbox, edit: (config: Config) => void): Promise<Call[]> {
  const bundle = t.bundle("true", edit, "traced");
  const prefix = ["strace", "-f", "-qq", "-e", "signal=none", "-o", t.path("trace")];
  await t.ok(["run", "--bundle", bundle, t.newId()], { prefix });
  const lines = t.read("trace").split("\n");
  return lines.flatMap((line) => {
    const match = /^(\d+) +(\w+)\((.*)$/.exec(line);
    return match === null ? [] : [{ pid: Number(match[1]), name: match[2] ?? "", text: match[3] ?? "" }];
  });
}

const isThread = (text: string): boolean => text.includes("CLONE_THREAD|");
const isDumpable = (call: Call): boolean => call.name === "prctl" && call.text.startsWith("PR_SET_DUMPABLE");
const of = (calls: readonly Call[], ...names: string[]): Call[] => calls.filter(({ name }) => names.includes(name));

/** What the runtime, its vfork child, init and the second clone's child did, up to the exec of the program. */
function split(calls: readonly Call[]) {
  const exec = calls.findIndex(({ name, text }) => name === "execveat" && text.includes("AT_EMPTY_PATH"));
  // Its first thread, and the one that clones.
  const runtime = [calls[0]?.pid, calls.find(({ text }) => text.includes("CLONE_VFORK"))?.pid];
  const pid = calls[exec]?.pid;
  const sibling = calls.find((call) => !runtime.includes(call.pid) && call.pid !== pid)?.pid;
  const end = calls.findIndex((call) => call.name === "execve" && !runtime.includes(call.pid));
  return {
    runtime: calls.filter((call) => runtime.includes(call.pid)),
    shared: calls.slice(0, exec).filter((call) => call.pid === pid),
    init: calls.slice(exec + 1, end).filter((call) => call.pid === pid),
    sibling: calls.slice(0, end).filter((call) => call.pid === sibling),
  };
}

const skip = spawnSync("strace", ["--version"]).status !== 0 && "strace is not there";
const v2 = process.env.BERTH_VIEW === "v2";

suite(
  "system calls",
  (rule) => {
    const CASES: readonly [string, (config: Config, pid: number) => void][] = [
      ["new namespaces", () => {}],
      ["a new user namespace", (config) => withUserNamespace(config)],
      [
        "a joined user and pid namespace",
        (config, pid) => {
          config.linux.namespaces = config.linux.namespaces.filter(({ type }) => type !== "pid");
          for (const type of ["pid", "user"]) config.linux.namespaces.push({ type, path: `/proc/${pid}/ns/${type}` });
          config.mounts = config.mounts.filter(({ type }) => !["proc", "sysfs", "mqueue"].includes(type ?? ""));
        },
      ],
      [
        "a joined pid namespace and a new user namespace",
        (config, pid) => {
          withUserNamespace(config);
          config.linux.namespaces = config.linux.namespaces.filter(({ type }) => type !== "pid");
          config.linux.namespaces.push({ type: "pid", path: `/proc/${pid}/ns/pid` });
          config.mounts = config.mounts.filter(({ type }) => !["proc", "sysfs", "mqueue"].includes(type ?? ""));
        },
      ],
      [
        "a new time namespace",
        (config) => {
          config.linux.namespaces.push({ type: "time" });
          config.linux.timeOffsets = { boottime: { secs: 100 } };
        },
      ],
      [
        "a user that is not root",
        (config) => {
          config.process.user = { uid: 1000, gid: 1000 };
        },
      ],
    ];
    for (const [title, edit] of CASES) {
      rule(
        `${title}: joins come after the exec, and nothing is dumpable where it could be seen`,
        async (t) => {
          const other = await t.create("sleep 1000", withUserNamespace);
          const { pid } = await t.state(other);
          const { runtime, shared, init, sibling } = split(await trace(t, (config) => edit(config, pid)));

          // The runtime makes one clone, of a process that shares its memory, and is not dumpable meanwhile.
          const clones = of(runtime, "clone3", "clone", "fork", "vfork").filter(({ text }) => !isThread(text));
          expect(clones).toHaveLength(1);
          const [clone] = clones as [Call];
          expect(clone.text).toContain("CLONE_VM|");
          expect(clone.text).toContain("CLONE_VFORK|");
          expect(clone.text).toContain("CLONE_CLEAR_SIGHAND");
          expect(clone.text).not.toContain("CLONE_NEWTIME");
          if (!v2) expect(clone.text).not.toContain("CLONE_NEWCGROUP");
          const before = runtime.slice(0, runtime.indexOf(clone)).filter(isDumpable).at(-1);
          expect(before?.text).toContain("SUID_DUMP_DISABLE");
          // unshare(CLONE_THREAD) changes nothing: it asks whether there is one thread.
          const joined = of(runtime, "setns", "unshare").filter(({ text }) => !/^CLONE_THREAD[ )]/.test(text));
          expect(joined).toEqual([]);

          // What shares its memory does nothing but move descriptors, keep umask and capabilities, and exec.
          const names = new Set(shared.map(({ name }) => name));
          for (const name of ["umask", "dup3", "fcntl", "close_range", "capget", "capset", "prctl", "execveat"])
            names.delete(name);
          expect([...names]).toEqual([]);
          for (const { text } of of(shared, "prctl")) expect(text).toContain("PR_CAP_AMBIENT_RAISE");

          // init: dumpable 0 before it joins or unshares anything, and the last word whenever ids have changed.
          const joins = init.findIndex(({ name }) => name === "setns" || name === "unshare");
          const off = init.findIndex(isDumpable);
          expect(init[off]?.text).toContain("SUID_DUMP_DISABLE");
          if (joins >= 0) expect(off).toBeLessThan(joins);
          for (const calls of [init, sibling]) {
            const ids = calls.findLastIndex(({ name }) => name === "setresuid");
            const last = calls.findLastIndex(isDumpable);
            if (ids >= 0 && !/^0, 0, 0/.test(calls[ids]?.text ?? "")) expect(last).toBeGreaterThan(ids);
          }
          expect([...init, ...sibling].filter(isDumpable).filter(({ text }) => !text.includes("DISABLE"))).toEqual([]);

          // The second clone shares nothing and does not make init's parent wait.
          for (const { text } of of(init, "clone3")) {
            expect(text).toContain("CLONE_PARENT");
            expect(text).not.toMatch(/CLONE_VM|CLONE_VFORK|CLONE_NEWTIME/);
          }
          expect(of(init, "clone3").length).toBe(sibling.length > 0 ? 1 : 0);
        },
        { skip },
      );
    }

    rule(
      "what a new user namespace needs to keep its capabilities over the exec is gone before anything else happens",
      async (t) => {
        const calls = await trace(t, withUserNamespace);
        const { shared, init } = split(calls);
        expect(of(shared, "capset")).toHaveLength(1);
        const [ids, caps] = ["setresuid", "capset"].map((name) => init.findIndex((call) => call.name === name));
        expect(init[ids ?? -1]?.text).toMatch(/^0, 0, 0/);
        expect(init[caps ?? -1]?.text).toContain("inheritable=0");
        const mounts = init.findIndex(({ name }) => name === "open_tree" || name === "fsopen");
        expect(ids).toBeLessThan(caps ?? 0);
        expect(caps).toBeLessThan(mounts);
        // The maps are written before: init is dumpable until then, for a parent without privileges.
        const maps = calls.findIndex(({ text }) => text.includes("/uid_map"));
        const off = calls.findIndex((call) => call.pid === init[0]?.pid && isDumpable(call));
        expect(maps).toBeGreaterThan(0);
        expect(maps).toBeLessThan(off);
      },
      { skip },
    );
  },
  runtimes().filter(({ name }) => name === "berth"),
);
